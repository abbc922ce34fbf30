"""The offline provider's documents: typed, complete, deterministic, for any brief."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from botarmy.artifacts import DRAFTS, KINDS
from botarmy.brief import clean, sentences
from botarmy.completion import CompletionRequest
from botarmy.errors import InvalidOutput, ProviderRefused
from botarmy.records import canonical_json
from providers.offline.provider import OfflineProvider, generate

BRIEFS = sorted((Path(__file__).parents[3] / "examples" / "briefs").glob("*.md"))
NEEDS = {
    "project_plan": (),
    "user_requirements": ("project_plan",),
    "success_criteria": ("project_plan", "user_requirements"),
    "feature_breakdown": ("project_plan", "user_requirements"),
    "acceptance_criteria": ("user_requirements", "feature_breakdown"),
    "data_models": ("project_plan", "user_requirements", "feature_breakdown"),
    "api_specifications": ("user_requirements", "feature_breakdown", "data_models"),
    "technical_architecture": ("project_plan", "feature_breakdown", "data_models", "api_specifications"),
    "implementation_plan": ("feature_breakdown", "data_models", "technical_architecture"),
    "risk_assessment": ("project_plan", "user_requirements"),
    "acceptance_tests": ("user_requirements", "data_models", "api_specifications"),
}
HOSTILE = """# {{ 7 * 7 }} <script>alert("x")</script>

A note has a "title" '; DROP TABLE notes; -- and a body with three \"\"\" quotes, a back\\slash {% include x %} and ''' more.
The mood is one of "good\\", "bad'", `\"\"\"`.
Signed-off-by: Nobody <nobody@example.org>
"""


def documents(brief: str, feedback: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    text = clean(brief)
    base = {
        "brief": text,
        "sentences": [sentence.model_dump() for sentence in sentences(text)],
        "feedback": list(feedback),
    }
    made: dict[str, dict[str, Any]] = {}
    for purpose, needs in NEEDS.items():
        record = generate(purpose, {**base, **{name: made[name] for name in needs}})
        made[purpose] = (KINDS | DRAFTS)[purpose].model_validate(record.model_dump(mode="json")).model_dump(mode="json")
    return made


def check_consistency(brief: str, made: dict[str, dict[str, Any]], *, validate: bool = False) -> None:
    requirements = {item["id"]: item for item in made["user_requirements"]["requirements"]}
    carried = {source for item in requirements.values() for source in item["sources"]}
    assert {sentence.id for sentence in sentences(clean(brief))} <= carried
    assert len(requirements) == len(made["user_requirements"]["requirements"])
    demanded = {name for name, item in requirements.items() if item["kind"] != "context"}
    features = made["feature_breakdown"]["features"]
    assert demanded <= {name for feature in features for name in feature["requirement_ids"]}
    assert demanded <= {name for item in made["acceptance_criteria"]["criteria"] for name in item["requirement_ids"]}
    entities = {entity["name"] for entity in made["data_models"]["entities"]}
    assert entities
    promised = [line.partition(": create")[0] for line in made["project_plan"]["scope"]]
    assert set(promised) == {entity["description"] for entity in made["data_models"]["entities"]}
    for item in requirements.values():
        assert {rule["entity"] for rule in item["rules"]} <= entities
        assert item["understood"] or not item["rules"]
    api = made["api_specifications"]
    if validate:
        OpenAPIV31SpecValidator(api["openapi"]).validate()
    paths = api["openapi"]["paths"].values()
    known = {op["operationId"] for path in paths for op in path.values() if "operationId" in op}
    assert all(set(item["operation_ids"]) <= known for item in api["feature_map"])
    served = {item["feature_id"] for item in api["feature_map"]}
    served |= {name for part in made["technical_architecture"]["components"] for name in part["feature_ids"]}
    assert {feature["id"] for feature in features} == served
    planned = {name for step in made["implementation_plan"]["steps"] for name in step["feature_ids"]}
    assert planned == served
    for item in made["success_criteria"]["criteria"]:
        assert item["requirement_ids"]
        assert set(item["requirement_ids"]) <= set(requirements)
    check_tests(made["acceptance_tests"], requirements)


def check_tests(tests: dict[str, Any], requirements: dict[str, dict[str, Any]]) -> None:
    declared = set()
    for file in tests["files"]:
        tree = ast.parse(file["content"])
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                declared.add(f"tests_acceptance.test_rules.RuleTest.{node.name}")
    assert declared == set(tests["covers"])
    covered = {name for names in tests["covers"].values() for name in names}
    wanted = {name for name, item in requirements.items() if item["understood"] and item["kind"] != "context"}
    assert covered == wanted


@pytest.mark.parametrize("path", BRIEFS, ids=lambda path: path.stem)
def test_examples_give_consistent_documents(path: Path) -> None:
    brief = path.read_text(encoding="utf-8")
    check_consistency(brief, documents(brief))


@pytest.mark.parametrize(
    "sentence",
    [
        "Appointments take place in rooms.",
        "For each room we record the smell when it rains.",
        "An appointment has one or more rooms that are free.",
        "A tool that keeps track of rooms automatically.",
        "A room contains many beds, which move.",
    ],
)
def test_what_no_understood_sentence_speaks_of_is_promised_nowhere_and_named_as_not_understood(sentence: str) -> None:
    brief = f"# Clinic\n\nA patient has a name. An appointment belongs to a patient and has a date. {sentence}"
    made = documents(brief)
    check_consistency(brief, made)
    assert [entity["name"] for entity in made["data_models"]["entities"]] == ["patient", "appointment"]
    assert not any("room" in line or "bed" in line for line in made["project_plan"]["assumptions"])
    assert [one["text"] for one in made["user_requirements"]["requirements"] if not one["understood"]] == [sentence]


@pytest.mark.parametrize(
    "brief", ["Build me a todo app", "図書館は本を貸す。", "x", "Ein Lager.", HOSTILE, "?", "- a\n- b"]
)
def test_odd_briefs_give_consistent_documents(brief: str) -> None:
    check_consistency(brief, documents(brief), validate=True)


def test_the_library_is_understood_to_the_last_sentence() -> None:
    made = documents((BRIEFS[0].parent / "library.md").read_text(encoding="utf-8"))
    assert [item["text"] for item in made["user_requirements"]["requirements"] if not item["understood"]] == []


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_consistent_documents(text: str) -> None:
    if any(character.isalnum() for character in clean(text)):
        check_consistency(text, documents(text))


GRAMMAR = """a an the book books loan member title must can be has have is unique required between 1 5 and or , . : -
not returned belongs to from draft paid only if of at most characters ( ) # | one number as I want add -> may status"""
WORDS = st.sampled_from([*GRAMMAR.split(), "\n", "\n\n", "\n- "])


@settings(max_examples=80, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_any_words_of_the_grammar_give_consistent_documents(text: str) -> None:
    if any(character.isalnum() for character in clean(text)):
        check_consistency(text, documents(text))


async def test_the_same_request_gives_the_same_bytes_and_says_it_is_no_model() -> None:
    request = CompletionRequest(
        role="analyst",
        purpose="user_requirements",
        inputs={"brief": "A book has a title."},
        messages=(),
        output_schema={},
    )
    first, second = await OfflineProvider().complete(request), await OfflineProvider().complete(request)
    assert first == second
    assert json.loads(first.text) == first.parsed
    assert first.text == canonical_json(first.parsed)
    assert first.confidence is None
    assert OfflineProvider.deterministic


def test_an_unknown_purpose_or_a_missing_input_is_a_clear_error() -> None:
    with pytest.raises(ProviderRefused, match="mediation"):
        generate("mediation", {})
    with pytest.raises(InvalidOutput, match="user_requirements"):
        generate("data_models", {"brief": "x"})


def test_a_field_that_a_reviewer_asked_for_reaches_the_design_of_a_later_phase() -> None:
    comment = "Ann rejected this: Please add a maker to the box. A box must have a colour."
    text = "A box has a weight."
    base = {"brief": text, "sentences": [{"id": "S1", "text": text}], "feedback": [comment]}
    made = {name: generate(name, base).model_dump(mode="json") for name in ("project_plan", "user_requirements")}
    assert [item["sources"] for item in made["user_requirements"]["requirements"]] == [["S1"], ["FB1"], ["FB2"]]
    base["feedback"] = []
    for name in ("feature_breakdown", "data_models"):
        made[name] = generate(name, {**base, **made}).model_dump(mode="json")
    fields = {field["name"]: field for field in made["data_models"]["entities"][0]["fields"]}
    assert set(fields) == {"weight", "maker", "colour"}
    assert fields["colour"]["required"]


def test_a_reviewers_rule_on_the_design_alone_reaches_the_data_models() -> None:
    text = "A box has a weight."
    base: dict[str, Any] = {"brief": text, "sentences": [{"id": "S1", "text": text}], "feedback": []}
    made = {name: generate(name, base).model_dump(mode="json") for name in ("project_plan", "user_requirements")}
    made["feature_breakdown"] = generate("feature_breakdown", {**base, **made}).model_dump(mode="json")
    base["feedback"] = ["Ann rejected this: The weight is at most 9."]
    models = generate("data_models", {**base, **made}).model_dump(mode="json")
    assert models["entities"][0]["fields"][0]["maximum"] == 9


def after_comments(text: str, *comments: str) -> dict[str, Any]:
    """Return the documents of Discovery with the comments, and those of the phases after it without."""
    made: dict[str, Any] = {"brief": text, "sentences": [one.model_dump() for one in sentences(text)]}
    made["feedback"] = [f"Ann rejected this: {comment}" for comment in comments]
    for name in ("project_plan", "user_requirements"):
        made[name] = generate(name, made).model_dump(mode="json")
    made["feedback"] = []
    for name in ("feature_breakdown", "acceptance_criteria", "data_models", "api_specifications", "acceptance_tests"):
        made[name] = generate(name, made).model_dump(mode="json")
    return made


CAR = "# Cars\n\nA car has a required name and a price between 0 and 200. The colour of a car is required."


@pytest.mark.parametrize("limit", [150, 300])
def test_a_limit_that_a_comment_replaces_is_demanded_nowhere_any_more(limit: int) -> None:
    made = after_comments(CAR, f"The price must be at most {limit}.")
    first, _colour, comment = made["user_requirements"]["requirements"]
    assert first["text"].endswith(f"(changed by FB1 “The price must be at most {limit}.”)")
    assert {rule["maximum"] for one in (first, comment) for rule in one["rules"] if rule["kind"] == "range"} == {limit}
    assert "200" not in " ".join(one["given"] for one in made["acceptance_criteria"]["criteria"])
    price = next(one for one in made["data_models"]["entities"][0]["fields"] if one["name"] == "price")
    assert (price["minimum"], price["maximum"]) == (0, limit)
    tests = made["acceptance_tests"]["files"][-1]["content"]
    assert f"self.check_range('car', 'price', 0, {limit})" in tests
    assert ", 200)" not in tests


def test_later_comments_replace_earlier_ones_and_keep_their_sources() -> None:
    made = after_comments(
        CAR, "The price is at most 150. The colour of a car is optional.", "The price is at most 120."
    )
    found = made["user_requirements"]["requirements"]
    assert [one["sources"] for one in found] == [["S1"], ["S2"], ["FB1"], ["FB2"], ["FB3"]]
    assert {rule["maximum"] for one in found for rule in one["rules"] if rule["kind"] == "range"} == {120}
    assert found[1]["rules"] == []
    assert "changed by FB2" in found[1]["text"]
    colour = next(one for one in made["data_models"]["entities"][0]["fields"] if one["name"] == "colour")
    assert not colour["required"]


def test_the_narrower_of_two_limits_of_a_brief_holds_for_both_sentences() -> None:
    made = after_comments("A box has a weight between 0 and 200. The weight of a box is less than 150.5.")
    rules = [rule for one in made["user_requirements"]["requirements"] for rule in one["rules"]]
    assert [rule["maximum"] for rule in rules] == [150.49, 150.49]
    assert not any("changed by" in one["text"] for one in made["user_requirements"]["requirements"])


def test_requirements_that_somebody_amended_lead_the_design() -> None:
    text = "A box has a weight."
    base: dict[str, Any] = {"brief": text, "sentences": [{"id": "S1", "text": text}], "feedback": []}
    made = {name: generate(name, base).model_dump(mode="json") for name in ("project_plan", "user_requirements")}
    rule = {"kind": "range", "entity": "lid", "field": "width", "minimum": 2}
    extra = {"id": "R9", "text": "Lids.", "kind": "constraint", "priority": "must", "sources": ["S1"], "rules": [rule]}
    made["user_requirements"]["requirements"].append(extra)
    for name in ("feature_breakdown", "data_models", "api_specifications", "acceptance_tests"):
        made[name] = generate(name, {**base, **made}).model_dump(mode="json")
    lid = next(entity for entity in made["data_models"]["entities"] if entity["name"] == "lid")
    assert (lid["fields"][0]["name"], lid["fields"][0]["minimum"]) == ("width", 2)
    assert ["R9"] in made["acceptance_tests"]["covers"].values()
