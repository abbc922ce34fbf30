"""OpenAPI documents: valid ones pass, each kind of fault is named, and nothing is ever fetched."""

import pytest

from botarmy.artifacts import ApiSpecifications
from botarmy.measures import openapi_valid
from botarmy.measures.openapi import operations
from tests.factories import openapi


def judge(document):
    return openapi_valid(ApiSpecifications(openapi=document, feature_map=()))


def with_schema(schema, **components):
    document = openapi(**({"components": {"schemas": components}} if components else {}))
    answer = document["paths"]["/tools"]["get"]["responses"]["200"]
    answer["content"] = {"application/json": {"schema": schema}}
    return document


def test_a_valid_document_is_valid():
    assert judge(openapi()).value == 1
    assert judge(with_schema({"$ref": "#/components/schemas/Tool"}, Tool={"type": "object"})).value == 1


def test_a_schema_may_refer_to_itself():
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    assert judge(with_schema({"$ref": "#/components/schemas/Node"}, Node=node)).value == 1


@pytest.mark.parametrize("version", ["3.0.3", "2.0", None, 3.1])
def test_another_version_is_named(version):
    measure = judge(openapi(openapi=version))
    assert measure.value == 0
    assert "3.1.x is wanted" in measure.reasons[0]


def test_a_missing_part_is_named_with_its_place():
    document = openapi()
    del document["info"]["title"]
    measure = judge(document)
    assert measure.value == 0
    assert measure.reasons[0].startswith("#/info: ")
    assert "title" in measure.reasons[0]


def test_a_reference_that_leads_nowhere_is_a_fault():
    measure = judge(with_schema({"$ref": "#/components/schemas/Nothing"}))
    assert measure.value == 0
    assert measure.reasons


def test_a_path_parameter_without_a_declaration_is_a_fault():
    document = openapi()
    del document["paths"]["/tools/{id}/lend"]["parameters"]
    assert judge(document).value == 0


def test_operations_have_ids_of_their_own():
    document = openapi()
    del document["paths"]["/health"]["get"]["operationId"]
    document["paths"]["/tools"]["post"]["operationId"] = "list_tools"
    assert judge(document).reasons == (
        "GET /health has no operationId",
        "POST /tools has the operationId 'list_tools' of GET /tools",
    )


@pytest.mark.parametrize("paths", [{}, None, [], {"/x": None}])
def test_a_document_without_operations_is_no_interface(paths):
    assert judge(openapi(paths=paths)).reasons == ("The document has no operation",)


@pytest.mark.parametrize(
    "reference",
    [
        "http://evil.example/x.json",
        "https://evil.example/#/a",
        "file:///etc/passwd",
        "other.yaml#/x",
        "//evil.example/x",
    ],
)
@pytest.mark.parametrize("key", ["$ref", "$dynamicRef"])
def test_references_that_leave_the_document_are_refused_and_never_followed(reference, key, monkeypatch):
    def forbidden(*_args, **_kwargs):
        raise AssertionError("something was fetched")

    monkeypatch.setattr("socket.socket.connect", forbidden)
    monkeypatch.setattr("urllib.request.urlopen", forbidden)
    monkeypatch.setattr("socket.getaddrinfo", forbidden)
    measure = judge(with_schema({key: reference}))
    assert measure.value == 0
    assert "outside the document" in measure.reasons[0]


@pytest.mark.parametrize("key", ["$id", "$schema"])
def test_another_base_address_is_refused(key):
    measure = judge(with_schema({key: "https://evil.example/base", "type": "object"}))
    assert measure.value == 0
    assert "another base" in measure.reasons[0]
    assert judge(openapi(jsonSchemaDialect="https://evil.example/d")).value == 0
    assert judge(openapi(jsonSchemaDialect="https://spec.openapis.org/oas/3.1/dialect/base")).value == 1


def test_properties_may_be_named_like_keywords():
    schema = {"type": "object", "properties": {"$id": {"type": "string"}, "$ref": {"type": "string"}}}
    assert judge(with_schema(schema)).value == 1


def test_a_bottomless_document_is_refused():
    schema = {}
    for _ in range(200):
        schema = {"items": schema}
    assert judge(with_schema(schema)).reasons == ("The document is nested deeper than 100 levels",)


@pytest.mark.parametrize("info", [None, [], "x", {"title": 1, "version": []}])
def test_what_is_no_openapi_at_all_is_a_fault_not_a_crash(info):
    measure = judge(openapi(info=info))
    assert measure.value == 0
    assert measure.reasons


def test_a_broken_component_is_a_fault_not_a_crash():
    assert judge(openapi(components=[1])).value == 0
    assert judge(with_schema({"$ref": "#/paths/~1tools/get/responses/200/content"})).value in (0, 1)


def test_operations_are_listed_with_their_method_and_path():
    found = [(method, path, one["operationId"]) for method, path, one in operations(openapi())]
    assert found == [
        ("get", "/health", "health"),
        ("get", "/tools", "list_tools"),
        ("post", "/tools", "create_tool"),
        ("post", "/tools/{id}/lend", "lend_tool"),
    ]
