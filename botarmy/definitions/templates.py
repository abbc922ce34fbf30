"""Read a template file of either dialect into a draft; `assembly` makes templates out of drafts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.fields import Fields, kind_of, root_fields
from botarmy.definitions.jinja_checks import JinjaText
from botarmy.definitions.models import Output, Section, Variable
from botarmy.definitions.sections import check_placeholders, read_sections
from botarmy.definitions.source import Source
from botarmy.definitions.tree import Mapping, Node, Scalar, parse_tree, plain

VARIABLE_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "list": list,
}


@dataclass
class Draft:
    """One template file before its bases and includes are known."""

    source: Source
    name: str
    fields: Fields
    id: str = ""
    title: str = ""
    version: str = ""
    extends: list[Scalar] = field(default_factory=list)
    texts: dict[str, JinjaText] = field(default_factory=dict)  # "system", "prompts.KIND"
    blocks: dict[str, JinjaText] = field(default_factory=dict)
    variables: dict[str, tuple[Variable, Scalar]] = field(default_factory=dict)
    examples: dict[str, tuple[Any, Node]] = field(default_factory=dict)
    remove: list[Scalar] = field(default_factory=list)
    sections: tuple[Section, ...] = ()
    output: Output = field(default_factory=Output)
    interactive: bool = False
    plain_document: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_prompt(self) -> bool:
        """Say whether the file is of the phases dialect: it has prompts, or extends something."""
        return bool(self.texts or self.blocks or self.extends)


def stem_of(file: str) -> str:
    """Return the file's name without folder and its last extension."""
    name = file.replace("\\", "/").rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[0] if "." in name[1:] else name


def read_draft(source: Source, problems: Problems) -> Draft | None:
    """Read a template file; None when it is unusable."""
    fields = root_fields(source, problems, parse_tree(source, problems), "the template file")
    if fields is None:
        return None
    draft = Draft(source, stem_of(source.file), fields)
    _head(draft)
    draft.extends = fields.scalars("extends", single=True)
    draft.remove = fields.scalars("remove", single=True)
    _texts(draft)
    _variables(draft)
    for key, node in fields.pairs("examples") if not _plain_examples(draft) else []:
        draft.examples[key.text] = (plain(node), node)
    _document(draft)
    draft.extra = {} if draft.plain_document else fields.finish()
    return draft


def _head(draft: Draft) -> None:
    head = draft.fields.fields("template", required=True)
    if head is None:
        return
    draft.id = head.text("id", required=True)
    draft.title = head.text("name")
    draft.version = head.text("version")
    head.text("description")
    output = head.fields("output")
    if output is not None:
        draft.output = Output(
            format=output.text("format", default="markdown"),
            filename=output.text("filename"),
            title=output.text("title"),
        )
        for key in ("filename", "title"):
            check_placeholders(output, key)
        output.finish()
    head.finish()


def _texts(draft: Draft) -> None:
    system = draft.fields.scalar("system")
    if system is not None:
        draft.texts["system"] = JinjaText(draft.source, system.text, system)
    for group, target, prefix in (("prompts", draft.texts, "prompts."), ("blocks", draft.blocks, "")):
        for key, node in draft.fields.pairs(group):
            if isinstance(node, Scalar) and node.text.strip():
                target[prefix + key.text] = JinjaText(draft.source, node.text, node)
            else:
                draft.fields.problem(
                    "wrong-type", node, f'"{key.text}" of {group} is {kind_of(node)}; it must be text.'
                )


def _variables(draft: Draft) -> None:
    for key, node in draft.fields.pairs("variables"):
        if not isinstance(node, Mapping):
            draft.fields.problem(
                "wrong-type", node, f'The variable "{key.text}" is {kind_of(node)}; it must be a mapping.'
            )
            continue
        fields = Fields(node, draft.source, draft.fields.problems, f'variable "{key.text}"')
        kind = fields.choice("type", VARIABLE_TYPES, "string")
        default = fields.data("default")
        wanted = VARIABLE_TYPES[kind]
        fits = isinstance(default, wanted) and (kind == "boolean" or not isinstance(default, bool))
        if default is not None and not fits:
            where = node.pairs["default"][1]
            fields.problem(
                "bad-default", where, f'The default of "{key.text}" is {kind_of(where)}; its type is {kind}.'
            )
        required = fields.flag("required", default=default is None)
        variable = Variable.model_validate(
            {"type": kind, "default": default, "required": required, "description": fields.text("description")}
        )
        fields.finish()
        draft.variables[key.text] = (variable, key)


def _plain_examples(draft: Draft) -> bool:
    """In a document without prompts `examples` is content of the document, not of the format."""
    return "prompts" not in draft.fields.node.pairs and not draft.extends


def _document(draft: Draft) -> None:
    workflow = draft.fields.fields("workflow")
    if workflow is not None:
        draft.interactive = workflow.text("mode") == "interactive" and workflow.text("elicitation") not in {"", "false"}
        custom = workflow.fields("custom_elicitation")
        if custom is not None:
            custom.text("title")
            custom.nodes("options")
            custom.finish()
        workflow.finish()
    draft.fields.data("agent_config")
    if draft.fields.has("sections"):
        draft.sections = read_sections(draft.fields)
    elif not draft.is_prompt:
        _without_sections(draft)


def _without_sections(draft: Draft) -> None:
    """A file with `template` and other keys but no sections is a plain document; one with nothing else is a mistake."""
    rest = set(draft.fields.node.pairs) - {"template", "workflow", "agent_config"}
    near = [key for key in rest if key.casefold().rstrip("s") in {"section", "prompt"}]
    if rest and not near:
        draft.plain_document = True
        return
    hint = f'Did you mean "sections" or "prompts" by "{near[0]}"?' if near else ""
    where = draft.fields.key_position(near[0]) if near else draft.fields.position()
    draft.fields.problems.add(
        "no-sections", draft.source, where, "The template has neither prompts nor sections.", hint=hint
    )
