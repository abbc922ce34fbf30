"""A person amends an artifact: a new version; its checks run again; the gate opens again. Amending is not approving."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from botarmy.agents.choosing import agent_of
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import Document, DocumentDraft, schema_of
from botarmy.completion import Ask, Completion, CompletionRequest, Usage
from botarmy.definitions.documents import assemble
from botarmy.definitions.models import DocumentTask
from botarmy.definitions.purposes import DERIVED
from botarmy.errors import InputError, InvalidOutput, UnsafePath
from botarmy.gates import evaluate_gate
from botarmy.records import Decision, GateRequest, LLMCall, Phase, Provenance, Status
from botarmy.render import render_markdown
from tasks.phase import calls_of, phase_of, save_evidence, upstream_kinds
from tasks.runtime import Runtime

_REASONS = 5  # shown of those for which an amendment is refused


async def amend(runtime: Runtime, gate: GateRequest, kind: str, text: str, *, by: str) -> GateRequest:
    """Store the amended artifact, check the phase again and void the gate, so that it opens anew.

    Args:
        runtime: the wiring; its check runs the phase's checks again.
        gate: the open gate.
        kind: which artifact of the gate's phase.
        text: the whole artifact as JSON.
        by: who amends, as claimed.

    Returns:
        The voided gate.

    Raises:
        InputError: no such artifact at this gate, a derived one, content that is the present one, does not fit its
            schema or does not pass the phase's gate; nothing was stored.
        Duplicate: the gate was decided while the amendment was checked; nothing was stored.
        Stale: another version counts by now, or the gate is void; nothing was stored.
    """
    content = amended_content(gate, kind, text)
    async with runtime.database.work() as work:
        project = await work.projects.get(str(gate.project_id))
        attempt = await work.attempts.get(gate.attempt_id)
        heads = await work.artifacts.heads(project.id)
        calls = await calls_of(work, project, attempt)
    workflow = runtime.core.workflow(project.workflow)
    phase = phase_of(workflow, gate.phase)
    contents = {name: head.content for name, head in heads.items()} | {kind: content}
    inputs = set(upstream_kinds(workflow, phase))
    template = runtime.core.template(phase.template, phase.agent)
    if template.document is not None:
        content = amended_document(content, heads[kind].content, template.document)
    if content == heads[kind].content:
        raise InputError(f"The amended {kind} is what its present version says: there is nothing to store.", hint=_FROM)
    phase_work = PhaseWork(
        phase=phase,
        brief=project.brief,
        artifacts={name: value for name, value in contents.items() if name in inputs},
        feedback=attempt.feedback,
        template=template,
    )
    try:
        result = await agent_of(phase, template)(phase_work, answer_from(contents, calls), runtime.check)
    except (InvalidOutput, UnsafePath) as error:
        raise InputError(f"The amended {kind} cannot be checked: {error.message}", hint=error.hint) from error
    see_passes(kind, phase, result, deterministic=attempt.result is not None and attempt.result.deterministic)
    async with runtime.commit("gate.amended", gate.phase) as work:
        await work.gates.see_amendable(gate.id, {name: head.sha256 for name, head in heads.items()})
        old = heads[kind]
        for name in phase.expected_outputs:
            if result.artifacts[name] != heads[name].content:
                provenance = _by_person(old.provenance, by) if name == kind else heads[name].provenance
                await work.artifacts.save(
                    project.id,
                    name,
                    result.artifacts[name],
                    render_markdown(name, result.artifacts[name]),
                    provenance,
                    links=(heads[name].sha256,),
                )
        await save_evidence(runtime, work, phase, attempt, result, asked=bool(calls))
        voided = await work.gates.cancel(gate.id, f"{kind} was amended", by=by)
        await work.audit.add(project.id, by, "artifact amended", f"{project.slug}/{gate.phase}/{kind}")
    return voided


def amended_content(gate: GateRequest, kind: str, text: str) -> dict[str, Any]:
    """Check an amended artifact against the gate and its schema.

    Raises:
        InputError: says what does not fit and where.
    """
    if gate.status is not Status.waiting and gate.decision is not None:
        raise InputError(f"The gate of {gate.phase} was decided by {gate.decided_by}: there is nothing left to amend.")
    if kind not in gate.hashes or kind in DERIVED:
        names = ", ".join(name for name in gate.hashes if name not in DERIVED)
        why = "is derived from evidence" if kind in DERIVED else "is not at this gate"
        raise InputError(f"The artifact {kind!r} {why}.", hint=f"What can be amended here: {names or 'nothing'}.")
    try:
        return schema_of(kind).model_validate(_unwrapped(json.loads(text), kind)).model_dump(mode="json")
    except json.JSONDecodeError as error:
        raise InputError(
            f"The amended {kind} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.", hint=_FROM
        ) from None
    except ValidationError as error:
        first = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()[:3]]
        words = "; ".join(first).replace("a valid tuple", "a list").replace("a valid dictionary", "an object")
        raise InputError(f"The amended {kind} does not fit its schema: {words}.", hint=_FROM) from None


_FROM = 'Take the present version with `botarmy artifact PROJECT KIND --json` and change what stands under "content".'


def _unwrapped(given: Any, kind: str) -> Any:
    """Return the content, also where the whole output of `botarmy artifact --json` was given."""
    whole = isinstance(given, dict) and isinstance(given.get("content"), dict) and given.get("kind") == kind
    return given["content"] if whole and "sha256" in given else given


def amended_document(content: dict[str, Any], present: dict[str, Any], task: DocumentTask) -> dict[str, Any]:
    """Return an amended document whose Markdown is that of its sections, as the author's is.

    Raises:
        InputError: the document is made from others, has parts, or its Markdown was changed and not its sections.
    """
    if task.mode == "shard" or present["parts"] or content["parts"]:
        made = "is split from other documents: amend those" if task.mode == "shard" else "has a part for each epic"
        raise InputError(f"This document cannot be amended: it {made}.", hint="Reject the gate with a comment instead.")
    document = assemble({"": DocumentDraft.model_validate(draft_of(content))}, task)
    if content["markdown"] not in {present["markdown"], document.markdown}:
        raise InputError(
            'The document\'s "markdown" was changed: it is put together from its "sections", which are what is checked.',
            hint="Change the sections; what the markdown says does not matter then, as long as it is not changed.",
        )
    return document.model_dump(mode="json")


def see_passes(kind: str, phase: Phase, result: PhaseResult, *, deterministic: bool) -> None:
    """Refuse an amendment that the gate would reject: the next attempt would put the agent's version in its place.

    Raises:
        InputError: says which criteria it does not meet.
    """
    verdict = evaluate_gate(
        phase.gate,
        result.measures,
        result.evidence,
        result.confidence,
        checks=phase.checks,
        deterministic=deterministic,
        open_questions=result.open_questions,
    )
    if verdict.decision is Decision.reject:
        why = "; ".join(verdict.reasons[:_REASONS])
        raise InputError(
            f"With the amended {kind} the gate of {phase.name} is not met: {why}.",
            hint="Nothing was stored and the gate is open still. Mend it and amend again.",
        )


def draft_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return what an author would have answered to write this document."""
    return {name: document[name] for name in DocumentDraft.model_fields if name in document}


def answer_from(contents: dict[str, dict[str, Any]], calls: tuple[LLMCall, ...]) -> Ask:
    """Return an `ask` that no model answers: present versions for artifacts, the attempt's own calls for drafts."""

    async def ask(request: CompletionRequest) -> Completion:
        parsed = contents.get(request.purpose)
        if parsed is None:
            drafts = [call for call in calls if call.purpose == request.purpose and call.outcome == "completed"]
            if not drafts:
                raise InputError(
                    f"There is no stored {request.purpose} to check the amended artifact with.",
                    hint="Reject the gate with a comment instead: the phase is then done again.",
                )
            parsed = json.loads(drafts[-1].text)
        elif schema_of(request.purpose) is Document:
            parsed = draft_of(parsed)
        return Completion(
            text=json.dumps(parsed), parsed=parsed, stop_reason="end", usage=Usage(), provider="stored", model="none"
        )

    return ask


def _by_person(provenance: Provenance, by: str) -> Provenance:
    """Return the provenance of an amended version: the person, no model."""
    return provenance.model_copy(
        update={"agent": f"person:{by}", "provider": "person", "model": "none", "call_ids": ()}
    )
