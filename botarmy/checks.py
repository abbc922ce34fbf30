"""The checks that run generated software, by name; the sandbox does them, agents and workflows name them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

from pydantic import Field

from botarmy.records import Evidence, Record


class CheckName(StrEnum):
    """All known checks.

    compile: every source file compiles.
    lint: ruff with our configuration, inline suppressions ignored.
    security: ruff's security rules (flake8-bandit) with our configuration.
    tests: the generated tests pass, as many run as the source declares, and a planted failing test fails;
        figures: tests, passed, failed, skipped, coverage (share 0..1 of lines), cases (list of {"id", "outcome"}).
    acceptance: the tester's rule tests, same figures as tests.
    contract: the service is started; every operation of the OpenAPI document answers with a documented status.
    health: the service is started and its health address answers; stops on SIGTERM; data survive a restart.
    performance: requests to the started service; figures: requests, p50_ms, p95_ms, per_second, errors.
    config: the configuration of each environment is complete and the service starts with it.
    """

    compile = "compile"
    lint = "lint"
    security = "security"
    tests = "tests"
    acceptance = "acceptance"
    contract = "contract"
    health = "health"
    performance = "performance"
    config = "config"


class FileText(Record):
    """One text file of a generated tree; path is relative, with forward slashes."""

    path: str = Field(min_length=1, max_length=240)
    content: str


class CheckRequest(Record):
    """What is to be run.

    Attributes:
        name: which check.
        context: what the check needs beyond the files, e.g. {"openapi": {...}, "configuration": {...}}.
    """

    name: CheckName
    context: dict[str, Any] = Field(default_factory=dict)


Check = Callable[[tuple[FileText, ...], tuple[CheckRequest, ...]], Awaitable[tuple[Evidence, ...]]]
