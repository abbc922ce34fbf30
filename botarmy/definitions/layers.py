"""Layers over layers: an override that takes no effect is a mistake that nobody would see."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.library import KINDS, Entry, Library
from botarmy.definitions.models import Template
from botarmy.definitions.near import one_off
from botarmy.definitions.phases import WorkflowDraft
from botarmy.definitions.roles import RoleDraft
from botarmy.definitions.sequences import SequenceDraft
from botarmy.definitions.source import Position, Source

NAMED = ("template", "agent", "checklist", "workflow")
"""Kinds that others refer to by name, so that a misspelt override is simply never read."""


def check_layers(library: Library, problems: Problems) -> None:
    """Report overrides that change nothing: the same content, or a name that replaces nothing."""
    for kind in KINDS:
        for entries in library.entries[kind].values():
            for below, above in pairwise(entries):
                if below.layer != above.layer and below.data == above.data:
                    message = f"The file is the same as {below.file}, which it replaces."
                    _note(problems, above, message, "Change it or remove it.")
    used = _used(library)
    for kind in NAMED:
        for name, entries in library.entries[kind].items():
            if entries[0].layer > 0 and (kind, name) not in used and entries[-1].file not in used:
                _check_stray(library, entries[-1], problems)


def _note(problems: Problems, entry: Entry, message: str, hint: str) -> None:
    problems.add("override-without-effect", Source(entry.file, ""), Position(), message, hint=hint)


def _check_stray(library: Library, entry: Entry, problems: Problems) -> None:
    """Report a file of a higher layer that was meant to replace one below but has another name."""
    others = library.entries[entry.kind].items()
    lower = [name for name, entries in others if entries[0].layer < entry.layer and name != entry.name]
    identifier = _identifier(library, entry)
    same = (
        name
        for name in lower
        if identifier and _identifier(library, library.entries[entry.kind][name][0]) == identifier
    )
    meant = next(same, None) or next((name for name in lower if one_off(name, entry.name)), None)
    if meant is not None:
        message = f'The file looks like an override of "{meant}", but is named "{entry.name}" and nothing uses it.'
        _note(problems, entry, message, f'Name it "{meant}".')


def _identifier(library: Library, entry: Entry) -> str:
    """Return the id that stands inside of a file."""
    made = library.made_of(entry)[0]
    if isinstance(made, Template):
        return made.id
    if isinstance(made, RoleDraft):
        return made.role.name
    if isinstance(made, WorkflowDraft):
        return made.workflow.name
    return made.sequence.name if isinstance(made, SequenceDraft) else ""


def _used(library: Library) -> set[tuple[str, str] | str]:
    """Return what workflows, agents and templates refer to: (kind, name), or a file."""
    used: set[tuple[str, str] | str] = set()
    for kind in ("workflow", "agent", "template"):
        for name in library.entries[kind]:
            used.update(_referred(library.made(kind, name)[0], library.entries[kind][name][-1]))
    return used


def _referred(made: object, entry: Entry) -> Iterable[tuple[str, str] | str]:
    if isinstance(made, WorkflowDraft):
        for one in made.phases:
            yield from (("template", one.phase.template), ("agent", one.phase.agent))
            if one.checklist is not None:
                yield "checklist", one.checklist.text
    elif isinstance(made, SequenceDraft):
        yield entry.kind, entry.name
        for step in made.sequence.steps:
            yield from (("template", step.uses), ("checklist", step.uses), ("agent", step.agent))
    elif isinstance(made, RoleDraft):
        yield from ((folder.removesuffix("s"), node.text.rsplit(".", 1)[0]) for folder, node in made.dependencies)
    elif isinstance(made, Template):
        yield from (file for file in made.files if file != entry.file)
