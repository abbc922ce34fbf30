"""The order of requests, and judging the answers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.api.document import Document
from sandbox.api.judge import judge
from sandbox.api.scenarios import Planner, concrete, is_action, load_plan, plurals, scenarios
from sandbox.api.storage import storage_plan, write_operations

GOOD = Path(__file__).parents[2] / "integration" / "sandbox" / "products" / "good" / "app" / "openapi.json"
OPENAPI: dict[str, Any] = json.loads(GOOD.read_text())


@pytest.fixture
def document() -> Document:
    return Document(OPENAPI)


def operation(document: Document, name: str) -> Any:
    return next(one for one in document.operations if one.id == name)


def test_a_row_is_made_after_the_rows_that_it_refers_to(document: Document) -> None:
    steps, name = Planner(document).create(operation(document, "create_book"))
    assert [step["op"] for step in steps] == ["create_author", "create_book"]
    assert steps[1]["body"]["author_id"] == {"$saved": steps[0]["save"]}
    assert steps[1]["save"] == name


def test_an_address_gets_the_row_that_it_names(document: Document) -> None:
    steps, step = Planner(document).call(operation(document, "lend_book"))
    assert [one["op"] for one in steps] == ["create_author", "create_book"]
    assert step["path"] == "/books/{{" + steps[1]["save"] + "}}/lend"
    assert step["intent"] == "valid"


def test_bodies_that_are_planned_as_valid_are(document: Document) -> None:
    for scenario in scenarios(document):
        for step in scenario["steps"]:
            schema = operation(document, step["op"]).body
            if "body" in step:
                assert document.validator(schema).is_valid(concrete(step["body"])) is (step["intent"] != "invalid")


def test_a_transition_is_tried_after_others(document: Document) -> None:
    tries = [one for one in scenarios(document) if one.get("unless") == "return_book"]
    assert [[step["op"] for step in one["steps"]][-2:] for one in tries] == [["lend_book", "return_book"]]


def test_every_operation_is_called_and_every_row_missed(document: Document) -> None:
    steps = [step for scenario in scenarios(document) for step in scenario["steps"]]
    assert {step["op"] for step in steps if step["intent"] == "valid"} == {one.id for one in document.operations}
    missing = {step["op"] for step in steps if step["intent"] == "missing"}
    assert missing == {one.id for one in document.operations if one.path_parameters}
    malformed = {step["op"] for step in steps if step.get("about") == "malformed JSON"}
    assert malformed == {"create_author", "create_book", "replace_book"}


def test_rows_that_refer_to_their_own_kind_come_to_an_end(document: Document) -> None:
    openapi = copy.deepcopy(OPENAPI)
    openapi["components"]["schemas"]["NewAuthor"]["properties"]["author_id"] = {"type": "integer"}
    steps, _ = Planner(Document(openapi)).create(operation(Document(openapi), "create_book"))
    assert [step["op"] for step in steps] == ["create_author", "create_book"]
    assert "author_id" not in steps[0]["body"]


def test_nested_collections() -> None:
    row = {
        "responses": {"201": {"description": "ok"}},
        "requestBody": {"content": {"application/json": {"schema": {}}}},
    }
    read = {"get": {"responses": {"200": {"description": "ok"}}}}
    nested = Document({"paths": {"/a": {"post": row}, "/a/{x}/b": {"post": row}, "/a/{x}/b/{y}": read}})
    steps, step = Planner(nested).call(nested.operations[-1])
    assert [one["path"] for one in steps] == ["/a", "/a/{{row1}}/b"]
    assert step["path"] == "/a/{{row1}}/b/{{row2}}"


def test_actions_are_known_by_their_address(document: Document) -> None:
    assert {one.id for one in document.operations if is_action(one)} == {"lend_book", "return_book"}


def test_what_to_store_and_what_to_time(document: Document) -> None:
    write, read = storage_plan(document)
    assert read is not None
    assert (write[-1]["op"], read["op"]) == ("create_author", "get_author")
    assert storage_plan(Document({"paths": {}})) == ([], None)
    load = load_plan(document)
    assert {step["op"] for step in load.reads} == {"list_authors", "get_author", "list_books", "get_book", "health"}
    assert {step["op"] for step in load.writes} == {"create_author", "create_book"}
    assert len({json.dumps(step["body"]) for step in load.writes}) == len(load.writes) == 60


LIST = {"type": "array", "items": {"type": "object"}}
PAGE = {"type": "object", "properties": {"total": {"type": "integer"}, "items": LIST}}


def answering(schema: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}}


def writing(**fields: Any) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": fields}}}}
    return {"requestBody": body, "responses": {"201": {"description": "made"}}}


@pytest.mark.parametrize(
    ("schema", "within"),
    [
        (LIST, []),
        (PAGE, ["items"]),
        ({"type": "object", "properties": {"data": PAGE}}, ["data", "items"]),
        ({}, []),
        ({"type": "object", "properties": {"total": {"type": "integer"}}}, None),
    ],
)
def test_a_row_without_an_address_is_read_in_the_list(schema: Any, within: list[str] | None) -> None:
    document = Document({"paths": {"/notes": {"get": answering(schema), "post": writing(text={"type": "string"})}}})
    write, read = storage_plan(document)
    assert write_operations(document) == 1
    if within is None:
        assert (write, read) == ([], None)
        return
    assert read is not None
    assert [step["method"] for step in (*write, read)] == ["POST", "GET"]
    assert read["within"] == within
    assert (read["row"], read["like"]) == (write[-1]["save"], write[-1]["body"])


def test_a_nested_list_is_read_at_the_address_of_its_row() -> None:
    paths = {"/a": {"post": writing()}, "/a/{x}/b": {"get": answering(LIST), "post": writing()}}
    write, read = storage_plan(Document({"paths": paths}))
    assert read is not None
    assert [step["path"] for step in (*write, read)] == ["/a", "/a/{{row1}}/b", "/a/{{row1}}/b"]


def test_a_row_that_put_makes_is_read_at_its_address() -> None:
    document = Document({"paths": {"/keys/{key}": {"get": answering({}), "put": writing(value={"type": "string"})}}})
    write, read = storage_plan(document)
    assert read is not None
    assert [step["method"] for step in write] == ["PUT"]
    assert read["path"] == write[0]["path"]


def test_plurals() -> None:
    assert "books" in plurals("book")
    assert "categories" in plurals("category")
    assert "boxes" in plurals("box")


ROW = '{"id": 1, "name": "Ende"}'


def record(**changes: Any) -> dict[str, Any]:
    base = {"op": "get_author", "method": "GET", "path": "/authors/1", "intent": "valid", "status": 200}
    return {**base, "type": "application/json", "text": ROW, "cut": False, **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"type": "application/json; charset=utf-8"}, ""),
        ({"status": 404, "text": '{"error": {"code": "c", "message": "m"}}', "intent": "missing"}, ""),
        ({"status": 418}, "answered 418, which GET /authors/{id} does not document (documented: 200, 404)"),
        ({"status": 500, "text": "oops"}, "answered 500: the service failed: oops"),
        ({"text": "{"}, "answered 200 with a body that is no JSON: {"),
        ({"text": ""}, "answered 200 with a body that is no JSON: an empty body"),
        ({"type": "text/html"}, "answered 200 as text/html, but application/json is documented"),
        ({"type": ""}, "answered 200 as no content type, but application/json is documented"),
        (
            {"text": '{"id": "1", "name": "E"}'},
            "answered 200, but id does not fit its schema: '1' is not of type 'integer'",
        ),
        ({"text": '{"id": 1}'}, "answered 200, but the body does not fit its schema: 'name' is a required property"),
        ({"intent": "missing"}, "answered 200, although the document forbids the request; 4xx was expected"),
        ({"error": "TimeoutError: timed out"}, "no answer (TimeoutError: timed out)"),
    ],
)
def test_judging_one_answer(document: Document, changes: dict[str, Any], said: str) -> None:
    verdict = judge(document, [record(**changes)])
    assert verdict.failures == ([f"GET /authors/1: {said}"] if said else [])
    assert verdict.called == {"get_author"}
    assert verdict.documented == (set() if said else {"get_author"})


def test_a_body_where_none_is_documented(document: Document) -> None:
    answer = record(op="delete_author", method="DELETE", status=204, text="gone", type="text/plain")
    assert judge(document, [answer]).failures == [
        "DELETE /authors/1: answered 204 with a body, but none is documented: gone"
    ]


def test_what_never_succeeded_is_in_doubt(document: Document) -> None:
    refused = '{"error": {"code": "c", "message": "m"}}'
    answers = [
        record(status=404, text=refused),
        {"op": "lend_book", "method": "POST", "path": "/books/{{row1}}/lend", "intent": "valid", "unmet": "row1"},
    ]
    verdict = judge(document, answers)
    assert verdict.failures == []
    assert f"GET /authors/{{id}} never answered with success; the last answer was 404: {refused}" in verdict.doubts
    assert "POST /books/{id}/lend could not be called: nothing gave the row that it needs" in verdict.doubts
    assert len(verdict.doubts) == len(document.operations)


def test_the_same_fault_is_told_a_few_times_only(document: Document) -> None:
    assert len(judge(document, [record(status=418)] * 50).failures) == 3


def test_a_range_or_a_default_documents_a_status() -> None:
    ranged = Document(
        {"paths": {"/a": {"get": {"responses": {"2XX": {"description": "ok"}, "default": {"description": "no"}}}}}}
    )
    (one,) = ranged.operations
    assert one.documented(204) == {}
    assert one.documented(404) == {}
    assert one.id == "GET /a"


def test_another_document_than_the_agreed_one(document: Document) -> None:
    served = copy.deepcopy(OPENAPI)
    del served["paths"]["/books"]["post"]
    served["paths"]["/loans"] = {"get": {"responses": {}}}
    answer = record(op="openapi", path="/openapi.json", text=json.dumps(served))
    (failure,) = judge(document, [answer]).failures
    assert failure.endswith("these are in one only: GET /loans, POST /books")
    same = record(op="openapi", path="/openapi.json", text=json.dumps(OPENAPI))
    assert judge(document, [same]).failures == []


def row_document(**bodies: dict[str, Any]) -> Document:
    """Return a document with a POST for each name and the properties of its body; a name with ! is required."""
    paths = {}
    for name, properties in bodies.items():
        required = [key[1:] for key in properties if key.startswith("!")]
        body = {"type": "object", "properties": {key.lstrip("!"): part for key, part in properties.items()}}
        content = {"application/json": {"schema": body | {"required": required}}}
        post = {"operationId": f"create_{name}", "requestBody": {"content": content}, "responses": {}}
        paths[f"/{name}s"] = {"post": post}
    return Document({"paths": paths})


def test_a_reference_is_found_by_what_the_document_says_of_it() -> None:
    known = row_document(
        egg={"name": {"type": "string"}}, hen={"!born_from_id": {"type": "integer", "x-references": "egg"}}
    )
    steps, _ = Planner(known).create(operation(known, "create_hen"))
    assert [step["op"] for step in steps] == ["create_egg", "create_hen"]
    assert steps[1]["body"] == {"born_from_id": {"$saved": steps[0]["save"]}}


def test_an_optional_reference_to_a_row_that_needs_this_one_is_left_out() -> None:
    number = {"type": "integer"}
    known = row_document(department={"manager_id": number}, manager={"!department_id": number})
    steps, _ = Planner(known).create(operation(known, "create_department"))
    assert [(step["op"], step["body"]) for step in steps] == [("create_department", {})]
    steps, _ = Planner(known).create(operation(known, "create_manager"))
    assert [step["op"] for step in steps] == ["create_department", "create_manager"]
