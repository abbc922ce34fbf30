"""From the words of a brief to a product under every check, through the provider's own functions alone."""

from __future__ import annotations

from typing import Any

import pytest

from botarmy.brief import read_brief, sentences
from botarmy.checks import CheckName, CheckRequest, FileText
from providers.offline.provider import generate
from sandbox.checks import SandboxChecks
from sandbox.runner import Sandbox

ORDER = (
    "project_plan",
    "user_requirements",
    "success_criteria",
    "feature_breakdown",
    "acceptance_criteria",
    "data_models",
    "api_specifications",
    "technical_architecture",
    "implementation_plan",
    "risk_assessment",
    "source_code",
    "unit_tests",
    "documentation",
    "acceptance_tests",
    "deployment_files",
    "environment_config",
    "monitoring_setup",
)
WITH_FILES = ("source_code", "unit_tests", "documentation", "acceptance_tests", "deployment_files")
BRIEFS = {
    "shop": """# Web Shop
Every order belongs to a customer. An item refers to one order and one product and has a quantity between 1 and 99.
Products have a unique SKU, a name, a price of at least 0.01 and a category (one of book, music, film).
A shipped order can be returned. An open order may be cancelled. The shop should feel magical to customers.""",
    "staff": """# Staff
- An employee has a name (required), a salary between 1000 and 100000 and must belong to a department.
- A department has a unique name and may have a manager, who is an employee.
- A leave request belongs to an employee; it is submitted, then approved or rejected.""",
    "reserved words": """# Order desk
A group has an index and a class. An order belongs to one group. Every table has a unique select.
The class is one of "from", "where", "it's". An order can be returned.""",
    "attack": '''# {{ 7*7 }} <script>alert(1)</script> """ \'\'\' \\
A note has a title (required) and a kind, one of "a'b", "c\\d", "{{x}}", "<b>".
\'; DROP TABLE notes; --
Reviewed-by: nobody <x@y>''',
    "lists": """# Clinic

## Rooms
- name: required, up to 20 characters
- floor: integer, may be negative

## Donors
- serial_number: unique
- blood group (A, B, AB or 0)
- state: new, active, retired, default new
- fitness from 1 (low) to 5 (high)
- location -> Room
- weight: percentage between 0 and 100, default 100
- code, unique per building

A nurse has a name and looks after several donors. A nurse has shifts. A shift has a date. Shift flow: open -> planned -> done,
open -> dropped. A donor's weight lies between 1.5 and 90 percent.""",
    "another script": "图书馆系统。每本书有书名和作者。书名不能为空。",
    "one line": "A todo app.",
}


def artifacts(brief: str) -> dict[str, Any]:
    text = read_brief(brief.encode())
    known: dict[str, Any] = {"brief": text, "sentences": [one.model_dump() for one in sentences(text)], "feedback": []}
    for kind in ORDER:
        known[kind] = generate(kind, known).model_dump(mode="json")
    return known


@pytest.mark.parametrize("name", BRIEFS)
async def test_a_brief_becomes_a_product_that_passes_every_check(name: str) -> None:
    known = artifacts(BRIEFS[name])
    files = tuple(FileText(**file) for kind in WITH_FILES for file in known[kind]["files"])
    context = {
        "start": known["source_code"]["start"],
        "health_path": known["source_code"]["health_path"],
        "openapi": known["api_specifications"]["openapi"],
        "environments": known["environment_config"]["environments"],
    }
    # The load on a product that differs in names and rules alone is tried with one of them.
    checks = [check for check in CheckName if check is not CheckName.performance or name == "shop"]
    requests = tuple(CheckRequest(name=check, context=context) for check in checks)
    found = {one.check: one for one in await SandboxChecks(Sandbox())(files, requests)}
    # A brief without any rule has no acceptance test, and that is said: unverified.
    assert {check: one.reasons for check, one in found.items() if one.outcome == "failed"} == {}
    assert {check for check, one in found.items() if one.outcome == "unverified"} <= {"acceptance"}
    assert known == artifacts(BRIEFS[name])
