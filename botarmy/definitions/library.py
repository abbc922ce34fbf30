"""All definitions of one or more directories, layer over layer.

A file of a higher layer replaces the file of the same kind and name below it. Nothing is parsed before it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from botarmy.definitions.assembly import Shelf, build_template
from botarmy.definitions.diagnostics import InvalidDefinition, Problems
from botarmy.definitions.fields import root_fields
from botarmy.definitions.limits import LIMITS, Limits
from botarmy.definitions.markdown import check_conflicts, read_checklist, read_instruction
from botarmy.definitions.models import Checklist, Instruction, Template
from botarmy.definitions.near import suggestion
from botarmy.definitions.phases import WorkflowDraft, read_phases
from botarmy.definitions.roles import RoleDraft, read_role
from botarmy.definitions.sequences import SequenceDraft, is_sequence, read_sequence
from botarmy.definitions.source import Source
from botarmy.definitions.teams import TeamDraft, read_team
from botarmy.definitions.templates import stem_of
from botarmy.definitions.texts import read_source
from botarmy.definitions.tree import parse_tree
from botarmy.errors import UnknownName

YAML = (".yaml", ".yml")
FOLDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "templates/partials": ("partial", (".j2",)),
    "templates": ("template", YAML),
    "workflows": ("workflow", YAML),
    "agent-teams": ("team", YAML),
    "agents": ("agent", (".md",)),
    "tasks": ("task", (".md",)),
    "checklists": ("checklist", (".md",)),
    "data": ("data", (".md", ".txt", ".csv", ".json", *YAML)),
    "utils": ("utility", (".md",)),
}
"""Folder -> kind and the endings of its files."""

KINDS = ("workflow", "template", "partial", "team", "agent", "task", "checklist", "data", "utility")
CONFIG = ("core-config.yaml", "config.yaml", "install-manifest.yaml")
IGNORED = ("readme", "license", "licence", "changelog", "notice")

T = TypeVar("T")
Parsed = WorkflowDraft | SequenceDraft


@dataclass(frozen=True)
class Layer:
    """The files of one directory.

    Attributes:
        name: what the layer is called: "defaults", "project", the option's name.
        root: the directory as shown in messages.
        files: content by path relative to the root, with forward slashes.
        refused: path -> (code, message) of what could not be read.
    """

    name: str
    root: str
    files: Mapping[str, bytes]
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One file of a layer."""

    kind: str
    name: str
    layer: int
    path: str
    file: str
    data: bytes = field(repr=False)


def classify(path: str) -> tuple[str, str] | None:
    """Return kind and name of a file by its place, None for what nothing reads."""
    for folder, (kind, endings) in FOLDERS.items():
        if path.startswith(f"{folder}/"):
            fits = path.casefold().endswith(endings) and not path.rsplit("/", 1)[-1].startswith(".")
            return (kind, stem_of(path)) if fits else None
    return None


class _Sources(Mapping[str, T]):
    """A mapping whose values are made when they are asked for; what is unusable is not in it."""

    def __init__(self, names: Mapping[str, object], make: Callable[[str], T | None]) -> None:
        self._names = names
        self._make = make

    def __getitem__(self, name: str) -> T:
        made = self._make(name) if name in self._names else None
        if made is None:
            raise KeyError(name)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Library:
    """The definitions of all layers, lowest first.

    Args:
        layers: the directories' files.
        limits: bounds on files.
        before: the library of the same directories as they were: what did not change is not parsed again.
    """

    def __init__(self, layers: tuple[Layer, ...], limits: Limits = LIMITS, before: Library | None = None) -> None:
        self.layers = layers
        self.limits = limits
        self.entries: dict[str, dict[str, list[Entry]]] = {kind: {} for kind in KINDS}
        for number, layer in enumerate(layers):
            for path in sorted(layer.files):
                self._index(number, layer, path)
        self._sources: dict[str, tuple[Source | None, Problems]] = {}
        self._made: dict[tuple[str, str], tuple[object, Problems]] = {}
        if before is not None:
            self._keep(before)
        templates = _Sources(self.entries["template"], self._template_sources)
        partials = _Sources(self.entries["partial"], lambda name: self.source(self.entries["partial"][name][-1]))
        self.shelf = Shelf(templates, partials)

    def _index(self, number: int, layer: Layer, path: str) -> None:
        found = classify(path)
        if found is not None:
            kind, name = found
            entry = Entry(kind, name, number, path, f"{layer.root}/{path}", layer.files[path])
            self.entries[kind].setdefault(name, []).append(entry)

    def _keep(self, before: Library) -> None:
        """Take over what a former library made of files that are the same; templates only when they stand alone."""
        former = {one.file: one for named in before.entries.values() for entries in named.values() for one in entries}
        for entry in (one for named in self.entries.values() for entries in named.values() for one in entries):
            old = former.get(entry.file)
            if old is None or old.data != entry.data or entry.file not in before._sources:
                continue
            self._sources[entry.file] = before._sources[entry.file]
            made = before._made.get((entry.kind, entry.file))
            if made is not None and (not isinstance(made[0], Template) or made[0].files == (entry.file,)):
                self._made[entry.kind, entry.file] = made

    def _template_sources(self, name: str) -> tuple[Source, ...] | None:
        sources = [self.source(entry) for entry in self.entries["template"][name]]
        return tuple(one for one in sources if one is not None) or None

    # -- names

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of a kind, sorted; workflows by the name that a run uses."""
        if kind == "workflow":
            return tuple(sorted({self.workflow_name(stem) for stem in self.entries[kind]}))
        return tuple(sorted(self.entries[kind]))

    def entry(self, kind: str, name: str) -> Entry:
        """Return the file in force for a name.

        Raises:
            UnknownName: there is none; the hint names the nearest.
        """
        stem = self.workflow_stem(name) if kind == "workflow" else name
        found = self.entries[kind].get(stem or name)
        if not found:
            roots = ", ".join(layer.root for layer in self.layers)
            plural = "utilities" if kind == "utility" else kind if kind == "data" else f"{kind}s"
            hint = suggestion(name, self.names(kind), plural)
            raise UnknownName(f'There is no {kind} "{name}" in {roots}.', hint=hint)
        return found[-1]

    def workflow_name(self, stem: str) -> str:
        """Return the name that a run uses for a workflow file: its id, else its stem."""
        draft = self.made("workflow", stem)[0]
        if isinstance(draft, WorkflowDraft):
            return draft.workflow.name
        return draft.sequence.name if isinstance(draft, SequenceDraft) else stem

    def workflow_stem(self, name: str) -> str | None:
        """Return the stem of the workflow file that a name means: stem, stem without -workflow, or id."""
        stems = self.entries["workflow"]
        for stem in (name, f"{name}-workflow"):
            if stem in stems:
                return stem
        return next((stem for stem in stems if self.workflow_name(stem) == name), None)

    # -- content

    def source(self, entry: Entry) -> Source | None:
        """Return the text of a file, None where it is no usable text."""
        return self._source(entry)[0]

    def _source(self, entry: Entry) -> tuple[Source | None, Problems]:
        if entry.file not in self._sources:
            problems = Problems()
            source = read_source(entry.file, entry.data, problems, self.limits)
            if source is not None:
                check_conflicts(source, problems)
            self._sources[entry.file] = (source, problems)
        return self._sources[entry.file]

    def made(self, kind: str, name: str) -> tuple[object, Problems]:
        """Return what a file in force means (None when unusable), and the problems of the file by itself."""
        return self.made_of(self.entries[kind][name][-1])

    def made_of(self, entry: Entry) -> tuple[object, Problems]:
        """Return what a file means, and its problems."""
        key = (entry.kind, entry.file)
        if key not in self._made:
            source, found = self._source(entry)
            problems = Problems()
            problems.found += found.found
            made = _READERS[entry.kind](self, source, problems) if source is not None else None
            self._made[key] = (made, problems)
        return self._made[key]

    def get(self, kind: str, name: str, wanted: type[T]) -> T:
        """Return a definition that has no error.

        Raises:
            UnknownName: there is none of this name.
            DefinitionError: it has problems; all of them are told.
        """
        made, problems = self.made_of(self.entry(kind, name))
        problems.raise_errors()
        if not isinstance(made, wanted):
            raise InvalidDefinition.of(problems.found)
        return made

    def template(self, stem: str) -> Template:
        """Return a template of either dialect, with its bases and includes."""
        return self.get("template", stem, Template)

    def checklist(self, name: str) -> Checklist:
        """Return a checklist."""
        return self.get("checklist", name, Checklist)

    def instruction(self, kind: str, name: str) -> Instruction:
        """Return a task, a data file or a utility."""
        return self.get(kind, name, Instruction)

    def role(self, name: str) -> RoleDraft:
        """Return an agent's role."""
        return self.get("agent", name, RoleDraft)

    def team_draft(self, name: str) -> TeamDraft:
        """Return a team as its file says."""
        return self.get("team", name, TeamDraft)


def read_workflow(source: Source, problems: Problems) -> Parsed | None:
    """Read a workflow file of either dialect."""
    root = parse_tree(source, problems)
    fields = root_fields(source, problems, root, "the workflow file")
    if fields is None:
        return None
    return read_sequence(fields, problems) if is_sequence(root) else read_phases(fields, problems)


def _read_partial(_: Library, source: Source, __: Problems) -> Source:
    return source


def _read_data(_: Library, source: Source, problems: Problems) -> Instruction:
    """Read a data file: Markdown is checked as such, YAML must parse, all else is text."""
    if source.file.casefold().endswith(".md"):
        return read_instruction(source, problems)
    if source.file.casefold().endswith(YAML):
        parse_tree(source, problems)
    name = stem_of(source.file)
    return Instruction(name=name, title=name, text=source.text, sha256=source.sha256, file=source.file)


_READERS: dict[str, Callable[[Library, Source, Problems], object]] = {
    "template": lambda library, source, problems: build_template(source, problems, library.shelf),
    "partial": _read_partial,
    "workflow": lambda _, source, problems: read_workflow(source, problems),
    "team": lambda _, source, problems: read_team(source, problems),
    "agent": lambda _, source, problems: read_role(source, problems),
    "checklist": lambda _, source, problems: read_checklist(source, problems),
    "task": lambda _, source, problems: read_instruction(source, problems),
    "utility": lambda _, source, problems: read_instruction(source, problems),
    "data": _read_data,
}
