"""config: each environment's configuration is complete and the service starts with it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from botarmy.checks import FileText
from botarmy.records import Evidence
from sandbox.checks.declared import is_test_file
from sandbox.checks.evidence import conclude, not_run
from sandbox.checks.job import Job, is_acceptance
from sandbox.checks.source import parse
from sandbox.layout import Layout
from sandbox.limits import Limits

LIMITS = Limits(wall_s=90)
SYSTEM = frozenset(["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "PWD", "NO_COLOR"])
READERS = frozenset(["get", "pop", "setdefault"])
PORTS = range(1, 65_536)
ANY_ADDRESS = frozenset(["127.0.0.1", "0.0.0.0", "localhost"])  # noqa: S104 (compared, not bound)
OURS = ("PORT", "DATA_DIR")
"""Set by the probe in place of the environment's own values, which mean places of another machine."""


def variables_read(files: Iterable[FileText]) -> dict[str, str]:
    """Return the environment variables that the product's source reads -> "file:line" of the first place."""
    found: dict[str, str] = {}
    for file in files:
        if not file.path.endswith(".py") or is_acceptance(file.path) or _is_test(file.path):
            continue
        tree = parse(file.content)
        for node in ast.walk(tree) if tree else ():
            name = _variable(node)
            if name:
                found.setdefault(name, f"{file.path}:{node.lineno}")  # type: ignore[attr-defined]
    return found


def _is_test(path: str) -> bool:
    return is_test_file(path) or "tests" in path.split("/")[:-1]


def _variable(node: ast.AST) -> str:
    """Return the name that an expression reads: os.environ["X"], environ.get("X"), os.getenv("X")."""
    if isinstance(node, ast.Subscript) and _is_environment(node.value) and isinstance(node.ctx, ast.Load):
        return _text(node.slice)
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    called = node.func
    if isinstance(called, ast.Attribute) and (
        (called.attr in READERS and _is_environment(called.value)) or called.attr == "getenv"
    ):
        return _text(node.args[0])
    if isinstance(called, ast.Name) and called.id == "getenv":
        return _text(node.args[0])
    return ""


def _is_environment(node: ast.expr) -> bool:
    word = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return word in {"environ", "env", "environment"}


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def incomplete(environment: Mapping[str, Any], read: Mapping[str, str]) -> Iterable[str]:
    """Yield what is wrong with one environment's variables."""
    name, variables = environment["name"], environment["variables"]
    for variable, place in sorted(read.items()):
        if variable not in SYSTEM and not str(variables.get(variable, "")).strip():
            yield f"environment {name}: {variable}, which {place} reads, has no value"
    port = str(variables.get("PORT", "1"))
    if not port.isdecimal() or int(port) not in PORTS:
        yield f"environment {name}: PORT is {port!r}, not a number from 1 to 65535"


def for_start(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables to start with here: addresses and folders of the other machine are left to the probe."""
    kept = {name: str(value) for name, value in environment["variables"].items() if name not in OURS}
    if kept.get("HOST", "") not in ANY_ADDRESS:
        kept.pop("HOST", None)
    return kept


async def check_config(job: Job) -> Evidence:
    """Read the source for variables, then start the service once per environment."""
    environments = job.request.context.get("environments")
    if not isinstance(environments, list | tuple) or not environments:
        return not_run(job.request.name, "unverified", "the request has no environments")
    if not job.start:
        return not_run(job.request.name, "unverified", "the request names no start command for the service")
    read = variables_read(job.trees.files)
    faults = [fault for environment in environments for fault in incomplete(environment, read)]

    def plan(layout: Layout, _: str) -> dict[str, Any]:
        numbered = [
            {"name": environment["name"], "number": number, "variables": for_start(environment)}
            for number, environment in enumerate(environments)
        ]
        return {"service": job.service(layout), "environments": numbered}

    probed = await job.probe("config", plan, limits=LIMITS, words=[str(one["name"]) for one in environments])
    report = probed.report
    if report is None:
        return job.conclude(probed, conclude(faults, [f"the starts could not be observed to the end: {probed.why}"]))
    failed = [f"environment {one['name']}: {one['fault']}" for one in report["environments"] if one["fault"]]
    figures = {
        "environments": len(environments),
        "started": len(environments) - len(failed),
        "variables": sorted(read),
    }
    log = "\n".join(
        f"{one['name']}: {one.get('startup_s', 'not started')}\n{one['log']}" for one in report["environments"]
    )
    return job.conclude(probed, conclude([*faults, *failed], figures=figures, log=log))
