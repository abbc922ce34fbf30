"""Every problem of a library in one run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from botarmy.definitions.diagnostics import Diagnostic, Problems, Severity
from botarmy.definitions.fields import root_fields
from botarmy.definitions.jinja_checks import JinjaText, check_calls, included, parse_text
from botarmy.definitions.layers import check_layers
from botarmy.definitions.library import CONFIG, IGNORED, KINDS, YAML, Entry, Layer, Library, classify
from botarmy.definitions.markdown import check_markdown
from botarmy.definitions.near import suggestion
from botarmy.definitions.phases import WorkflowDraft
from botarmy.definitions.references import (
    check_phases,
    check_role,
    check_sequence,
    check_team,
    check_text_references,
)
from botarmy.definitions.roles import RoleDraft
from botarmy.definitions.sequences import SequenceDraft
from botarmy.definitions.source import Position, Source
from botarmy.definitions.teams import TeamDraft
from botarmy.definitions.texts import read_source
from botarmy.definitions.tree import Node, Scalar, parse_tree
from botarmy.records import Record


class LintReport(Record):
    """What lint found.

    Attributes:
        files: number of files that were read.
        kinds: kind -> how many definitions of it are in force.
    """

    files: int
    kinds: dict[str, int]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors."""
        return tuple(one for one in self.diagnostics if one.severity is Severity.error)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings."""
        return tuple(one for one in self.diagnostics if one.severity is Severity.warning)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "files": self.files,
            "definitions": self.kinds,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "diagnostics": [one.model_dump(mode="json") for one in self.diagnostics],
        }


def lint(library: Library, providers: Collection[str] | None = None) -> LintReport:
    """Find every problem in every layer; files that a higher layer replaces are checked by themselves."""
    problems = Problems()
    for layer in library.layers:
        _check_layer(layer, library, problems)
    for kind in KINDS:
        for entries in library.entries[kind].values():
            for entry in entries:
                _check_entry(entry, library, providers, problems)
    check_layers(library, problems)
    unique = dict.fromkeys(problems.found)
    found = sorted(unique, key=lambda one: (one.file, one.line, one.column, one.code))
    counts = {kind: len(library.entries[kind]) for kind in KINDS if library.entries[kind]}
    return LintReport(files=sum(len(one.files) for one in library.layers), kinds=counts, diagnostics=tuple(found))


def _note(problems: Problems, code: str, file: str, message: str, hint: str = "") -> None:
    """Record a problem of a whole file."""
    problems.add(code, Source(file, ""), Position(), message, hint=hint)


def _check_layer(layer: Layer, library: Library, problems: Problems) -> None:
    for path, (code, message) in layer.refused.items():
        _note(problems, code, f"{layer.root}/{path}", message)
    if len(layer.files) > library.limits.files:
        _note(problems, "too-many-files", layer.root, f"More than {library.limits.files} files.")
    if not any(classify(path) for path in layer.files) and not layer.refused:
        _note(problems, "nothing-here", layer.root, "The directory holds no definitions.")
    seen: dict[tuple[str, str], str] = {}
    for path in sorted(layer.files):
        found = classify(path)
        if found is None:
            _check_other(layer, path, problems)
            continue
        if found in seen:
            message = f'{seen[found]} is already the {found[0]} "{found[1]}".'
            _note(problems, "duplicate-name", f"{layer.root}/{path}", message)
        seen.setdefault(found, path)


def _check_other(layer: Layer, path: str, problems: Problems) -> None:
    """Check what is no definition: the configuration, documents at the top, and what nothing reads."""
    name = path.rsplit("/", 1)[-1]
    file = f"{layer.root}/{path}"
    if name.startswith(".") or name.casefold().startswith(IGNORED):
        return
    source = read_source(file, layer.files[path], problems)
    if source is not None and name.casefold().endswith(YAML):
        root = parse_tree(source, problems)
        if name in CONFIG:
            _check_config(source, root, problems)
    elif source is not None and name.casefold().endswith(".md"):
        check_markdown(source, problems, fragment=True)
    if name in CONFIG or ("/" not in path and name.casefold().endswith(".md")):
        return
    folders = ", ".join(("templates", "workflows", "agents", "agent-teams", "tasks", "checklists", "data"))
    _note(problems, "unknown-file", file, "Nothing reads this file.", f"Definitions stand in {folders}.")


CONFIG_KEYS = {
    "markdownExploder": "flag", "qa": "fields", "prd": "fields", "architecture": "fields",
    "customTechnicalDocuments": "data", "devLoadAlwaysFiles": "scalars", "devDebugLog": "text",
    "devStoryLocation": "text", "slashPrefix": "text", "workshop": "data", "name": "text", "version": "text",
    "short-title": "text", "description": "text", "author": "text", "title": "text",
}  # fmt: skip


def _check_config(source: Source, root: Node | None, problems: Problems) -> None:
    if not source.file.endswith("core-config.yaml"):
        return
    fields = root_fields(source, problems, root, "core-config.yaml")
    for key, kind in CONFIG_KEYS.items() if fields is not None else ():
        inner = getattr(fields, kind)(key)
        if kind == "fields" and inner is not None:
            for name, (_, node) in inner.node.pairs.items():
                inner.known.add(name)
                if not isinstance(node, Scalar):
                    inner.wrong(name, node, "text, a number or a boolean")
    if fields is not None:
        fields.finish()


# -- one definition


def _check_entry(entry: Entry, library: Library, providers: Collection[str] | None, problems: Problems) -> None:
    made, found = library.made_of(entry)
    problems.found += found.found
    in_force = library.entries[entry.kind][entry.name][-1] is entry
    source = library.source(entry)
    if source is None:
        return
    if isinstance(made, WorkflowDraft) and in_force:
        check_phases(made, library, problems)
    elif isinstance(made, SequenceDraft) and in_force:
        check_sequence(made, library, problems)
        _check_name(entry, source, made.sequence.name, problems)
    elif isinstance(made, RoleDraft):
        check_role(made, library, problems)
        _check_name(entry, source, made.role.name, problems)
    elif isinstance(made, TeamDraft):
        check_team(made, library, providers, problems)
    elif entry.kind == "partial":
        _check_partial(source, library, problems)
    if entry.path.endswith(".md"):
        check_text_references(source, library, problems)


def _check_name(entry: Entry, source: Source, name: str, problems: Problems) -> None:
    if name == entry.name:
        return
    at = next((n for n, line in enumerate(source.lines) if line.strip().startswith("id:") and name in line), 0)
    column = max(source.lines[at].find(name), 0)
    message = f'The file is named "{entry.name}", its id is "{name}"; it is found by the file\'s name.'
    problems.add("name-differs", source, source.at(at, column), message)


def _check_partial(source: Source, library: Library, problems: Problems) -> None:
    """Check a partial by itself; the names it uses are checked with each template that includes it."""
    text = JinjaText(source, source.text)
    tree = parse_text(text, problems)
    if tree is None:
        return
    check_calls(text, tree, problems)
    for name, line in included(tree):
        if name not in library.entries["partial"] and "/" not in name and ".." not in name:
            hint = suggestion(name, library.entries["partial"], "partials")
            where = text.position(line, r"[\"']")
            message = f'There is no partial "{name}" in templates/partials.'
            problems.add("unknown-include", source, where, message, hint=hint)
