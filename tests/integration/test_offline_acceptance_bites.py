"""The generated acceptance tests fail against a product that does not enforce a rule: each rule is taken out in turn."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from botarmy.brief import clean, sentences
from providers.offline.provider import generate

EXAMPLES = Path(__file__).parents[2] / "examples" / "briefs"
CHAIN = {
    "project_plan": (),
    "user_requirements": ("project_plan",),
    "feature_breakdown": ("project_plan", "user_requirements"),
    "data_models": ("project_plan", "user_requirements", "feature_breakdown"),
    "api_specifications": ("user_requirements", "feature_breakdown", "data_models"),
    "technical_architecture": ("project_plan", "feature_breakdown", "data_models", "api_specifications"),
    "implementation_plan": ("feature_breakdown", "data_models", "technical_architecture"),
    "source_code": ("project_plan", "user_requirements", "data_models", "api_specifications", "implementation_plan"),
    "acceptance_tests": ("user_requirements", "data_models", "api_specifications", "source_code"),
}
# The service without sockets: requests go straight into the generated product's API.
DRIVER = """
import json, os, pathlib, sys, unittest
os.environ["BASE_URL"] = "http://127.0.0.1:1"  # never called
sys.path.insert(0, sys.argv[1])
from app.api import Api, Request
from app.models import ENTITIES
from app.storage import Store
from tests_acceptance import kit, test_rules
api = Api(Store(pathlib.Path(":memory:"), ENTITIES), ENTITIES, b"{}")
def call(method, path, body=None):
    answer = api.handle(Request(method, path, b"" if body is None else json.dumps(body).encode()))
    return answer.status, json.loads(answer.body) if answer.body else None
kit.call = call
result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromModule(test_rules).run(result)
bad = {test.id(): text for test, text in [*result.failures, *result.errors]}
print(json.dumps({"ran": result.testsRun, "bad": bad}))
"""


def made_from(brief: str) -> dict[str, dict[str, Any]]:
    text = clean(brief)
    base = {"brief": text, "sentences": [item.model_dump() for item in sentences(text)], "feedback": []}
    made: dict[str, dict[str, Any]] = {}
    for purpose, needs in CHAIN.items():
        made[purpose] = generate(purpose, {**base, **{name: made[name] for name in needs}}).model_dump(mode="json")
    return {**made, "base": base}


def run(made: dict[str, dict[str, Any]], models: dict[str, Any], folder: Path) -> dict[str, Any]:
    inputs = {**made["base"], **{name: made[name] for name in CHAIN["source_code"]}, "data_models": models}
    source = generate("source_code", inputs).model_dump(mode="json")
    for file in [*source["files"], *made["acceptance_tests"]["files"]]:
        path = folder / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"], encoding="utf-8")
    command = [sys.executable, "-I", "-B", "-c", DRIVER, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def mutants(rule: dict[str, Any], models: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the design without the rule, in each way in which it can be missing."""
    broken = copy.deepcopy(models)
    entity = next(item for item in broken["entities"] if item["name"] == rule["entity"])
    field = next((item for item in entity["fields"] if item["name"] == rule["field"]), {})
    kind, state = rule["kind"], entity["state"]
    if kind == "required":
        field["required"] = False
    elif kind == "unique":
        field["unique"] = False
    elif kind in {"range", "length"}:
        yield from _without_bounds(rule, broken, field)
        return
    elif kind == "enumeration" and not (state and state["field"] == rule["field"]):
        yield "a value lost", _with(broken, entity["name"], field["name"], {"values": field["values"][1:]})
        field["values"] = []
    elif kind == "relation":
        field.update(type="integer", references="")
    elif kind == "transition":
        move = next(item for item in state["transitions"] if item["action"] == rule["action"])
        elsewhere = next(name for name in state["states"] if name != move["to_state"])
        yield "wrong goal", _with_move(broken, entity["name"], rule["action"], {"to_state": elsewhere})
        move["from_states"] = state["states"]
    else:
        return
    yield kind, broken


def _without_bounds(
    rule: dict[str, Any], models: dict[str, Any], field: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for bound in ("minimum", "maximum"):
        if rule[bound] is not None:
            name = bound if rule["kind"] == "range" else bound.replace("imum", "_length")
            yield bound, _with(models, rule["entity"], rule["field"], {name: None})
            yield f"{bound} moved", _with(models, rule["entity"], rule["field"], {name: _moved(field[name], bound)})


def _moved(value: float, bound: str) -> float:
    return value - 1 if bound == "minimum" else value + 1


def _with(models: dict[str, Any], entity: str, field: str, change: dict[str, Any]) -> dict[str, Any]:
    broken = copy.deepcopy(models)
    for item in next(one for one in broken["entities"] if one["name"] == entity)["fields"]:
        if item["name"] == field:
            item.update(change)
    return broken


def _with_move(models: dict[str, Any], entity: str, action: str, change: dict[str, Any]) -> dict[str, Any]:
    broken = copy.deepcopy(models)
    for item in next(one for one in broken["entities"] if one["name"] == entity)["state"]["transitions"]:
        if item["action"] == action:
            item.update(change)
    return broken


@pytest.mark.parametrize("name", ["library", "clinic", "parking"])
def test_every_rule_that_is_taken_out_is_missed(name: str, tmp_path: Path) -> None:
    made = made_from((EXAMPLES / f"{name}.md").read_text(encoding="utf-8"))
    models = made["data_models"]
    sound = run(made, models, tmp_path / "sound")
    assert sound["ran"] == len(made["acceptance_tests"]["covers"])
    assert sound["bad"] == {}
    covers = made["acceptance_tests"]["covers"]
    tried = 0
    for item in made["user_requirements"]["requirements"]:
        for rule in item["rules"]:
            for word, broken in mutants(rule, models):
                tried += 1
                outcome = run(made, broken, tmp_path / str(tried))
                about = [test for test in outcome["bad"] if item["id"] in covers[test] and f"_{rule['kind']}_" in test]
                assert about, f"{word} of {rule} was not missed; failing: {list(outcome['bad'])}"
    assert tried > 15


def test_a_limit_that_the_design_narrowed_is_not_taken_for_that_of_the_requirement(tmp_path: Path) -> None:
    made = made_from("A car has a price between 0 and 200 and a plate of up to 20 characters.")
    models = _with(made["data_models"], "car", "price", {"maximum": 150})
    models = _with(models, "car", "plate", {"max_length": 15})
    for name in ("api_specifications", "acceptance_tests"):
        inputs = {**made["base"], **{need: made[need] for need in CHAIN[name] if need in made}, "data_models": models}
        made[name] = generate(name, inputs).model_dump(mode="json")
    bad = run(made, models, tmp_path)["bad"]
    assert sorted(name.partition("_")[2].split("_", 3)[-1] for name in bad) == ["length_car_plate", "range_car_price"]
