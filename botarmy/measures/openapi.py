"""Is an OpenAPI document valid? Decided here alone: nothing is fetched, whatever the document refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botarmy.artifacts import ApiSpecifications
from botarmy.measures.share import bounded, excerpt
from botarmy.records import Measure

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_REFERENCES = ("$ref", "$dynamicRef", "operationRef")
_FOREIGN_BASES = ("$id", "$schema", "jsonSchemaDialect")
_MAX_DEPTH = 100
_OWN_DIALECTS = ("https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base")


def openapi_valid(specification: ApiSpecifications) -> Measure:
    """1 when the document is a valid OpenAPI 3.1 document with operations, each with an own id; else 0.

    References must stay inside the document: one that leads elsewhere is refused, never followed.
    """
    document = specification.openapi
    faults = _own_faults(document) or _faults_of_validator(document)
    return Measure(name="openapi_valid", value=0.0 if faults else 1.0, reasons=bounded(faults))


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (method, path, operation) of each operation in a document, valid or not."""
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for method in METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            if isinstance(operation, dict):
                yield method, str(path), operation


def _own_faults(document: Mapping[str, Any]) -> list[str]:
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3.1."):
        return [f"The document's version is {version!r}; 3.1.x is wanted"]
    try:
        faults = list(_foreign_references(document, "#", 0))
    except RecursionError:
        return [f"The document is nested deeper than {_MAX_DEPTH} levels"]
    return faults + _faults_of_operations(document)


def _faults_of_operations(document: Mapping[str, Any]) -> list[str]:
    faults = []
    owners: dict[str, str] = {}
    for method, path, operation in operations(document):
        where = f"{method.upper()} {path}"
        name = operation.get("operationId")
        if not isinstance(name, str) or not name:
            faults.append(f"{where} has no operationId")
        elif name in owners:
            faults.append(f"{where} has the operationId {name!r} of {owners[name]}")
        else:
            owners[name] = where
    if not owners and not faults:
        faults.append("The document has no operation")
    return faults


def _foreign_references(value: Any, where: str, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        yield from _foreign_in_object(value, where)
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from _foreign_references(child, f"{where}/{name}", depth + 1)


def _foreign_in_object(value: Mapping[str, Any], where: str) -> Iterator[str]:
    for key in _REFERENCES:
        target = value.get(key)
        if isinstance(target, str) and not target.startswith("#"):
            yield f"{where} refers to {excerpt(target)!r}, outside the document"
    for key in _FOREIGN_BASES:
        target = value.get(key)
        if isinstance(target, str) and target not in _OWN_DIALECTS:
            yield f"{where} sets {key} to {excerpt(target)!r}, another base than the document's"


def _faults_of_validator(document: Mapping[str, Any]) -> list[str]:
    # Imported here: it takes 0.1 s, and reading commands never need it.
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415

    class LocalValidator(OpenAPIV31SpecValidator):
        """Without the handlers that would open files and addresses."""

        resolver_handlers: dict[str, Any] = {}  # noqa: RUF012 (declared so by the library)

    try:
        return [
            f"#/{'/'.join(str(part) for part in error.absolute_path)}: {excerpt(error.message, 300)}"
            for error in LocalValidator(dict(document)).iter_errors()
        ]
    except Exception as error:  # noqa: BLE001 (the validator breaks in many ways on documents that are not even near)
        return [f"The document cannot be read as OpenAPI: {excerpt(f'{type(error).__name__}: {error}', 300)}"]
