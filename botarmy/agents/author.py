"""The author: writes, updates and reviews the documents of workflows that people bring.

It serves every phase that has no agent function of its own: compiled BMAD steps (their template carries a document task)
and phases of custom agents, whose outputs it asks for one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import Document, DocumentDraft, schema_of
from botarmy.brief import sentences, title
from botarmy.checks import Check
from botarmy.completion import Ask, Completion, CompletionRequest
from botarmy.definitions.documents import assemble, checklist_met, epics, sections_filled, shards, shards_lacking
from botarmy.definitions.models import DocumentTask, Template
from botarmy.definitions.purposes import DERIVED, PURPOSE_INPUTS
from botarmy.errors import DefinitionError, InvalidOutput
from botarmy.records import Measure, Record

T = TypeVar("T", bound=Record)


async def author(work: PhaseWork, ask: Ask, _check: Check) -> PhaseResult:
    """Produce every expected output of a phase.

    Raises:
        DefinitionError: an output can only be derived from evidence, which this agent has none of.
        ProviderError: a model gave no usable answer.
    """
    task = work.template.document if isinstance(work.template, Template) else None
    if task is None:
        return await _plain(work, ask)
    if task.mode == "shard":
        return _sharded(work, task)
    kept = _unchanged(work, task)
    if kept is not None:
        return kept
    return await _Writing(work, task, ask).all()


def _unchanged(work: PhaseWork, task: DocumentTask) -> PhaseResult | None:
    """Return the documents as they are when a step mends findings and no review has any."""
    if not task.if_issues or _findings(work.artifacts):
        return None
    kinds = work.phase.expected_outputs
    if not all(kind in work.artifacts for kind in kinds):
        return None
    kept = {kind: work.artifacts[kind] for kind in kinds}
    filled = [_named(sections_filled(Document.model_validate(one), task), kind) for kind, one in kept.items()]
    measure = _joined("sections_filled", filled)
    return PhaseResult(artifacts=kept, measures=(measure,), summary="No review left a finding; nothing was changed.")


def _sharded(work: PhaseWork, task: DocumentTask) -> PhaseResult:
    """Split the documents without a model; what is measured is that nothing was lost."""
    documents = {kind: work.artifacts[kind] for kind in task.inputs if kind in work.artifacts}
    made = shards(documents)
    lost = shards_lacking(documents, made)
    value = 1 - len(lost) / len(documents) if documents else 0.0
    measure = Measure(
        name="sections_filled", value=value, reasons=tuple(f"{kind}: its parts lost text" for kind in lost)
    )
    (kind,) = work.phase.expected_outputs
    return PhaseResult(
        artifacts={kind: made.model_dump(mode="json")},
        measures=(measure,),
        summary=f"Split {len(documents)} documents into {len(made.files)} files.",
    )


def _findings(artifacts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    answers = [one for document in artifacts.values() for one in document.get("answers") or ()]
    return [str(one["item"]) for one in answers if one.get("met") == "no"]


class _Writing:
    """The requests of one attempt and what came of them."""

    def __init__(self, work: PhaseWork, task: DocumentTask, ask: Ask) -> None:
        self.work = work
        self.task = task
        self.ask = ask
        self.measures: list[Measure] = []
        self.confidences: list[float | None] = []

    async def all(self) -> PhaseResult:
        """Write every output."""
        made = {kind: await self.document(kind) for kind in self.work.phase.expected_outputs}
        measures = [_joined("sections_filled", [one for one in self.measures if one.name == "sections_filled"])]
        measures += [one for one in self.measures if one.name != "sections_filled"]
        unmet = [one for measure in measures if measure.name == "checklist_met" for one in measure.reasons]
        questions = [question for document in made.values() for question in document.open_questions]
        return PhaseResult(
            artifacts={kind: document.model_dump(mode="json") for kind, document in made.items()},
            measures=tuple(measures),
            confidence=None
            if None in self.confidences
            else min((c for c in self.confidences if c is not None), default=None),
            summary=" ".join(document.summary or f"Wrote {document.title}." for document in made.values()),
            open_questions=tuple(dict.fromkeys([*questions, *unmet])),
        )

    async def document(self, kind: str) -> Document:
        """Write one document, part by part where the step is repeated."""
        drafts: dict[str, DocumentDraft] = {}
        parts = epics(self.work.artifacts.values()) if self.task.repeats else ()
        for part in parts or ("",):
            drafts[part] = await self.draft(kind, part)
        existing = self.work.artifacts.get(kind)
        if self.task.mode == "update" and existing is not None and not any(one.changed for one in drafts.values()):
            kept = Document.model_validate(existing)
            self.measures.append(sections_filled(kept, self.task))
            return kept
        self.measures += [_named(sections_filled(one, self.task), part or kind) for part, one in drafts.items()]
        document = assemble(drafts, self.task)
        if self.task.mode == "review":
            self.measures.append(checklist_met(document, self.task))
        return document

    async def draft(self, kind: str, part: str) -> DocumentDraft:
        """Ask for one draft."""
        inputs: dict[str, Any] = {"brief": self.work.brief, "project_name": title(self.work.brief)}
        inputs |= {name: self.work.artifacts[name] for name in self.task.inputs if name in self.work.artifacts}
        inputs |= {"part": part} if part else {}
        inputs["feedback"] = list(self.work.feedback)
        completion = await self.ask(_request(self.work, kind, inputs, DocumentDraft))
        self.confidences.append(completion.confidence)
        return _valid(completion, kind, DocumentDraft)


def _named(measure: Measure, part: str) -> Measure:
    return measure.model_copy(update={"reasons": tuple(f"{part}: {reason}" for reason in measure.reasons)})


def _joined(name: str, measures: list[Measure]) -> Measure:
    """Return the mean of several measures of one name with all their reasons."""
    values = [one.value for one in measures if one.value is not None]
    reasons = tuple(reason for one in measures for reason in one.reasons)
    return Measure(name=name, value=sum(values) / len(values) if values else None, reasons=reasons)


def _request(work: PhaseWork, purpose: str, inputs: dict[str, Any], schema: type[Record]) -> CompletionRequest:
    return CompletionRequest(
        role=work.phase.agent,
        purpose=purpose,
        inputs=inputs,
        messages=work.template.render(purpose, inputs),
        output_schema=schema.model_json_schema(),
        max_output_tokens=work.max_output_tokens,
    )


def _valid(completion: Completion, purpose: str, schema: type[T]) -> T:
    try:
        return schema.model_validate(completion.parsed)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidOutput(
            f"The answer for {purpose} does not fit its schema: {where}: {first['msg']}.",
            hint="Run again; if it happens again, use a model that keeps to JSON schemas.",
        ) from error


# -- phases of custom agents


async def _plain(work: PhaseWork, ask: Ask) -> PhaseResult:
    """Ask for each expected output by its own prompt."""
    artifacts = dict(work.artifacts)
    confidences: list[float | None] = []
    for kind in work.phase.expected_outputs:
        if kind in DERIVED:
            raise DefinitionError(
                f'Phase "{work.phase.name}" gives {kind} to the agent "{work.phase.agent}", but it is derived from evidence.',
                hint="Let the tester or the deployer make it.",
            )
        inputs: dict[str, Any] = {"brief": work.brief, "sentences": [one.model_dump() for one in sentences(work.brief)]}
        inputs |= {name: artifacts[name] for name in PURPOSE_INPUTS[kind] if name in artifacts}
        inputs["feedback"] = list(work.feedback)
        completion = await ask(_request(work, kind, inputs, schema_of(kind)))
        confidences.append(completion.confidence)
        artifacts[kind] = _valid(completion, kind, schema_of(kind)).model_dump(mode="json")
    return PhaseResult(
        artifacts={kind: artifacts[kind] for kind in work.phase.expected_outputs},
        confidence=None if None in confidences else min((c for c in confidences if c is not None), default=None),
        summary=f"Wrote {', '.join(work.phase.expected_outputs)}.",
    )
