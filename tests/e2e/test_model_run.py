"""A whole run with a model behind an OpenAI-compatible server: costs, budget, faults, recording and replay."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from providers.fake_vendors import CANARY
from tests.factories.model_server import (
    BUSY,
    INPUT_PRICE,
    INVALID,
    MODEL,
    OUTPUT_PRICE,
    ModelServer,
    answers_for,
    serving,
)
from tests.factories.product import Product

BRIEF = "# Print shop\nEach book has a required title.\nA book's state is one of draft, printed.\n"
BUDGET = "0.2"  # enough for some calls, too little for all: a call reserves its whole output limit
MEASURED = {"test_results", "quality_report", "performance_metrics", "deployment_log"}
"""Artifacts that say what really ran; they hold times."""


def _contents(product: Product, project: str) -> dict[str, str]:
    """Return kind -> hash of what the models wrote."""
    phases = product.show(project)["phases"]
    made = {each["kind"]: each["sha256"] for phase in phases for each in phase["artifacts"]}
    return {kind: sha for kind, sha in made.items() if kind not in MEASURED}


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("briefs") / "print-shop.md"
    path.write_text(BRIEF, "utf-8")
    return path


def test_a_run_with_a_model_is_paid_limited_recorded_and_replayed(
    product: Product, brief: Path, tmp_path: Path
) -> None:
    prices, records, out = tmp_path / "prices.json", tmp_path / "records", tmp_path / "out"
    price = {"input": str(INPUT_PRICE), "output": str(OUTPUT_PRICE)}
    prices.write_text(json.dumps({f"openai/{MODEL}": price}), "utf-8")
    faults = {"project_plan": BUSY, "user_requirements": INVALID}
    with serving(ModelServer(answers_for(BRIEF), faults)) as server:
        extra = {"BOTARMY_PRICES": str(prices), "BOTARMY_RECORD": str(records)} | server.environment()
        model = Product(product.home, **extra)
        stopped = _until_the_budget(model, brief)
        assert "answered project_plan: openai" in stopped
        assert "USD so far]" in stopped
        raised = _approved_to_the_end(model, out)
    assert raised >= 1
    _check_calls(server)
    _check_costs(model, server)
    _check_secrets(records, out, stopped)
    replayed = Product(product.home, BOTARMY_REPLAY=str(records))
    again = replayed.json("run", str(brief), "--project", "replayed", "--provider", "recorded")
    assert again["project"]["status"] == "completed"
    assert again["cost_usd"] == 0
    assert _contents(product, "replayed") == _contents(product, "modelled")
    product.json("rerun", "modelled", "--from", "Launch")
    without = product.run(
        "run", "--project", "modelled"
    )  # a provider of settings is not kept with a project: it is said
    assert "coder: its documents so far were made by openai/" in without.stderr, without.stderr


def _until_the_budget(model: Product, brief: Path) -> str:
    """Run into the budget; return what was told meanwhile."""
    done = model.run("run", str(brief), "--project", "modelled", "--budget", BUDGET)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Expected cost for this brief: about " in done.stderr
    assert f"openai {MODEL}" in done.stderr
    gate = _budget_gate(model)
    assert Decimal(gate["payload"]["limit_usd"]) == Decimal(BUDGET)
    assert "waits for a decision" in done.stdout
    return done.stderr


def _budget_gate(model: Product) -> Any:
    (gate,) = [each for each in model.json("inbox")["gates"] if each["project"] == "modelled"]
    assert gate["kind"] == "budget"
    assert "raises the limit" in " ".join(gate["verdict"]["reasons"])
    return gate


def _approved_to_the_end(model: Product, out: Path) -> int:
    """Approve what the budget asks until the project is done; return how often it asked."""
    for asked in range(1, 6):
        gate = _budget_gate(model)
        before = Decimal(gate["payload"]["proposed_usd"])
        model.json("approve", gate["address"], "--by", "Ann")
        done = model.run("run", "--project", "modelled", "--out", str(out))
        assert Decimal(model.json("costs", "modelled")["budgets"][0]["limit_usd"]) == before
        if done.returncode == 0:
            assert "scaffold, no model" not in done.stdout
            return asked
        assert done.returncode == 3, done.stdout + done.stderr
    raise AssertionError("the budget was raised five times and was never enough")


def _check_calls(server: ModelServer) -> None:
    """Every purpose was asked once over all runs, but for the one that was refused and the one that was repaired."""
    counted = Counter(server.asked)
    assert {purpose: number for purpose, number in counted.items() if number != 1} == {
        "project_plan": 2,
        "user_requirements": 2,
    }


def _check_costs(model: Product, server: ModelServer) -> None:
    """The ledger's sum is the vendor's bill to the last digit, the invalid answer included."""
    total = model.json("costs", "modelled")["total"]
    assert (Decimal(total["known_usd"]), total["unknown"]) == (server.cost_usd, 0)
    calls = model.json("costs", "modelled", "--calls")["calls"]
    outcomes = Counter(call["outcome"] for call in calls)
    assert (outcomes["rate-limited"], outcomes["invalid-output"]) == (1, 1)
    assert outcomes["completed"] == len(server.asked) - 2


def _check_secrets(records: Path, out: Path, told: str) -> None:
    written = [path for folder in (records, out) for path in folder.rglob("*") if path.is_file()]
    assert len(list(records.glob("*.json"))) > 10
    assert CANARY not in told
    assert not [path for path in written if CANARY.encode() in path.read_bytes()]
