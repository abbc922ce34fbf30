"""What every check gets, and how it runs one of our probes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botarmy.checks import CheckRequest, FileText
from botarmy.records import Evidence
from sandbox import interpreter
from sandbox.bubblewrap import Bind
from sandbox.checks.evidence import Finding, evidence, parse_report
from sandbox.layout import WALLED, Layout
from sandbox.limits import DEFAULT_LIMITS, Execution, Limits
from sandbox.runner import Sandbox

ACCEPTANCE = "tests_acceptance"
TESTS_PLACE = "/work/tests"
STARTUP_S = 10.0
STOP_S = 5.0
Plan = dict[str, Any]


@dataclass(frozen=True)
class Trees:
    """The generated files on disk.

    Attributes:
        files: all of them.
        whole: a folder with all of them.
        product: a folder without the acceptance tests.
        acceptance: a folder with nothing but the acceptance tests.
    """

    files: tuple[FileText, ...]
    whole: Path
    product: Path
    acceptance: Path

    def python_files(self) -> tuple[str, ...]:
        """Return the paths of all Python files."""
        return tuple(file.path for file in self.files if file.path.endswith(".py"))


@dataclass(frozen=True)
class Probed:
    """What a probe said: the report, or why there is none that counts; `app` is where it saw the product."""

    app: str
    command: tuple[str, ...]
    execution: Execution
    report: dict[str, Any] | None
    why: str


@dataclass(frozen=True, eq=False)
class Job:
    """One requested check."""

    sandbox: Sandbox
    trees: Trees
    request: CheckRequest

    async def probe(
        self,
        name: str,
        plan: Callable[[Layout, str], Plan],
        *,
        tree: Path | None = None,
        extra: Path | None = None,
        limits: Limits = DEFAULT_LIMITS,
        words: Sequence[str] = (),
    ) -> Probed:
        """Run a probe on a tree.

        Args:
            name: of the file in sandbox/probes.
            plan: makes the plan from the layout and the place of `extra`.
            tree: the working directory, the product by default.
            extra: a further folder to show.
            limits: of the run.
            words: shown behind the probe's name in the evidence; the probe itself goes by its plan.
        """
        nonce = secrets.token_hex(16)
        with self.sandbox.session(tree or self.trees.product) as session:
            place = TESTS_PLACE if session.layout is WALLED else str(extra or "")
            command = [*session.layout.probe(name), *words]
            data = json.dumps({**plan(session.layout, place), "nonce": nonce}).encode("utf-8")
            binds = [Bind(extra, place)] if extra and session.layout is WALLED else []
            execution = await session.run(command, limits=limits, extra=binds, stdin=data, report=True)
        report, why = parse_report(execution, nonce)
        return Probed(session.layout.app, tuple(command), execution, report, why)

    def conclude(self, probed: Probed, finding: Finding, tool: str = "python") -> Evidence:
        """Return the evidence of a probe's run; the reasons name files as the tree does."""
        named = replace(finding, reasons=tuple(reason.replace(f"{probed.app}/", "") for reason in finding.reasons))
        version = interpreter.versions()[tool]
        return evidence(self.request.name, probed.command, probed.execution, named, tool_version=version)

    @property
    def start(self) -> tuple[str, ...]:
        """Return the product's start command as the request has it; empty when it has none."""
        return tuple(str(word) for word in self.request.context.get("start", ()))

    def service(self, layout: Layout) -> Plan:
        """Return the plan of the product's service."""
        own = {"python": layout.python, "python3": layout.python}
        start = self.start
        return {
            "app": layout.app,
            "start": [own.get(start[0], start[0]), *start[1:]],
            "health_path": str(self.request.context.get("health_path", "/health")),
            "startup_s": STARTUP_S,
            "stop_s": STOP_S,
            "data": f"{layout.scratch}/data",
        }


def is_acceptance(path: str) -> bool:
    """Return whether a file belongs to the acceptance tests."""
    return path.startswith(f"{ACCEPTANCE}/")
