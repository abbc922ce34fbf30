"""The documents that an export adds to the software: evidence, traceability, and where it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from botarmy.decisions import author_of, is_by_person
from botarmy.measured import MEASURED, value_words
from botarmy.overview import Snapshot, decisions_of, measures_of
from botarmy.records import ArtifactVersion, Attempt, Evidence, Record
from botarmy.trace import Approved, TraceRow, accepted_groups, trace_requirements, verified_text
from botarmy.unsafe_text import visible_line

_MARKDOWN = re.compile(r"([\\`*_\[\]|~#])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CELL_LIMIT = 300
_HIDDEN_FIGURES = frozenset({"cases"})  # lists of many items, which have their own document


class Part(Record):
    """What belongs to one commit's tree: the project up to a phase.

    Attributes:
        done: the completed attempts up to here, in the order of the workflow.
        versions: the artifacts made by them.
        state: what the README says of the project, e.g. "completed (scaffold, no model)".
    """

    snapshot: Snapshot
    done: tuple[Attempt, ...]
    versions: dict[str, ArtifactVersion]
    state: str


def cell(text: str, limit: int = _CELL_LIMIT) -> str:
    """Escape untrusted text for one cell of a Markdown table: it shows itself and does nothing else.

    Args:
        text: any text.
        limit: after how many characters it is cut; 0 for never.
    """
    line = visible_line(text)
    if limit and len(line) > limit:
        line = line[: limit - 1] + "…"
    for char, entity in _ENTITIES.items():
        line = line.replace(char, entity)
    return _MARKDOWN.sub(r"\\\1", line)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table; cells must be escaped already."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def brief_document(brief: str) -> str:
    """Return the brief as it was read, ending with a newline."""
    return brief if brief.endswith("\n") else brief + "\n"


def provenance_note(part: Part) -> str:
    """Say where the software came from and what state the project is in."""
    project = part.snapshot.project
    made = [each.provenance for each in part.versions.values()]
    models = sorted({f"{each.provider}/{each.model}" for each in made if not is_by_person(each)})
    amended = [
        f"{author_of(each.provenance)} ({kind}@{each.version})"
        for kind, each in part.versions.items()
        if is_by_person(each.provenance)
    ]
    return (
        "## Provenance\n\n"
        f"Made by BotArmy from `BRIEF.md`; project `{project.slug}`, workflow {cell(project.workflow)}.\n"
        f"Status: {cell(part.state)}.\n"
        f"Made with: {', '.join(cell(model) for model in models) or 'nothing yet'}.\n"
        f"{_amended(amended)}"
        "What was executed and what was decided is listed in `docs/evidence.md`, what became of each requirement in\n"
        "`TRACEABILITY.md`; the trailers of the commits name who approved, rejected and amended.\n"
    )


def _amended(amended: Sequence[str]) -> str:
    return f"Amended by persons: {', '.join(cell(each) for each in amended)}.\n" if amended else ""


def evidence_document(part: Part) -> str:
    """List every execution of the attempts: command, exit code, figures, and what it says."""
    rows = [
        _evidence_row(attempt, item)
        for attempt in part.done
        for item in part.snapshot.evidence.get(attempt.id, ())
        if item.check != MEASURED
    ]
    columns = ("Phase", "Check", "Command", "Exit code", "Outcome", "Figures", "Tool", "Seconds", "Log sha256")
    body = table(columns, rows) if rows else "Nothing was executed.\n"
    reasons = _reasons(part)
    return (
        f"# Evidence\n\nWhat really ran for `{part.snapshot.project.slug}`, with its result.\n\n"
        f"{body}{_measures(part)}{reasons}\n## Decisions\n\n{_decisions(part)}"
    )


def _measures(part: Part) -> str:
    """List what was measured on the artifacts, and whether it meets the gate's criterion, if the gate has one for it."""
    rows = [
        (
            cell(attempt.phase),
            cell(line.name),
            value_words(line.value),
            "" if line.wanted is None else value_words(line.wanted),
            line.criterion,
        )
        for attempt in part.done
        for line in measures_of(part.snapshot, attempt.phase)
    ]
    columns = ("Phase", "Measure", "Value", "Wanted", "Criterion")
    return f"\n## Measures\n\n{table(columns, rows)}" if rows else ""


def _evidence_row(attempt: Attempt, item: Evidence) -> tuple[str, ...]:
    outcome = item.outcome if item.trusted else f"{item.outcome} (untrusted: no isolation)"
    return (
        cell(attempt.phase),
        cell(item.check),
        cell(" ".join(item.command)),
        "–" if item.exit_code is None else str(item.exit_code),
        outcome,
        cell(figures(item.figures)),
        cell(item.tool_version),
        f"{item.duration_s:.2f}",
        f"`{item.log_sha256[:16]}`" if item.log_sha256 else "",
    )


def figures(values: dict[str, Any]) -> str:
    """Write figures as "tests=12, coverage=0.93"; long lists are left to their own documents."""
    shown = {key: value for key, value in values.items() if key not in _HIDDEN_FIGURES}
    return ", ".join(f"{key}={_figure(value)}" for key, value in shown.items())


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _reasons(part: Part) -> str:
    lines = [
        f"- {cell(attempt.phase)}, {cell(item.check)}: {cell(reason)}"
        for attempt in part.done
        for item in part.snapshot.evidence.get(attempt.id, ())
        if item.outcome != "passed" or item.check == MEASURED
        for reason in item.reasons
    ]
    return "\n## What did not pass or is not measured in full, and why\n\n" + "\n".join(lines) + "\n" if lines else ""


def _decisions(part: Part) -> str:
    """List every decision at the phases up to here, rejections and amendments as well, with the whole comment."""
    every = decisions_of(part.snapshot)
    rows = [
        (
            cell(line.phase),
            str(line.attempt),
            line.verdict,
            cell(line.words),
            cell(line.by),
            f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if line.at else "",
            cell(line.comment, 0),
        )
        for attempt in part.done
        for line in every
        if line.phase == attempt.phase
    ]
    columns = ("Phase", "Attempt", "Verdict", "Decision", "By (as claimed)", "When (UTC)", "Comment")
    return table(columns, rows)


def traceability_document(part: Part) -> str:
    """Show what became of each requirement."""
    phases = {attempt.phase for attempt in part.done}
    rows = trace_requirements(part.versions, [gate for gate in part.snapshot.gates if gate.phase in phases])
    if not rows:
        return "# Traceability\n\nThere are no requirements yet.\n"
    columns = ("Requirement", "Text", "Priority", "Features", "Criteria", "Operations", "Files", "Tests", "Status")
    accepted = "".join(_accepted(each, ids) for each, ids in accepted_groups(rows))
    return f"# Traceability\n\n{verified_text(rows)}\n\n{table(columns, [_trace_row(row) for row in rows])}{accepted}"


def _accepted(decision: Approved, ids: Sequence[str]) -> str:
    """Say what requirements rest on that no test proves."""
    where = f"{decision.phase}, attempt {decision.attempt}, {decision.at}"
    changed = "" if decision.current else " (what was approved has changed since)"
    return f"\nAccepted without proof by a test: {cell(', '.join(ids), 0)}, by {cell(decision.by)} at {cell(where)}{changed}.\n"


def _trace_row(row: TraceRow) -> tuple[str, ...]:
    tests = [f"{test.id} ({test.outcome})" for test in row.tests]
    text = row.text if row.understood else f"{row.text} (not understood)"
    return (
        cell(row.id),
        cell(text),
        row.priority if row.kind != "context" else "context",
        *(cell(", ".join(items)) for items in (row.features, row.criteria, row.operations, row.files, tests)),
        row.status,
    )
