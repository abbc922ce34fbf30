"""The interface is held against the data models: fields, limits and values that one of them has alone are named."""

from __future__ import annotations

from typing import Any

import pytest

from botarmy.artifacts import ApiSpecifications, DataField, DataModels, Entity
from botarmy.gates import evaluate_gate
from botarmy.measures import interface_matches_models
from botarmy.records import Decision, GateRule

PARTS = {
    "Part": {"allOf": [{"$ref": "#/components/schemas/PartInput"}, {"properties": {"id": {"type": "integer"}}}]},
    "PartInput": {
        "type": "object",
        "properties": {
            "part-number": {"type": "string", "minLength": 1, "maxLength": 8},
            "weight": {"type": ["number", "null"], "maximum": 9.0},
            "size": {"enum": ["S", "M", None]},
            "next": {"$ref": "#/components/schemas/Part"},
        },
    },
}
FIELDS = (
    DataField(name="part_number", type="string", required=True, min_length=0, max_length=8),
    DataField(name="weight", type="number", maximum=9),
    DataField(name="size", type="string", values=("M", "S")),
    DataField(name="next", type="reference", references="part"),
    DataField(name="shelf_id", type="reference", references="part"),
    DataField(name="created_at", type="datetime"),
)


def body(name: str, *, content: str = "application/json") -> dict[str, Any]:
    return {"content": {content: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def interface(**paths: Any) -> ApiSpecifications:
    made = {"description": "made", "content": {"application/json": {"schema": {"properties": {"createdAt": {}}}}}}
    usual = {
        "/v1/shelves/{shelf_id}/spare-parts": {"post": {"requestBody": body("PartInput"), "responses": {"201": made}}},
        "/spare-parts/{id}/move": {"post": {"requestBody": body("Other"), "responses": {}}},
    }
    return ApiSpecifications(openapi={"paths": {**usual, **paths}, "components": {"schemas": PARTS}}, feature_map=())


def models(*fields: DataField) -> DataModels:
    return DataModels(entities=(Entity(name="part", collection="spare_parts", fields=fields or FIELDS),))


def test_fields_are_found_in_bodies_answers_and_paths_however_they_are_written() -> None:
    measure = interface_matches_models(models(), interface())
    assert (measure.value, measure.reasons) == (1.0, ())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (DataField(name="nickname", type="string"), "The interface has no field nickname of part"),
        (DataField(name="weight", type="number", maximum=5), "maximum of weight of part is 5 in the data models, 9"),
        (DataField(name="part_number", type="string", max_length=9), "maxLength of part_number of part is 9"),
        (DataField(name="part_number", type="string", min_length=2), "minLength of part_number of part is 2"),
        (DataField(name="size", type="string", values=("M",)), "The values of size of part are others"),
    ],
)
def test_what_an_amendment_of_the_data_models_leaves_behind_is_named(changed: DataField, words: str) -> None:
    kept = [field for field in FIELDS if field.name != changed.name]
    measure = interface_matches_models(models(*kept, changed), interface())
    assert measure.value == pytest.approx((len(kept)) / (len(kept) + 1))
    (reason,) = measure.reasons
    assert reason.startswith(words)


def test_a_field_that_only_the_interface_has_is_named() -> None:
    measure = interface_matches_models(models(*(one for one in FIELDS if one.name != "weight")), interface())
    assert measure.reasons == ("The interface takes weight of part, which the data models do not have",)


def test_an_entity_without_operations_is_one_miss() -> None:
    lid = Entity(name="lid", collection="lids", fields=(DataField(name="a", type="string"),))
    measure = interface_matches_models(DataModels(entities=(*models().entities, lid)), interface())
    assert measure.reasons == ("The interface has no operation for lid, an entity of the data models",)


@pytest.mark.parametrize("document", [{}, {"paths": 3}, {"paths": {"/spare_parts": {"post": {"requestBody": [1]}}}}])
def test_any_document_can_be_measured(document: dict[str, Any]) -> None:
    measure = interface_matches_models(models(), ApiSpecifications(openapi=document, feature_map=()))
    assert measure.value is not None
    assert measure.value < 1


def test_no_entity_is_unknown() -> None:
    assert interface_matches_models(DataModels(entities=()), interface()).value is None


def test_a_person_decides_where_they_do_not_match_and_sees_what() -> None:
    measure = interface_matches_models(models(*FIELDS, DataField(name="nickname", type="string")), interface())
    verdict = evaluate_gate(GateRule(), (measure,), (), None, deterministic=True)
    assert verdict.decision is Decision.needs_approval
    assert any("nickname" in reason for reason in verdict.reasons)
