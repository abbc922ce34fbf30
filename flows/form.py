"""The form of a gate, as Prefect's web interface draws it, and the text above it.

Only what JSON Schema can say stands in the form: a validator of our own would run after the resume and fail the flow.
What the form cannot check is checked when the answer is read, and asked again with the reason.
"""

from __future__ import annotations

from typing import Literal

from prefect.input import RunInput
from pydantic import Field

from botarmy.records import GateRequest
from botarmy.render_parts import text as escape


class GateForm(RunInput):
    """What a person answers at a gate. `decision` is never prefilled: an empty submit must not approve anything."""

    decision: Literal["approve", "reject"] = Field(
        title="Decision", description="approve: go on. reject: the phase is done again with your comment."
    )
    comment: str = Field(default="", title="Comment", description="Needed to reject: what must be different.")
    reviewer: str = Field(default="", title="Your name", description="Kept with the decision, as you claim it.")
    amended_artifact: str = Field(
        default="",
        title="Amend an artifact: its kind",
        description="Optional. The gate opens again for the new version.",
    )
    amended_content: str = Field(default="", title="Amended content", description="The whole artifact as JSON.")


def description(gate: GateRequest, *, why_again: str = "") -> str:
    """Return the Markdown shown with the form: summary, verdict, evidence, versions. Untrusted text is escaped."""
    lines = [f"**Why you are asked again:** {escape(why_again)}", ""] if why_again else []
    lines += [f"**{escape(gate.phase)}**, attempt {gate.attempt}: {gate.verdict.decision.value}", ""]
    if summary := str(gate.payload.get("summary", "")):
        lines += [escape(summary), ""]
    lines += [f"- {escape(reason)}" for reason in gate.verdict.reasons]
    lines += _criteria(gate) + _evidence(gate) + _versions(gate)
    return "\n".join(lines)


def _criteria(gate: GateRequest) -> list[str]:
    missed = [each for each in gate.verdict.criteria if not each.met]
    if not missed:
        return []
    rows = [
        f"| {escape(each.name)} | {each.wanted:g} | {'unknown' if each.got is None else f'{each.got:g}'} "
        f"| {escape(each.advice)} |"
        for each in missed
    ]
    return ["", "| missed criterion | wanted | got | what would raise it |", "|---|---|---|---|", *rows]


def _evidence(gate: GateRequest) -> list[str]:
    found = gate.payload.get("evidence", [])
    if not found:
        return []
    rows = [
        f"| {escape(str(each['check']))} | {escape(str(each['outcome']))} | {each['exit_code']} "
        f"| {escape(', '.join(f'{name} {value}' for name, value in each['figures'].items()))} |"
        for each in found
    ]
    return ["", "| check | outcome | exit code | figures |", "|---|---|---|---|", *rows]


def _versions(gate: GateRequest) -> list[str]:
    rows = [f"- {escape(kind)} `{sha256[:12]}`" for kind, sha256 in gate.hashes.items()]
    return ["", "The decision binds exactly these versions:", "", *rows] if rows else []
