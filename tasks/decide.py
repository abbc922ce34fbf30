"""A person's answer to a gate: checked, then written; whoever was first wins, the others are told who it was."""

from __future__ import annotations

from botarmy.person import person_name
from botarmy.progress import Progress
from botarmy.records import GateRequest, Record
from tasks.amend import amend
from tasks.runtime import Runtime


class Answer(Record):
    """What a person said.

    Attributes:
        decision: "approve" or "reject"; not looked at when an artifact is amended: amending is not approving.
        by: the person's name as claimed.
        amended_kind: artifact kind to amend, or "".
        amended_content: the whole artifact as JSON text.
    """

    decision: str
    comment: str = ""
    by: str
    amended_kind: str = ""
    amended_content: str = ""


async def newest(runtime: Runtime, gate: GateRequest) -> GateRequest:
    """Return the gate as it stands in the table now."""
    async with runtime.database.work() as work:
        return await work.gates.get(gate.id)


async def decide(runtime: Runtime, gate: GateRequest, answer: Answer) -> GateRequest:
    """Write the decision, bound to the versions that were shown.

    Raises:
        InputError: the answer cannot be used (a name that is no person's, no comment with a rejection, amended content
            that does not fit).
        Duplicate: somebody decided before; the message names who.
        Stale: the artifacts are not those that were shown; the gate is void and opens again.
    """
    by = person_name(answer.by)
    if answer.amended_kind:
        return await amend(runtime, gate, answer.amended_kind, answer.amended_content, by=by)
    async with runtime.commit("gate.written", gate.phase) as work:
        decided = await work.gates.decide(gate.id, answer.decision, by, answer.comment, gate.hashes, resume=False)
    text = f"{answer.decision} by {by}"
    runtime.report(Progress(phase=gate.phase, attempt=gate.attempt, step="decided", text=text))
    return decided
