"""BMAD sequences to workflows of phases, so that they run through the same flow as all others.

Each step that makes, updates or reviews a document becomes a phase of the agent that it names. Its prompts are the
`document-template` of the layers, bound to what the step, its template, task and checklist say. Steps that only guide
people are told as skipped, as are optional and conditional ones that nobody switched on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botarmy.artifacts import KINDS, schema_of
from botarmy.definitions.documents import outline
from botarmy.definitions.library import Library
from botarmy.definitions.models import (
    Checklist,
    DocumentTask,
    Instruction,
    Place,
    Section,
    Step,
    StepSequence,
    Template,
)
from botarmy.definitions.roles import RoleDraft, system_text
from botarmy.definitions.sequences import agents_of, document_name, is_everything
from botarmy.definitions.templates import stem_of
from botarmy.errors import DefinitionError
from botarmy.records import Approval, GateRule, Phase, Record, Workflow, digest

BASE = "document-template"
MENTIONED = re.compile(r"\b([a-z][a-z0-9]*(?:-[a-z0-9]+)*-(?:tmpl|template))\b")
ISSUES = re.compile(r"issues|problems|findings|unchecked|feedback", re.IGNORECASE)
WISH = re.compile(r"^(user|team|stakeholder)_", re.IGNORECASE)
MOST_INSTRUCTIONS = 20_000
"""Characters of a task's text that go into a prompt."""

Mode = Literal["create", "update", "review", "shard"]


class Skipped(Record):
    """A step that becomes no phase, and why."""

    step: str
    agents: tuple[str, ...] = ()
    place: Place
    reason: str


class Compiled(Record):
    """A sequence as phases, with the bound templates of each and what was left out."""

    workflow: Workflow
    templates: dict[str, Template]
    places: dict[str, Place]
    skipped: tuple[Skipped, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass
class _Made:
    """What the phases so far make: kind -> the phase that made it last; and the kinds in the order they came."""

    by_kind: dict[str, str] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    templates: dict[str, Template] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    written_by: dict[str, Template | None] = field(default_factory=dict)  # kind -> its document template
    skipped: list[Skipped] = field(default_factory=list)


def kind_of_document(written: str, fallback: str = "") -> str:
    """Return the artifact kind of a document: its file's stem in kebab-case; for free English, of the fallback."""
    name = stem_of(document_name(written)) if document_name(written) else fallback
    kind = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    return f"{kind}-document" if kind in KINDS else kind


def compile_sequence(sequence: StepSequence, library: Library, flags: Mapping[str, bool] | None = None) -> Compiled:
    """Compile a BMAD workflow.

    Args:
        sequence: the workflow.
        library: where its templates, agents, tasks and checklists are found.
        flags: conditions and routes that were decided: name -> whether it holds.

    Raises:
        DefinitionError: no step makes a document, or the layers lack the document template.
    """
    base = library.template(BASE)
    made = _Made()
    flags = flags or {}
    for step in _routed(sequence, flags, made):
        reason = _left_out(step, flags, made)
        if reason:
            made.skipped.append(_skip(step, reason))
            continue
        for one in _each_document(step, made):
            _Builder(sequence, one, library, base, made, decided=bool(_decided(step, flags))).build()
    if not made.phases:
        raise DefinitionError(
            f'{sequence.file}: workflow "{sequence.name}" has no step that makes a document.',
            hint="A step makes one with `agent:` and `creates:`.",
        )
    workflow = Workflow(
        name=sequence.name,
        version=str(sequence.extra.get("version", "")),
        description=sequence.title or sequence.description,
        phases=tuple(made.phases),
        sha256=digest([sequence.sha256, *(one.sha256 for one in made.templates.values()), dict(flags)]),
    )
    conditions = tuple(dict.fromkeys(one.condition for one in sequence.steps if one.condition))
    return Compiled(
        workflow=workflow,
        templates=made.templates,
        places=made.places,
        skipped=tuple(made.skipped),
        conditions=conditions,
    )


def _each_document(step: Step, made: _Made) -> list[Step]:
    """Split a step that updates whatever was flagged: each document goes back to the agent that wrote it."""
    if not is_everything(step.updates):
        return [step]
    makers = {kind: one.agent for one in reversed(made.phases) for kind in one.expected_outputs}
    kinds = [kind for kind in made.by_kind if not kind.endswith("-review")]
    return [
        step.model_copy(update={"updates": kind, "requires": tuple(kinds), "agent": makers[kind]}) for kind in kinds
    ]


def _label(step: Step) -> str:
    what = step.name or step.action or step.creates or step.updates or step.validates
    return f"{step.number}. {step.agent + ': ' if step.agent else ''}{what}"


def _routed(sequence: StepSequence, flags: Mapping[str, bool], made: _Made) -> list[Step]:
    """Replace a routing step by the route that was switched on; without one, the workflow goes on."""
    steps: list[Step] = []
    for step in sequence.steps:
        if not step.routes:
            steps.append(step)
            continue
        chosen = [route for route in step.routes if flags.get(route.name)]
        names = ", ".join(route.name for route in step.routes)
        for route in chosen:
            if route.agent:
                update = {"routes": (), "agent": route.agent, "uses": route.uses, "condition": "", "notes": route.notes}
                steps.append(
                    step.model_copy(update={**update, "name": route.name, "action": step.action or route.uses})
                )
            if not route.goes_on:
                return steps  # the route ends the workflow after its step
        if not chosen:
            reason = f"no route was chosen ({names}); the workflow goes on with the next step"
            made.skipped.append(_skip(step, reason))
    return steps


def _decided(step: Step, flags: Mapping[str, bool]) -> bool | None:
    """Return what was decided of a step: by its condition, its action or its name; None when nothing was."""
    for name in (step.condition, step.action, step.name):
        if name and name in flags:
            return flags[name]
    return None


def _left_out(step: Step, flags: Mapping[str, bool], made: _Made) -> str:
    """Return why a step becomes no phase, or ""."""
    decided = _decided(step, flags)
    if not step.agent:
        return "it guides people and has no agent"
    if decided is not None:
        return "" if decided else f"{step.condition or step.action or step.name} does not hold"
    switch = step.condition or step.action or step.name
    if _is_optional(step):
        return f"it is optional; switch it on by {switch}" if switch else "it is optional"
    if WISH.match(step.condition):
        return f"nobody wished it; switch it on by {switch}"
    if is_everything(step.updates) and not made.by_kind:
        return "there is no document yet that it could update"
    return _without_reviewer(step, made)


def _without_reviewer(step: Step, made: _Made) -> str:
    """A step that mends what an agent found ("qa_left_unchecked_items") has nothing to do when that agent was left out."""
    if not ISSUES.search(step.condition):
        return ""
    words = set(re.split(r"[^a-z0-9]+", step.condition.casefold()))
    left_out = {agent for one in made.skipped for agent in one.agents}
    working = {agent for one in made.phases for agent in agents_of(one.agent)}
    missing = sorted((words & left_out) - working)
    return f"the step of {missing[0]}, whose findings it mends, was left out" if missing else ""


def _is_optional(step: Step) -> bool:
    return step.optional or "(optional" in step.creates.casefold()


def _skip(step: Step, reason: str) -> Skipped:
    return Skipped(step=_label(step), agents=agents_of(step.agent), place=step.place, reason=reason)


class _Builder:
    """Builds the phase and the bound template of one step."""

    def __init__(
        self, sequence: StepSequence, step: Step, library: Library, base: Template, made: _Made, *, decided: bool
    ) -> None:
        self.sequence = sequence
        self.step = step
        self.library = library
        self.base = base
        self.made = made
        self.decided = decided
        self.role = self._role()

    def build(self) -> None:
        """Add the phase."""
        mode = self._mode()
        kind = self._kind(mode)
        found = self._template(kind) if mode in {"create", "update"} else None
        checklist = self._checklist() if mode == "review" else None
        task = self._task(mode, kind, found, checklist)
        name = self._phase_name(mode, kind)
        stem = f"{self.sequence.name}/{name}"
        gate = self._gate(mode, found)
        needed = [self.made.by_kind[one] for one in (*task.inputs, kind) if one in self.made.by_kind]
        order = [one.name for one in self.made.phases]
        phase = Phase(
            name=name,
            agent=self.step.agent,
            template=stem,
            dependencies=tuple(sorted(set(needed), key=order.index)),
            expected_outputs=(kind,),
            gate=gate,
        )
        self.made.templates[stem] = self._bind(stem, mode, kind, task, found, checklist)
        self.made.phases.append(phase)
        self.made.places[name] = self.step.place
        self.made.by_kind[kind] = name
        self.made.written_by.setdefault(kind, found)

    # -- what the step does

    def _mode(self) -> Mode:
        if self.step.validates:
            return "review"
        if self.step.updates:
            return "update"
        sharding = "shard" in (self.step.action or "").casefold() or "shard" in self.step.creates.casefold()
        return "shard" if sharding and self.made.by_kind else "create"

    def _kind(self, mode: Mode) -> str:
        step = self.step
        if mode == "review":
            return kind_of_document(step.uses or step.validates) + "-review"
        return kind_of_document(step.creates or step.updates, step.name or step.action or step.agent)

    def _phase_name(self, mode: Mode, kind: str) -> str:
        base = f"{kind}-update" if mode == "update" else kind
        taken = {one.name for one in self.made.phases}
        number = next(n for n in range(1, len(taken) + 2) if (base if n == 1 else f"{base}-{n}") not in taken)
        return base if number == 1 else f"{base}-{number}"

    def _inputs(self, mode: Mode, kind: str) -> tuple[str, ...]:
        known = list(self.made.by_kind)
        names = [*self.step.requires, self.step.validates]
        if mode in {"review", "shard"} or any(is_everything(one) for one in names if one):
            return tuple(one for one in known if not one.endswith("-review"))
        wanted = [kind_of_document(one) for one in self.step.requires if document_name(one)]
        reviews = [one for one in known if one.endswith("-review")] if self._if_issues() else []
        return tuple(dict.fromkeys(one for one in (*wanted, kind, *reviews) if one in known))

    def _if_issues(self) -> bool:
        return bool(self.step.condition and ISSUES.search(self.step.condition)) and not self.decided

    def _task(self, mode: Mode, kind: str, found: Template | None, checklist: Checklist | None) -> DocumentTask:
        pairs = [pair for section in found.sections for pair in section.walk()] if found else []
        required = _required(found.sections) if found else []
        return DocumentTask(
            mode=mode,
            inputs=self._inputs(mode, kind),
            title=found.output.title if found else "",
            sections={one.id: one.title for one in required},
            levels={one.id: depth for depth, one in pairs},
            tables={one.id: one.columns for _, one in pairs if one.type == "table" and one.columns},
            repeats=self.step.repeats,
            condition="" if self.decided else self.step.condition,
            if_issues=mode == "update" and self._if_issues(),
            checklist=tuple(one.text for one in checklist.items) if checklist else (),
        )

    def _gate(self, mode: Mode, found: Template | None) -> GateRule:
        """A template that elicits wants a person; every document is measured."""
        elicits = (
            found is not None and found.interactive and any(one.elicit for s in found.sections for _, one in s.walk())
        )
        approval = Approval.always if elicits and mode == "create" else Approval.when_needed
        return GateRule(approval=approval, measures={"sections_filled": 1.0})

    # -- what it uses

    def _role(self) -> RoleDraft | None:
        names = [one for one in agents_of(self.step.agent) if one in self.library.entries["agent"]]
        return self.library.role(names[0]) if names else None

    def _template(self, kind: str) -> Template | None:
        """Return the document template: the one it was written by, named by `uses`, mentioned, or of the document's name."""
        if kind in self.made.written_by and not self.step.uses:
            return self.made.written_by[kind]
        mentioned = MENTIONED.findall(self.step.notes)
        own = [stem_of(one) for one in (self.role.role.dependencies.get("templates", ()) if self.role else ())]
        candidates = [self.step.uses, *mentioned, *(one for one in own if one == f"{kind}-tmpl"), f"{kind}-tmpl", kind]
        for stem in candidates:
            if stem and stem in self.library.entries["template"]:
                found = self.library.template(stem)
                return found if found.sections else None
        return None

    def _checklist(self) -> Checklist | None:
        name = stem_of(self.step.uses) if self.step.uses else ""
        return self.library.checklist(name) if name in self.library.entries["checklist"] else None

    def _instructions(self) -> str:
        """Return the tasks that the step's words name, as text."""
        words = f"{self.step.uses} {self.step.action} {self.step.notes}"
        names = [
            one for one in self.library.entries["task"] if re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", words)
        ]
        tasks = [self.library.instruction("task", name) for name in names]
        return "\n\n".join(_bounded(one) for one in tasks)

    def _handoff(self) -> str:
        """Return the words with which the workflow hands the work to this agent."""
        ends = tuple(
            f"_to_{name}" for one in agents_of(self.step.agent) for name in {one, one.split("-", maxsplit=1)[0]}
        )
        found = [text for key, text in self.sequence.handoff_prompts.items() if ends and key.endswith(ends)]
        return found[0] if found and self.step.creates else ""

    # -- the template of the step

    def _bind(
        self,
        stem: str,
        mode: Mode,
        kind: str,
        task: DocumentTask,
        found: Template | None,
        checklist: Checklist | None,
    ) -> Template:
        purpose = {"create": "document", "shard": "document"}.get(mode, mode)
        values: dict[str, Any] = {
            "persona": system_text(self.role.role) if self.role else f"You are the {self.step.agent} of the team.",
            "kind": kind,
            "filename": _filename(self.step, found, kind),
            "outline": outline(found, {}) if found else "",
            "action": self.step.action,
            "notes": self.step.notes.strip(),
            "condition": task.condition,
            "instructions": self._instructions(),
            "checklist": list(task.checklist),
            "handoff": self._handoff(),
            "part": "",
        }
        sources = [self.base.sha256, found.sha256 if found else "", self.role.role.sha256 if self.role else ""]
        sources += [checklist.sha256 if checklist else "", digest(values), digest(task.model_dump(mode="json"))]
        files = (*self.base.files, *(found.files if found else ()), *((self.role.role.file,) if self.role else ()))
        return self.base.model_copy(
            update={
                "name": stem,
                "version": found.version if found else self.base.version,
                "sha256": digest(sources),
                "purposes": {kind: self.base.purposes[purpose]},
                "examples": {kind: self.base.examples[purpose]} if purpose in self.base.examples else {},
                "parts": {**self.base.parts, f"prompts.{kind}": self.base.parts[f"prompts.{purpose}"]},
                "sections": found.sections if found else (),
                "output": found.output if found else self.base.output,
                "bound": values,
                "document": task,
                "files": (*files, *((checklist.file,) if checklist else ()), self.sequence.file),
            }
        )


def _bounded(instruction: Instruction) -> str:
    if len(instruction.text) <= MOST_INSTRUCTIONS:
        return instruction.text
    return instruction.text[:MOST_INSTRUCTIONS] + "\n(The rest of this text was left out for its length.)"


def _required(sections: tuple[Section, ...]) -> list[Section]:
    """Return the sections that must be filled: no condition on the way, and not below a repeatable one."""
    found: list[Section] = []
    for one in sections:
        if not one.condition:
            found.append(one)
            found += [] if one.repeatable else _required(one.sections)
    return found


def _filename(step: Step, found: Template | None, kind: str) -> str:
    written = document_name(step.creates or step.updates)
    if found is not None and found.output.filename and "{" not in found.output.filename:
        return found.output.filename
    return written if "." in written else f"{kind}.md"


def check_kinds(compiled: Compiled) -> None:
    """Raise DefinitionError when a compiled kind cannot be stored; a guard for names that hold no letter."""
    for phase in compiled.workflow.phases:
        for kind in phase.expected_outputs:
            try:
                schema_of(kind)
            except KeyError:
                raise DefinitionError(f'"{kind}" (phase "{phase.name}") cannot be the name of a document.') from None
