"""From an execution to evidence."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from botarmy.checks import CheckName
from botarmy.records import Evidence
from sandbox.limits import Execution

MAX_LOG = 60_000  # characters; the head and the tail are kept
MAX_REASONS = 30
MAX_REASON = 600  # characters

Outcome = Literal["passed", "failed", "unverified"]


@dataclass(frozen=True)
class Finding:
    """What a check concluded: the outcome, the reasons, and what was measured."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    log: str = ""


def conclude(
    failures: Sequence[str], doubts: Sequence[str] = (), *, figures: Mapping[str, Any] | None = None, log: str = ""
) -> Finding:
    """Return failed when anything failed, unverified when anything is in doubt, passed otherwise."""
    outcome: Outcome = "failed" if failures else "unverified" if doubts else "passed"
    return Finding(outcome, (*failures, *doubts), figures or {}, log)


def shorten(text: str, limit: int = MAX_LOG) -> str:
    """Return the text, without its middle when it is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def bounded(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return at most MAX_REASONS distinct reasons, and how many were left out."""
    distinct = list(dict.fromkeys(shorten(reason, MAX_REASON) for reason in reasons))
    if len(distinct) <= MAX_REASONS:
        return tuple(distinct)
    return (*distinct[:MAX_REASONS], f"and {len(distinct) - MAX_REASONS} more of the kind")


def log_of(execution: Execution, more: str = "") -> str:
    """Return the command's output as one text, with what we add to it."""
    parts = [more, execution.stdout, execution.stderr]
    if execution.stopped:
        parts.append(f"[ended by the sandbox: {execution.stopped}]")
    return "\n".join(part.rstrip() for part in parts if part.strip())


def evidence(
    check: CheckName, command: Sequence[str], execution: Execution, finding: Finding, *, tool_version: str
) -> Evidence:
    """Return the evidence of one executed check."""
    log = shorten(log_of(execution, finding.log))
    return Evidence(
        check=check.value,
        command=tuple(command),
        exit_code=execution.exit_code,
        outcome=finding.outcome,
        trusted=execution.isolated,
        tool_version=f"{tool_version}, {execution.isolation}",
        log=log,
        log_sha256=hashlib.sha256(log.encode("utf-8")).hexdigest(),
        figures=dict(finding.figures),
        reasons=bounded(finding.reasons),
        duration_s=round(execution.duration_s, 3),
    )


def not_run(check: CheckName, outcome: Outcome, reason: str) -> Evidence:
    """Return the evidence of a check that had nothing to execute."""
    return Evidence(
        check=check.value,
        command=(),
        exit_code=None,
        outcome=outcome,
        log=reason,
        log_sha256=hashlib.sha256(reason.encode("utf-8")).hexdigest(),
        reasons=(reason,),
    )


def words(command: Sequence[str]) -> str:
    """Return a command as a person would type it."""
    return shlex.join(command)


def parse_report(execution: Execution, nonce: str) -> tuple[dict[str, Any] | None, str]:
    """Return the probe's report, or None and why it does not count.

    Exactly one line with the nonce counts: the nonce went to the probe by its standard input and is in no file, no
    argument and no environment variable that other code in the sandbox could read.
    """
    if execution.stopped:
        return None, f"the run was ended: {execution.stopped}"
    lines = [line for line in execution.report.split(b"\n") if line.strip()]
    if not lines:
        return None, f"the run ended with exit code {execution.exit_code} before it reported"
    try:
        reports = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return None, "the report cannot be read; something else wrote to it"
    if len(reports) != 1 or not isinstance(reports[0], dict) or reports[0].pop("nonce", None) != nonce:
        return None, "something other than our probe wrote to the report"
    return reports[0], ""
