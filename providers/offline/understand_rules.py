"""Rules in words, for criteria, tests and documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from botarmy.artifacts import Rule

Lines = Iterator[tuple[str, str, str]]


def amount(value: float | None) -> str:
    """Return a bound as a person writes it."""
    return "" if value is None else f"{value:g}" if not float(value).is_integer() else str(int(value))


def described(rule: Rule) -> Lines:
    """Return (given, when, then) lines for a rule: at least one that must be refused and one that must be accepted."""
    yield from _LINES[rule.kind](rule, rule.entity.replace("_", " "), rule.field.replace("_", " "))


def _required(_: Rule, entity: str, field: str) -> Lines:
    yield (
        f"the values of a {entity} without its {field}",
        "the record is created",
        "it is refused and the answer names the field",
    )


def _unique(_: Rule, entity: str, field: str) -> Lines:
    yield (
        f"a {entity} with some {field}",
        f"another {entity} with the same {field} is created",
        "it is refused as a conflict",
    )


def _bounded(rule: Rule, entity: str, field: str) -> Lines:
    unit = " characters" if rule.kind == "length" else ""
    if rule.minimum is not None:
        low = amount(rule.minimum)
        yield f"a {field} of {low}{unit}", f"the {entity} is created", "it is accepted"
        yield f"a {field} below {low}{unit}", f"the {entity} is created", "it is refused and the answer names the field"
    if rule.maximum is not None:
        high = amount(rule.maximum)
        yield f"a {field} of {high}{unit}", f"the {entity} is created", "it is accepted"
        yield (
            f"a {field} above {high}{unit}",
            f"the {entity} is created",
            "it is refused and the answer names the field",
        )


def _enumeration(rule: Rule, entity: str, field: str) -> Lines:
    yield f"a {field} that is one of {', '.join(rule.values)}", f"the {entity} is stored", "it is accepted"
    yield (
        f"a {field} that is none of {', '.join(rule.values)}",
        f"the {entity} is stored",
        "it is refused and the answer names the field",
    )


def _relation(rule: Rule, entity: str, field: str) -> Lines:
    target = rule.target.replace("_", " ")
    yield f"the id of a {target} that exists", f"a {entity} is created with it as {field}", "it is accepted"
    yield (
        f"the id of no {target}",
        f"a {entity} is created with it as {field}",
        "it is refused and the answer names the field",
    )


def _transition(rule: Rule, entity: str, field: str) -> Lines:
    action, states = rule.action.replace("_", " "), ", ".join(rule.from_states) or "any state"
    yield (
        f"a {entity} whose {field} is one of: {states}",
        f"the action {action} is called",
        f"its {field} becomes {rule.to_state}",
    )
    yield (
        f"a {entity} in any other {field}",
        f"the action {action} is called",
        f"it is refused as a conflict and the {field} stays",
    )


_LINES: dict[str, Callable[[Rule, str, str], Lines]] = {
    "required": _required,
    "unique": _unique,
    "range": _bounded,
    "length": _bounded,
    "enumeration": _enumeration,
    "relation": _relation,
    "transition": _transition,
}
