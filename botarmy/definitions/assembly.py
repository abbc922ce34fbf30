"""Drafts to templates: inheritance, includes, and the checks that need all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from botarmy.artifacts import DRAFTS, KINDS, DocumentDraft, schema_of
from botarmy.definitions import jinja_checks as checks
from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.jinja_checks import JinjaText
from botarmy.definitions.limits import LIMITS
from botarmy.definitions.models import Place, Section, Template, TemplateText, Variable
from botarmy.definitions.near import suggestion
from botarmy.definitions.purposes import DOCUMENT_PURPOSES, DOCUMENT_VALUES, PURPOSE_INPUTS
from botarmy.definitions.rendering import GIVEN
from botarmy.definitions.source import Position, Source
from botarmy.definitions.templates import Draft, read_draft
from botarmy.definitions.tree import Mapping as YamlMapping
from botarmy.definitions.tree import Node, Scalar, Sequence
from botarmy.records import digest

ALL_PURPOSES = {**PURPOSE_INPUTS, **DOCUMENT_PURPOSES}


@dataclass
class Shelf:
    """Where bases and partials are found, by stem.

    Attributes:
        templates: the sources of each name, lowest layer first: a file may extend the one that it overrides.
        partials: texts for `{% include %}`.
    """

    templates: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    partials: Mapping[str, Source] = field(default_factory=dict)

    def base(self, name: str, child: Draft) -> Source | None:
        """Return what a draft extends: the highest of that name, or the one below itself."""
        sources = self.templates.get(name, ())
        if name == child.name:
            own = [one.file for one in sources]
            sources = sources[: own.index(child.source.file)] if child.source.file in own else ()
        return sources[-1] if sources else None


@dataclass
class _Whole:
    """A draft together with everything it extends."""

    drafts: list[Draft]  # base first
    texts: dict[str, JinjaText] = field(default_factory=dict)
    blocks: list[dict[str, JinjaText]] = field(default_factory=list)
    variables: dict[str, tuple[Variable, Scalar]] = field(default_factory=dict)
    examples: dict[str, tuple[Any, Node]] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    includes: dict[str, JinjaText] = field(default_factory=dict)


def build_template(source: Source, problems: Problems, shelf: Shelf | None = None) -> Template | None:
    """Read a template with its bases and includes; problems are recorded."""
    shelf = shelf or Shelf()
    draft = read_draft(source, problems)
    drafts = _lineage(draft, shelf, problems) if draft is not None else None
    if drafts is None:
        return None
    whole = _Whole(drafts)
    for one in drafts:
        _overlay(whole, one, problems)
    _includes(whole, shelf, problems)
    if drafts[-1].is_prompt:
        _check(whole, problems)
    return _template(whole)


def _lineage(
    draft: Draft, shelf: Shelf, problems: Problems, path: tuple[Draft, ...] = (), chain: tuple[str, ...] = ()
) -> list[Draft] | None:
    """Return the draft and all its bases, base first; None when one cannot be had."""
    found: list[Draft] = []
    path = (*path, draft)
    for wanted in draft.extends:
        where = draft.source.at(wanted.line, wanted.column)
        links = (*chain, f"{draft.source.file}:{where.line} extends {wanted.text}")
        base = _base(wanted.text, path, shelf)
        if isinstance(base, tuple):
            code, message = base
            hint = suggestion(wanted.text, shelf.templates, "templates") if code == "unknown-template" else ""
            top = path[0]  # a base's own problem is shown at the file that is checked
            first = top.extends[0] if draft is not top else wanted
            place = top.source.at(first.line, first.column)
            problems.add(code, top.source, place, message, hint=hint, chain=links)
            return None
        above = _lineage(base, shelf, problems, path, links)
        if above is None:
            return None
        found += [one for one in above if one.source.file not in [other.source.file for other in found]]
    return [*found, draft]


def _base(name: str, path: tuple[Draft, ...], shelf: Shelf) -> Draft | tuple[str, str]:
    source = shelf.base(name, path[-1])
    if name == path[-1].name and source is None:
        return "self-inheritance", f'"{name}" extends itself.'
    if source is None:
        return "unknown-template", f'There is no template "{name}".'
    if source.file in [one.source.file for one in path]:
        return "self-inheritance", f'"{name}" extends itself by others.'
    if len(path) >= LIMITS.chain:
        return "chain-too-long", f"More than {LIMITS.chain} bases."
    draft = read_draft(source, Problems())  # its own problems are told where it is checked itself
    return draft if draft is not None else ("unknown-template", f'The base "{name}" is itself broken.')


def _overlay(whole: _Whole, draft: Draft, problems: Problems) -> None:
    if draft.extends:
        _check_overrides(whole, draft, problems)
    if draft.blocks:
        _check_blocks(whole, draft, problems)
    for name in draft.remove:
        if not _removed(whole, name.text):
            known = [*whole.texts, *whole.variables, *(f"sections.{one.id}" for one in whole.sections)]
            where = draft.source.at(name.line, name.column)
            message = f'The base has no "{name.text}" to remove.'
            problems.add("remove-unknown", draft.source, where, message, hint=suggestion(name.text, known, "parts"))
    whole.texts |= draft.texts
    whole.variables |= draft.variables
    whole.examples |= draft.examples
    whole.sections = merge_sections(whole.sections, draft.sections)
    if draft.blocks:
        whole.blocks.append(dict(draft.blocks))


def _removed(whole: _Whole, name: str) -> bool:
    kept = tuple(one for one in whole.sections if f"sections.{one.id}" != name)
    if len(kept) < len(whole.sections):
        whole.sections = kept
        return True
    for table in (whole.texts, whole.variables):
        if name in table:
            del table[name]
            whole.examples.pop(name.removeprefix("prompts."), None)
            return True
    return False


def merge_sections(base: tuple[Section, ...], own: tuple[Section, ...]) -> tuple[Section, ...]:
    """Put sections over those of a base: the same id replaces, a new one is added at the end."""
    by_id = {one.id: one for one in own}
    known = {one.id for one in base}
    return (*(by_id.get(one.id, one) for one in base), *(one for one in own if one.id not in known))


def _check_overrides(whole: _Whole, draft: Draft, problems: Problems) -> None:
    for part, text in draft.texts.items():
        if part in whole.texts and whole.texts[part].text == text.text:
            message = f'"{part}" is the same as in {whole.texts[part].source.file}.'
            problems.add("override-without-effect", draft.source, text.position(1), message)


def _check_blocks(whole: _Whole, draft: Draft, problems: Problems) -> None:
    trees = [checks.parse_text(text, Problems()) for text in whole.texts.values()]
    levels = [checks.parse_text(text, Problems()) for level in whole.blocks for text in level.values()]
    known: set[str] = set()
    for tree in (*trees, *levels):
        known |= checks.block_names(tree) if tree is not None else set()
    for name, text in draft.blocks.items():
        if name not in known:
            key = _key_of(draft, "blocks", name)
            hint = suggestion(name, known, "blocks of the base")
            problems.add(
                "missing-block", draft.source, key, f'The base has no block "{name}".', hint=hint, chain=text.chain
            )


def _key_of(draft: Draft, group: str, name: str) -> Position:
    node = draft.fields.node.get(group)
    pair = node.pairs.get(name) if isinstance(node, YamlMapping) else None
    return draft.source.at(pair[0].line, pair[0].column) if pair else Position()


# -- includes


def _includes(whole: _Whole, shelf: Shelf, problems: Problems) -> None:
    texts = [*whole.texts.values(), *(one for level in whole.blocks for one in level.values())]
    for text in texts:
        _follow(text, (), whole, shelf, problems)


def _follow(text: JinjaText, names: tuple[str, ...], whole: _Whole, shelf: Shelf, problems: Problems) -> None:
    tree = checks.parse_text(text, Problems())
    for name, line in checks.included(tree) if tree is not None else ():
        where = text.position(line, rf"[\"']{name}[\"']" if name.replace("-", "").isalnum() else r"[\"']")
        link = f"{text.source.file}:{where.line} includes {name}"
        refusal = _refusal(name, names, shelf)
        if refusal:
            code, message = refusal
            hint = suggestion(name, shelf.partials, "partials") if code == "unknown-include" else ""
            problems.add(code, text.source, where, message, hint=hint, chain=(*text.chain, link))
        elif name not in whole.includes:
            source = shelf.partials[name]
            inner = JinjaText(source, source.text, None, (*text.chain, link))
            whole.includes[name] = inner
            _follow(inner, (*names, name), whole, shelf, problems)
        else:
            _follow(replace(whole.includes[name], chain=(*text.chain, link)), (*names, name), whole, shelf, problems)


def _refusal(name: str, names: tuple[str, ...], shelf: Shelf) -> tuple[str, str] | None:
    if "/" in name or "\\" in name or ".." in name or name.startswith("~"):
        return "path-escape", f'"{name[:80]}" is a path; partials are named by their stem.'
    if name in names:
        return "include-cycle", f'"{name}" includes itself' + (" by others." if name != names[-1] else ".")
    if len(names) >= LIMITS.chain:
        return "chain-too-long", f"More than {LIMITS.chain} texts include each other."
    if name not in shelf.partials:
        return "unknown-include", f'There is no partial "{name}" in templates/partials.'
    return None


# -- checks


def _check(whole: _Whole, problems: Problems) -> None:
    own = whole.drafts[-1]
    used: set[str] = set()
    for part, text in whole.texts.items():
        purpose = part.removeprefix("prompts.") if part != "system" else ""
        if purpose and purpose not in ALL_PURPOSES:
            if text.source is own.source:
                hint = suggestion(purpose, ALL_PURPOSES, "purposes")
                where = _key_of(own, "prompts", purpose)
                problems.add("unknown-purpose", own.source, where, f'No agent asks for "{purpose}".', hint=hint)
            continue
        used |= _check_text(whole, text, purpose, problems)
    for level in whole.blocks:
        for text in level.values():
            used |= _check_text(whole, text, "", problems)
    for text in whole.includes.values():
        used |= _check_text(whole, text, "", problems)
    _check_variables(whole, used, problems)
    _check_examples(whole, problems)


def _check_text(whole: _Whole, text: JinjaText, purpose: str, problems: Problems) -> set[str]:
    """Check one text; a base's own texts are reported where the base itself is checked."""
    mine = text.source is whole.drafts[-1].source or text.source in [one.source for one in whole.includes.values()]
    sink = problems if mine else Problems()
    tree = checks.parse_text(text, sink)
    if tree is None:
        return set()
    checks.check_calls(text, tree, sink)
    wanted = [purpose] if purpose else [part.removeprefix("prompts.") for part in whole.texts if part != "system"]
    inputs = {"brief", "sentences", *(name for one in wanted for name in PURPOSE_INPUTS.get(one, ()))}
    if set(wanted) & set(DOCUMENT_PURPOSES):
        inputs |= set(DOCUMENT_VALUES)
    used = checks.check_names(text, tree, {*inputs, *GIVEN, *whole.variables}, sink)
    if purpose and "all_inputs" not in used:
        _check_inputs(text, purpose, used, sink)
    return used


def _check_inputs(text: JinjaText, purpose: str, used: set[str], problems: Problems) -> None:
    lost = [name for name in PURPOSE_INPUTS.get(purpose, ()) if name not in used]
    if lost:
        message = f"The prompt for {purpose} does not show {', '.join(lost)}."
        problems.add("unused-input", text.source, text.position(1), message)


def _check_variables(whole: _Whole, used: set[str], problems: Problems) -> None:
    own = whole.drafts[-1]
    for name, (_, key) in own.variables.items():
        if name not in used:
            where = own.source.at(key.line, key.column)
            problems.add("unused-variable", own.source, where, f'Nothing uses the variable "{name}".')


def _check_examples(whole: _Whole, problems: Problems) -> None:
    own = whole.drafts[-1]
    for purpose, (example, node) in own.examples.items():
        if purpose not in ALL_PURPOSES:
            hint = suggestion(purpose, ALL_PURPOSES, "purposes")
            where = _key_of(own, "examples", purpose)
            problems.add("unknown-purpose", own.source, where, f'No agent asks for "{purpose}".', hint=hint)
            continue
        try:
            schema = schema_of(purpose) if purpose in KINDS or purpose in DRAFTS else DocumentDraft
            schema.model_validate(example)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
                place = _inside(node, one["loc"])
                path = ".".join(map(str, one["loc"]))
                message = f"The example of {purpose} does not fit its schema: {path}: {one['msg']}."
                problems.add("bad-example", own.source, own.source.at(place.line, place.column), message)


def _inside(node: Node, path: tuple[int | str, ...]) -> Node:
    """Return the deepest node of a path that exists."""
    for step in path:
        below: Node | None = None
        if isinstance(node, YamlMapping):
            below = node.get(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            below = node.items[step]
        if below is None:
            return node
        node = below
    return node


# -- the record


def _template(whole: _Whole) -> Template:
    own = whole.drafts[-1]
    sources = {
        one.file: one.sha256
        for one in (*(d.source for d in whole.drafts), *(t.source for t in whole.includes.values()))
    }
    parts = {part: _place(text) for part, text in whole.texts.items()}
    parts |= {f"blocks.{name}": _place(text) for level in whole.blocks for name, text in level.items()}
    parts |= {f"includes.{name}": _place(text) for name, text in whole.includes.items()}
    for draft in whole.drafts:
        parts |= {f"sections.{one.id}": Place(file=draft.source.file) for one in draft.sections}
        parts |= {f"variables.{name}": _key_place(draft, key) for name, (_, key) in draft.variables.items()}
    system = whole.texts.get("system")
    return Template(
        name=own.name,
        id=own.id,
        title=own.title,
        version=own.version,
        sha256=own.source.sha256 if len(sources) == 1 else digest(sorted(sources.values())),
        dialect="phases" if own.is_prompt else "bmad",
        system=system.text if system else "",
        purposes={part.removeprefix("prompts."): text.text for part, text in whole.texts.items() if part != "system"},
        variables={name: variable for name, (variable, _) in whole.variables.items()},
        blocks=tuple({name: _text(one) for name, one in level.items()} for level in whole.blocks),
        includes={name: _text(one) for name, one in whole.includes.items()},
        examples={purpose: example for purpose, (example, _) in whole.examples.items()},
        sections=whole.sections,
        output=own.output,
        interactive=own.interactive,
        parts=parts,
        files=tuple(sources),
        extra=own.extra,
    )


def _text(text: JinjaText) -> TemplateText:
    return TemplateText(text=text.text, place=_place(text))


def _place(text: JinjaText) -> Place:
    return Place(file=text.source.file, line=text.position(1).line)


def _key_place(draft: Draft, key: Scalar) -> Place:
    return Place(file=draft.source.file, line=draft.source.at(key.line).line)
