"""What a gate tells the person who must decide, as Markdown in which untrusted text stays text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botarmy.measured import MEASURED
from botarmy.records import Criterion, GateRequest
from botarmy.render_parts import block, bullets, code, table
from botarmy.render_parts import number as exact
from botarmy.render_parts import text as escape


def document_key(slug: str, kind: str) -> str:
    """Return the key under which a project's document is published in Prefect: lower case, digits and dashes."""
    return f"{slug}-{kind}".lower().replace("_", "-").replace(" ", "-")


def description(gate: GateRequest, *, why_again: str = "") -> str:
    """Return the Markdown shown with the form: what was made, what speaks for and against it, what the decision binds.

    All text that a model or a person wrote is escaped. The dialog is narrow and the fields come below: what decides
    comes first, and nothing is said twice.
    """
    project = str(gate.payload.get("project", ""))
    parts = [
        f"**Asked again:** {escape(why_again)}" if why_again else "",
        f"{f'**{escape(project)}** · ' if project else ''}**{escape(gate.phase)}**, attempt {gate.attempt}",
        _optional(str(gate.payload.get("summary", ""))),
        _listed(gate.verdict.reasons),
        _titled("Open questions", _listed(gate.payload.get("open_questions", ()))),
        _criteria(gate.verdict.criteria),
        _evidence(gate.payload.get("evidence", ()), {each.name for each in gate.verdict.criteria}),
        _documents(gate, project),
    ]
    return "\n\n".join(part for part in parts if part)


def number(value: float | None) -> str:
    """Return a figure as a person reads it: three decimals at most."""
    return exact(None if value is None else round(value, 3))


def _optional(words: str) -> str:
    return escape(words) if words.strip() else ""


def _listed(items: Iterable[Any]) -> str:
    lines = [escape(str(item)) for item in items]
    return bullets(lines) if lines else ""


def _titled(title: str, body: str) -> str:
    return f"**{title}**\n\n{body}" if body else ""


def _criteria(criteria: tuple[Criterion, ...]) -> str:
    missed = [each for each in criteria if not each.met]
    rows = [(escape(each.name), number(each.wanted), number(each.got), escape(each.advice)) for each in missed]
    met = ", ".join(_met(each) for each in criteria if each.met)
    parts = [
        table(("missed", "wanted", "got", "what would raise it"), rows) if rows else "",
        f"Met: {met}" if met else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _met(criterion: Criterion) -> str:
    if criterion.got is None:  # a deterministic provider states no confidence, and none is wanted of it
        return f"{escape(criterion.name)} (does not count here)"
    return f"{escape(criterion.name)} {number(criterion.got)} (wanted {number(criterion.wanted)})"


def _evidence(found: Iterable[dict[str, Any]], judged: set[str]) -> str:
    """Show the executions; of the measures, which are no execution, those that no criterion named."""
    rows, also = [], []
    for each in found:
        figures = [(str(name), value) for name, value in each["figures"].items()]
        if each["check"] == MEASURED:
            also += [_figure(name, value) for name, value in figures if name not in judged]
            continue
        exit_code = "–" if each["exit_code"] is None else str(each["exit_code"])
        shown = ", ".join(_figure(name, value) for name, value in figures) or "–"
        rows.append((escape(str(each["check"])), escape(str(each["outcome"])), exit_code, shown))
    parts = [
        f"Also measured: {', '.join(also)}" if also else "",
        table(("check", "outcome", "exit", "figures"), rows) if rows else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _figure(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{escape(name)} {escape(str(value))}"
    return f"{escape(name)} {number(value)}"


def _documents(gate: GateRequest, project: str) -> str:
    if not gate.hashes:
        return ""
    known = {each["kind"]: each for each in gate.payload.get("documents", ())}
    lines = [_document(kind, sha256, known.get(kind), project) for kind, sha256 in gate.hashes.items()]
    return f"Your decision binds exactly these versions:\n\n{bullets(lines)}{_changes(known.values())}"


def _document(kind: str, sha256: str, found: dict[str, Any] | None, project: str) -> str:
    if found is None or not project:
        return f"{escape(kind)} {code(sha256[:12])}"
    # Relative to the run's page, so that it holds under any host name, port or tunnel, and in both of Prefect's UIs.
    link = f"[{escape(kind)}](../../artifacts/key/{document_key(project, kind)})"
    return f"{link} version {found['version']} {code(sha256[:12])}{_changed(found)}"


def _changed(found: dict[str, Any]) -> str:
    if found["version"] == 1:
        return ""
    change = found.get("change")
    if change is None:
        return f"; too long to compare here with version {found['version'] - 1}"
    if not change["added"] and not change["removed"]:
        return f"; reads the same as version {found['version'] - 1}"
    return f"; since version {found['version'] - 1}: {change['added']} lines added, {change['removed']} removed"


def _changes(documents: Iterable[dict[str, Any]]) -> str:
    quoted = [
        f"\n\n**Changed in {escape(each['kind'])}**\n\n{block(chr(10).join(each['change']['lines']), 'diff')}"
        for each in documents
        if each.get("change") and each["change"]["lines"]
    ]
    return "".join(quoted)
