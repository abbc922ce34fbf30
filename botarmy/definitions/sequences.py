"""BMAD workflows: a `sequence:` of steps.

Real files name pseudo agents ("various", "analyst/pm"), annotate names ("prd.md (if needed)") and require what no step
makes ("all_artifacts_in_project"). Those are no mistakes: what nothing here defines comes from outside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from botarmy.definitions.diagnostics import Problems, Severity
from botarmy.definitions.fields import Fields, kind_of
from botarmy.definitions.models import Place, Route, Step, StepSequence
from botarmy.definitions.near import near_match
from botarmy.definitions.source import Source
from botarmy.definitions.templates import stem_of
from botarmy.definitions.tree import Mapping, Node, Scalar

ANYBODY = frozenset({"various", "any", "all", "user", "human"})
"""Agents that stand for whoever is concerned."""

EVERYTHING = re.compile(r"(all|any)[_-]\w+", re.IGNORECASE)
"""Requirements and targets that stand for whatever there is: all_artifacts, any_flagged_documents."""

NOTE = re.compile(r"\s*\([^)]*\)\s*\Z")
WORK = ("creates", "updates", "validates", "action", "routes", "uses", "repeats")


@dataclass
class StepDraft:
    """A step and where its references stand."""

    step: Step
    node: Mapping
    agent: Scalar | None
    requires: list[Scalar]
    uses: list[Scalar]


@dataclass
class SequenceDraft:
    """A BMAD workflow and where its references stand."""

    source: Source
    sequence: StepSequence
    steps: list[StepDraft]


def agents_of(name: str) -> tuple[str, ...]:
    """Return the agents that a step names: "analyst/pm" are two, "various" is nobody in particular."""
    names = tuple(one.strip() for one in name.split("/") if one.strip())
    return tuple(one for one in names if one.casefold() not in ANYBODY)


def document_name(written: str) -> str:
    """Return the name of a document without its note: "prd.md (if needed)" is prd.md; free English is ""."""
    name = NOTE.sub("", written).strip()
    return "" if " " in name or not name else name


def is_everything(name: str) -> bool:
    """Say whether a name stands for all documents there are."""
    return bool(EVERYTHING.fullmatch(document_name(name)))


def read_sequence(fields: Fields, problems: Problems) -> SequenceDraft | None:
    """Read a workflow with a `sequence:`."""
    head = fields.fields("workflow", required=True)
    if head is None:
        return None
    identifier = head.name("id", required=True)
    title = head.text("name")
    description, kind = head.text("description"), head.text("type")
    project_types = tuple(one.text for one in head.scalars("project_types", single=True))
    steps = _steps(head, problems)
    guidance = head.fields("decision_guidance")
    when = tuple(one.text for one in guidance.scalars("when_to_use", single=True)) if guidance else ()
    prompts = {key.text: node.text for key, node in head.pairs("handoff_prompts") if isinstance(node, Scalar)}
    head.text("flow_diagram")
    extra = head.finish() | fields.finish()
    if not steps:
        return None
    sequence = StepSequence(
        name=identifier.text if identifier else stem_of(fields.source.file),
        title=title,
        description=description.strip(),
        type=kind,
        project_types=project_types,
        steps=tuple(one.step for one in steps),
        when_to_use=when,
        handoff_prompts=prompts,
        sha256=fields.source.sha256,
        file=fields.source.file,
        extra=extra,
    )
    draft = SequenceDraft(fields.source, sequence, steps)
    _check_inputs(draft, problems)
    return draft


def _steps(head: Fields, problems: Problems) -> list[StepDraft]:
    found: list[StepDraft] = []
    nodes = head.nodes("sequence", required=True)
    if head.has("sequence") and not nodes and not isinstance(head.node.get("sequence"), Scalar | Mapping):
        problems.add("no-phases", head.source, head.position("sequence"), "The sequence has no step.")
    for number, node in enumerate(nodes, 1):
        if isinstance(node, Mapping):
            found.append(_step(Fields(node, head.source, problems, f"step {number}"), number))
        else:
            head.problem("wrong-type", node, f"Step {number} is {kind_of(node)}; it must be a mapping.")
    return found


def _step(fields: Fields, number: int) -> StepDraft:
    name, agent = fields.scalar("step"), fields.scalar("agent")
    if name is not None:
        fields.where = f'step "{name.text[:60]}"'
    if name is None and agent is None:
        _nobody(fields)
    requires, uses = fields.scalars("requires", single=True), fields.scalar("uses")
    routes, routed = _routes(fields)
    step = Step(
        number=number,
        name=name.text if name else "",
        agent=agent.text if agent else "",
        action=fields.text("action"),
        creates=fields.text("creates"),
        updates=fields.text("updates"),
        validates=fields.text("validates"),
        requires=tuple(one.text for one in requires),
        uses=uses.text if uses else "",
        condition=fields.text("condition"),
        optional=fields.flag("optional"),
        repeats=fields.text("repeats"),
        optional_steps=tuple(one.text for one in fields.scalars("optional_steps", single=True)),
        routes=routes,
        notes=fields.text("notes"),
        place=Place(file=fields.source.file, line=fields.position().line),
    )
    if not any(fields.node.get(key) for key in WORK) and not step.notes:
        fields.problem("missing-key", fields.node, f"{fields.where} says nothing of what is done.")
    extra = fields.finish()
    found = StepDraft(step.model_copy(update={"extra": extra}), fields.node, agent, requires, routed)
    if uses is not None:
        found.uses.append(uses)
    return found


def _nobody(fields: Fields) -> None:
    near = next((key for key in fields.node.pairs if near_match(key, ("agent", "step"))), None)
    hint = f'Did you mean "{near_match(near, ("agent", "step"))}" by "{near}"?' if near else ""
    fields.problem("missing-key", fields.node, f"{fields.where} has neither an agent nor a step's name.", hint)


def _routes(fields: Fields) -> tuple[tuple[Route, ...], list[Scalar]]:
    routes: list[Route] = []
    uses: list[Scalar] = []
    for key, node in fields.pairs("routes"):
        if not isinstance(node, Mapping):
            fields.problem("wrong-type", node, f'The route "{key.text}" is {kind_of(node)}; it must be a mapping.')
            continue
        one = Fields(node, fields.source, fields.problems, f'route "{key.text}"')
        used = one.scalar("uses")
        uses += [used] if used is not None else []
        routes.append(
            Route(
                name=key.text,
                agent=one.text("agent"),
                uses=used.text if used else "",
                goes_on=one.text("continue"),
                notes=one.text("notes"),
            )
        )
        one.finish()
    return tuple(routes), uses


def _check_inputs(draft: SequenceDraft, problems: Problems) -> None:
    """Report what a step needs before it is made, and what sounds like something that is made under another name."""
    made = [document_name(one.creates) for one in draft.sequence.steps]
    for number, one in enumerate(draft.steps):
        before = {name for name in made[:number] if name} | {document_name(one.step.creates)}
        for required in one.requires:
            name = document_name(required.text)
            if not name or is_everything(name) or name in before:
                continue
            if name in made:
                message = f'"{name}" is made by a later step only.'
                where = draft.source.at(required.line, required.column)
                problems.add("unreachable-phase", draft.source, where, message, severity=Severity.warning)
            else:
                _report_outside(draft.source, required, name, before, problems)


def _report_outside(source: Source, node: Scalar, name: str, before: set[str], problems: Problems) -> None:
    near = near_match(name, before - {""})
    hint = f'Did you mean "{near}"?' if near else ""
    where = source.at(node.line, node.column)
    problems.add("external-input", source, where, f'No step makes "{name}"; it must come from outside.', hint=hint)


def is_sequence(root: Node | None) -> bool:
    """Say whether a workflow file is of this dialect."""
    head = root.get("workflow") if isinstance(root, Mapping) else None
    phases = isinstance(root, Mapping) and "phases" in root.pairs
    if isinstance(head, Mapping):
        return not phases and "phases" not in head.pairs
    return not phases
