"""compile, lint, security: what can be said without running the product."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from botarmy.records import Evidence
from sandbox import interpreter
from sandbox.checks.evidence import Finding, conclude, evidence, not_run
from sandbox.checks.job import Job
from sandbox.layout import Layout
from sandbox.limits import Execution, Limits

LIMITS = Limits(wall_s=60, memory_mb=1024, output_bytes=4_000_000)
LINE_LENGTH = 120
COMPLEXITY = 12
LINT_RULES = ("E4", "E7", "E9", "F", "B", "C4", "C90", "PLE", "UP")
LINT_IGNORED = ("E741",)
SECURITY_RULES = ("S",)
SECURITY_IGNORED = (
    "S404",  # importing subprocess is no finding; S602 and S605 find the shells
    "S603",  # a child process without a shell
    "S607",  # a program by its name
    "S311",  # random numbers that are no secrets
)
TEST_FILES = ("test*.py", "**/tests/**", "**/tests_acceptance/**")
TEST_IGNORED = ("S101", "S104", "S105", "S106", "S108", "S310", "S314")
"""What tests are made of: asserts, made-up passwords, temporary folders, requests to the started service."""

FOREIGN = frozenset(
    [
        ".js",
        ".mjs",
        ".cjs",
        ".ts",
        ".tsx",
        ".jsx",
        ".go",
        ".rs",
        ".java",
        ".kt",
        ".c",
        ".cc",
        ".cpp",
        ".cs",
        ".rb",
        ".php",
        ".swift",
    ]
)
"""Endings of sources that nothing here can compile."""


async def check_compile(job: Job) -> Evidence:
    """Compile every Python file; other languages cannot be shown to compile here."""
    names = job.trees.python_files()
    if not names:
        return not_run(job.request.name, "failed", "there is no Python file to compile")

    def plan(layout: Layout, _: str) -> dict[str, Any]:
        return {"app": layout.app, "files": names}

    probed = await job.probe("compile_tree", plan, tree=job.trees.whole, words=[f"{len(names)} files"])
    if probed.report is None:
        return job.conclude(probed, conclude([], [f"compiling could not be finished: {probed.why}"]))
    foreign = [file.path for file in job.trees.files if PurePosixPath(file.path).suffix in FOREIGN]
    doubts = [f"{path}: there is no compiler for this language here" for path in foreign]
    figures = {"files": probed.report["files"], "faults": len(probed.report["faults"])}
    return job.conclude(probed, conclude(probed.report["faults"], doubts, figures=figures))


async def check_lint(job: Job) -> Evidence:
    """Lint with our rules; what the tree says about linting does not count."""
    return await _ruff(job, LINT_RULES, LINT_IGNORED)


async def check_security(job: Job) -> Evidence:
    """Look for insecure code with ruff's rules of that kind."""
    return await _ruff(job, SECURITY_RULES, SECURITY_IGNORED)


def ruff_command(rules: Sequence[str], ignored: Sequence[str]) -> list[str]:
    """Return the command; --isolated and the empty exclude leave the tree nothing to configure."""
    ignores = {pattern: list(TEST_IGNORED) for pattern in TEST_FILES}
    return [
        "ruff",
        "check",
        "--isolated",
        "--ignore-noqa",
        "--no-cache",
        "--no-respect-gitignore",
        "--no-fix",
        "--output-format=json",
        f"--target-version=py{interpreter.language()}",
        f"--line-length={LINE_LENGTH}",
        "--config=exclude=[]",
        f"--config=lint.mccabe.max-complexity={COMPLEXITY}",
        f"--config=lint.per-file-ignores={_toml(ignores)}",
        f"--select={','.join(rules)}",
        f"--ignore={','.join(ignored)}",
        ".",
    ]


def _toml(table: dict[str, list[str]]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)} = {json.dumps(values)}" for name, values in table.items()) + "}"


async def _ruff(job: Job, rules: Sequence[str], ignored: Sequence[str]) -> Evidence:
    command = ruff_command(rules, ignored)
    if not job.trees.python_files():
        return not_run(job.request.name, "failed", "there is no Python file to look at")
    execution = await job.sandbox.run(job.trees.whole, command, limits=LIMITS)
    finding = _read_findings(execution, "/work/app" if execution.isolated else str(job.trees.whole.resolve()))
    shown = Execution(**{**vars(execution), "stdout": ""})  # the log has the findings in words instead
    return evidence(job.request.name, command, shown, finding, tool_version=interpreter.versions()["ruff"])


def _read_findings(execution: Execution, root: str) -> Finding:
    """Read ruff's JSON: exit 0 without findings, 1 with findings, else it did not work."""
    if execution.exit_code not in {0, 1} or execution.stopped:
        why = execution.stopped or execution.stderr.strip() or f"exit code {execution.exit_code}"
        return conclude([], [f"ruff did not finish: {why}"])
    try:
        found = json.loads(execution.stdout)
        reasons = [_sentence(entry, root) for entry in found]
    except (ValueError, KeyError, TypeError) as error:
        return conclude([], [f"ruff's output cannot be read: {error}"])
    log = "\n".join(reasons) or "no findings"
    rules = sorted({str(entry.get("code") or "syntax") for entry in found})
    return conclude(reasons, figures={"findings": len(reasons), "rules": rules}, log=log)


def _sentence(entry: dict[str, Any], root: str) -> str:
    path = str(entry["filename"]).removeprefix(root).lstrip("/")
    return f"{path}:{entry['location']['row']}: {entry.get('code') or 'syntax'} {entry['message']}"
