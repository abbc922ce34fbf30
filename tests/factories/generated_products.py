"""Whole generated products, and the checks that a run would make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botarmy.checks import CheckName, CheckRequest, FileText
from botarmy.records import Evidence
from providers.offline.deployment import build_deployment_files, build_environment_config
from providers.offline.software import build_documentation, build_source_code
from providers.offline.unit_tests import build_unit_tests
from sandbox.checks import SandboxChecks
from sandbox.tree import write_tree

CHECKS = (
    CheckName.compile,
    CheckName.lint,
    CheckName.security,
    CheckName.tests,
    CheckName.contract,
    CheckName.health,
    CheckName.performance,
    CheckName.config,
)


def product(inputs: Mapping[str, Any]) -> tuple[FileText, ...]:
    """Return all files that the generator writes."""
    source = build_source_code(inputs)
    inputs = {**inputs, "source_code": source.model_dump(mode="json")}
    parts: Sequence[Any] = (
        source,
        build_unit_tests(inputs),
        build_documentation(inputs),
        build_deployment_files(inputs),
    )
    return tuple(file for part in parts for file in part.files)


def write_product(inputs: Mapping[str, Any], root: Path) -> Path:
    """Write the product to a folder."""
    write_tree(product(inputs), root)
    return root


async def check_product(
    checks: SandboxChecks, inputs: Mapping[str, Any], names: Sequence[CheckName] = CHECKS
) -> dict[str, Evidence]:
    """Return the evidence of the checks by name."""
    source = build_source_code(inputs)
    config = build_environment_config({**inputs, "source_code": source.model_dump(mode="json")})
    context = {
        "start": list(source.start),
        "health_path": source.health_path,
        "openapi": inputs["api_specifications"]["openapi"],
        "environments": config.model_dump(mode="json")["environments"],
    }
    requests = tuple(CheckRequest(name=name, context=context) for name in names)
    return {one.check: one for one in await checks(product(inputs), requests)}
