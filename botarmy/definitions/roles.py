"""Agent files: Markdown with one fenced YAML block that describes the role."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.fields import Fields, kind_of, root_fields
from botarmy.definitions.markdown import Fence, check_markdown, scan
from botarmy.definitions.models import AgentRole
from botarmy.definitions.near import near_match
from botarmy.definitions.source import Position, Source
from botarmy.definitions.templates import stem_of
from botarmy.definitions.tree import Mapping, Node, Scalar, Sequence, parse_tree, plain

FOLDERS = ("tasks", "templates", "checklists", "data", "utils", "workflows", "agents")
KEYS = ("agent", "persona", "commands", "dependencies", "core_principles")
FREE = ("IDE-FILE-RESOLUTION", "REQUEST-RESOLUTION", "activation-instructions", "root")


@dataclass
class RoleDraft:
    """A role and where its references stand: (folder, name)."""

    role: AgentRole
    source: Source
    dependencies: list[tuple[str, Scalar]] = field(default_factory=list)


def read_role(source: Source, problems: Problems) -> RoleDraft | None:
    """Read an agent file."""
    check_markdown(source, problems, fragment=True)
    _, fences = scan(source)
    blocks = [one for one in fences if one.language.lower() in {"yaml", "yml"} and one.closed]
    described = [one for one in blocks if "agent:" in one.text] or blocks
    if not described:
        if all(one.closed for one in fences):
            message = "The file has no fenced YAML block that describes the agent."
            problems.add("no-agent-block", source, Position(), message)
        return None
    block = described[0]
    inner = Source(source.file, block.text, first_line=block.index + 2, sha256=source.sha256)
    fields = root_fields(inner, problems, parse_tree(inner, problems), "the agent's block")
    return _role(fields, source, block) if fields is not None else None


def _role(fields: Fields, source: Source, block: Fence) -> RoleDraft | None:
    agent = fields.fields("agent", required=True)
    if agent is None:
        _rest(fields)
        return None
    identifier = agent.name("id", required=True)
    draft = RoleDraft(AgentRole(name=stem_of(source.file), sha256=source.sha256, file=source.file), fields.source)
    known: dict[str, Any] = {
        "name": identifier.text if identifier else stem_of(source.file),
        "persona_name": agent.text("name"),
        "title": agent.text("title"),
        "when_to_use": agent.text("whenToUse"),
        "customization": _words(agent, "customization"),
        "provider": agent.text("provider"),
        "model": agent.text("model"),
    }
    agent.text("icon")
    for key in FREE:
        fields.data(key)
    persona = fields.fields("persona")
    known["principles"] = (*_principles(persona), *_principles(fields))
    known["persona"] = _persona(persona)
    known["commands"] = _commands(fields)
    known["dependencies"] = _dependencies(fields, draft)
    known["instructions"] = _prose(source, block)
    known["extra"] = agent.finish() | _rest(fields)
    draft.role = draft.role.model_copy(update=known)
    return draft


def _words(fields: Fields, key: str) -> str:
    value = fields.data(key)
    return "" if value is None else value if isinstance(value, str) else "\n".join(_flat(value))


def _flat(value: Any) -> list[str]:
    """Turn nested lists and mappings into lines; `- WORD: text` came from a line with a colon in it."""
    if isinstance(value, dict):
        return [line for key, one in value.items() for line in _keyed(str(key), one)]
    if isinstance(value, list):
        return [line for one in value for line in _flat(one)]
    return [] if value is None else [str(value)]


def _keyed(key: str, value: Any) -> list[str]:
    lines = _flat(value)
    if not isinstance(value, dict | list):
        return [f"{key}: {lines[0]}" if lines else key]
    return [f"{key}:", *(f"  {line}" for line in lines)]


def _principles(fields: Fields | None) -> tuple[str, ...]:
    return tuple(_flat([plain(one) for one in fields.nodes("core_principles", single=True)])) if fields else ()


def _persona(persona: Fields | None) -> dict[str, Any]:
    if persona is None:
        return {}
    for key in ("role", "style", "identity", "focus"):
        persona.text(key)
    return {key: plain(node) for key, (_, node) in persona.node.pairs.items() if key != "core_principles"}


def _commands(fields: Fields) -> tuple[str, ...]:
    """Commands are one-key mappings, texts, or one mapping of all."""
    node = fields.take("commands")
    if node is None:
        return ()
    if isinstance(node, Mapping):
        return tuple(node.pairs)
    if not isinstance(node, Sequence):
        fields.wrong("commands", node, "a list or a mapping")
        return ()
    return tuple(_command(one) for one in node.items)


def _command(node: Node) -> str:
    if isinstance(node, Mapping):
        return next(iter(node.pairs), "")
    return node.text if isinstance(node, Scalar) else ""


def _dependencies(fields: Fields, draft: RoleDraft) -> dict[str, tuple[str, ...]]:
    group = fields.fields("dependencies")
    if group is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for folder in FOLDERS:
        names = group.scalars(folder, single=True)
        draft.dependencies += [(folder, one) for one in names]
        if names:
            found[folder] = tuple(one.text for one in names)
    group.finish()
    return found


def _rest(fields: Fields) -> dict[str, Any]:
    """Any further key of an agent is instruction to the model: kept, and part of its system prompt.

    Only what is misspelt is reported: a key that is nearly one of the format's own.
    """
    own = [one for one in KEYS if one not in fields.node.pairs]
    extra: dict[str, Any] = {}
    for name, (key, node) in fields.node.pairs.items():
        if name in fields.known:
            continue
        extra[name] = plain(node)
        near = near_match(name, own, cutoff=0.8)
        if near:
            fields.problem("unknown-key", key, f'The agent has the key "{name}".', f'Did you mean "{near}"?')
        elif isinstance(node, Scalar) and node.value is None:
            fields.problem("unknown-key", key, f'The key "{name}" is {kind_of(node)} and has no effect.')
    return extra


def _prose(source: Source, block: Fence) -> str:
    """Return the text around the block, without the block."""
    size = block.text.count("\n") + 2
    lines = source.lines[: block.index] + source.lines[block.index + size :]
    return "\n".join(lines).strip()


def system_text(role: AgentRole) -> str:
    """Return the system prompt that an agent file stands for.

    The file's own prose speaks to an editor's assistant (which files to load, how to greet); what describes the role
    goes into the prompt: title, persona, principles, customization.
    """
    head = f"You are {role.persona_name or role.name}" + (f", {role.title}." if role.title else ".")
    lines = [head]
    lines += [f"{str(key).replace('_', ' ').capitalize()}: {one}" for key, one in role.persona.items() if _is_word(one)]
    if role.principles:
        lines += ["", "Principles:", *(f"- {one}" for one in role.principles)]
    if role.customization:
        lines += ["", "This takes precedence over everything above:", role.customization.strip()]
    return "\n".join(lines)


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
