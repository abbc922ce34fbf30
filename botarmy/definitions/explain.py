"""What a name means after all layers, and which file and line each part came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.definitions.library import KINDS, Library
from botarmy.definitions.models import AgentRole, Checklist, Instruction, Place, Team, Template
from botarmy.definitions.near import suggestion
from botarmy.definitions.phases import WorkflowDraft
from botarmy.definitions.resolve import Flags, resolve_sequence, resolve_workflow
from botarmy.definitions.roles import RoleDraft, system_text
from botarmy.definitions.sequences import SequenceDraft
from botarmy.definitions.source import Source
from botarmy.definitions.teams import TeamDraft
from botarmy.errors import UnknownName
from botarmy.records import Phase, Record


class Part(Record):
    """A part of a definition; `place` is None for what no file says (a default)."""

    name: str
    value: Any
    place: str | None = None


class Explanation(Record):
    """A resolved definition.

    Attributes:
        files: the files that it is made of.
        replaced: files of lower layers that it takes the place of.
        left_out: steps that become no phase, with the reason.
    """

    kind: str
    name: str
    files: tuple[str, ...]
    replaced: tuple[str, ...] = ()
    sha256: str = ""
    parts: tuple[Part, ...] = ()
    left_out: tuple[Part, ...] = ()

    def render(self) -> str:
        """Return the explanation as text."""
        lines = [f"{self.kind} {self.name}"]
        lines += [f"  from      {file}" for file in self.files]
        lines += [f"  replaces  {file}" for file in self.replaced]
        lines += [f"  sha256    {self.sha256}"] if self.sha256 else []
        for part in self.parts:
            lines += ["", f"{part.name}" + (f"  ({part.place})" if part.place else "")]
            lines += [f"  {line}" for line in _lines(part.value)]
        if self.left_out:
            lines += ["", "left out"]
            lines += [
                f"  {part.name}: {part.value}" + (f"  ({part.place})" if part.place else "") for part in self.left_out
            ]
        return "\n".join(lines)


def _lines(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{key}: {_short(one)}" for key, one in value.items() if one not in ("", None, (), [], {})]
    if isinstance(value, list | tuple):
        return [f"- {_short(one)}" for one in value]
    return str(value).rstrip("\n").split("\n")


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_short(one) for one in value)
    return str(value)


def explain(library: Library, kind: str, name: str, flags: Flags | None = None) -> Explanation:
    """Explain a workflow, template, team, agent, checklist, task, data file, utility or partial.

    Raises:
        UnknownName: no such kind or name.
        DefinitionError: the definition has problems.
    """
    if kind not in KINDS:
        raise UnknownName(f'There is no kind "{kind}" of definitions.', hint=suggestion(kind, KINDS, "kinds"))
    if kind == "template" and "/" in name:
        return _compiled_template(library, name, flags)
    entry = library.entry(kind, name)
    stem = library.workflow_stem(name) if kind == "workflow" else name
    replaced = tuple(one.file for one in library.entries[kind][stem or name][:-1])
    made, problems = library.made_of(entry)
    problems.raise_errors()
    found = _workflow(library, made, flags) if isinstance(made, WorkflowDraft | SequenceDraft) else _other(made)
    used = {"files": found.files or (entry.file,), "replaced": replaced, "kind": kind, "name": name}
    return found.model_copy(update=used)


def _workflow(library: Library, made: WorkflowDraft | SequenceDraft, flags: Flags | None) -> Explanation:
    if isinstance(made, SequenceDraft):
        compiled = resolve_sequence(library, made.sequence.name, flags)
        parts = [_phase(one, str(compiled.places[one.name])) for one in compiled.workflow.phases]
        left = tuple(Part(name=one.step, value=one.reason, place=str(one.place)) for one in compiled.skipped)
        sha256 = compiled.workflow.sha256
        return Explanation(kind="", name="", files=(), sha256=sha256, parts=tuple(parts), left_out=left)
    workflow = resolve_workflow(library, made.workflow.name, flags)
    places = {one.phase.name: made.source.at(one.node.line, one.node.column).line for one in made.phases}
    parts = [_phase(one, f"{made.source.file}:{places[one.name]}") for one in workflow.phases]
    return Explanation(kind="", name="", files=(), sha256=workflow.sha256, parts=tuple(parts))


def _phase(phase: Phase, place: str) -> Part:
    data = phase.model_dump(mode="json")
    return Part(name=f"phase {data.pop('name')}", value=data | data.pop("gate"), place=place)


def _other(made: object) -> Explanation:
    nothing = Explanation(kind="", name="", files=())
    if isinstance(made, Template):
        return _template(made)
    if isinstance(made, TeamDraft):
        return nothing.model_copy(update={"sha256": made.team.sha256, "parts": _record(made.team)})
    if isinstance(made, RoleDraft):
        prompt = Part(name="system prompt", value=system_text(made.role), place=made.role.file)
        return nothing.model_copy(update={"sha256": made.role.sha256, "parts": (*_record(made.role), prompt)})
    if isinstance(made, Checklist | Instruction):
        return nothing.model_copy(update={"sha256": made.sha256, "parts": _record(made)})
    if isinstance(made, Source):
        text = Part(name="text", value=made.text, place=made.file)
        return nothing.model_copy(update={"sha256": made.sha256, "parts": (text,)})
    return nothing


def _record(made: Team | AgentRole | Checklist | Instruction) -> tuple[Part, ...]:
    data = made.model_dump(mode="json", exclude={"sha256", "file", "name", "instructions", "text"})
    kept = [(name, value) for name, value in data.items() if value not in ("", None, [], {}, False)]
    text = [("text", made.text)] if isinstance(made, Instruction) else []
    return tuple(Part(name=name, value=value, place=made.file) for name, value in [*kept, *text])


def _template(template: Template) -> Explanation:
    values: dict[str, Any] = {"system": template.system}
    values |= {f"prompts.{purpose}": text for purpose, text in template.purposes.items()}
    values |= {f"blocks.{name}": one.text for level in template.blocks for name, one in level.items()}
    values |= {f"variables.{name}": one.model_dump() for name, one in template.variables.items()}
    values |= {f"includes.{name}": one.text for name, one in template.includes.items()}
    values |= {f"sections.{one.id}": one.title or one.instruction for one in template.sections}
    values |= {f"bound.{name}": value for name, value in template.bound.items()}
    head = {"title": template.title, "version": template.version, "output": template.output.model_dump()}
    shown = [(name, value) for name, value in {**head, **values}.items() if value not in ("", [], {})]
    parts = tuple(Part(name=name, value=value, place=_at(template.parts.get(name))) for name, value in shown)
    return Explanation(kind="", name="", files=template.files, sha256=template.sha256, parts=parts)


def _at(place: Place | None) -> str | None:
    return str(place) if place is not None else None


def _compiled_template(library: Library, name: str, flags: Flags | None) -> Explanation:
    compiled = resolve_sequence(library, name.split("/", 1)[0], flags)
    if name not in compiled.templates:
        hint = suggestion(name, compiled.templates, "templates of this workflow")
        raise UnknownName(f'The workflow has no phase with the template "{name}".', hint=hint)
    return _template(compiled.templates[name]).model_copy(update={"kind": "template", "name": name})
