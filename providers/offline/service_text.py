"""Turns untrusted words into program text: Python literals, identifiers, Markdown."""

from __future__ import annotations

import json
import keyword
import re
import textwrap
import unicodedata
from collections.abc import Iterable

LINE = 100
"""Columns that generated lines of data try to keep."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")


def literal(value: object) -> str:
    """Write a string, number, boolean or None as a Python literal, preferring double quotes as formatters do."""
    if not isinstance(value, str):
        return repr(value)
    # repr escapes everything that does not print: line ends, direction marks, lone surrogates. With both kinds of
    # quotes in it, it takes single ones outside.
    inner = repr(value + "'\"")[1:-4]
    if value.count('"') > value.count("'"):
        return f"'{inner}'"
    inner = inner.replace("\\'", "'").replace('"', '\\"')
    return f'"{inner}"'


def wrapped_literal(value: str, indent: int) -> str:
    """Write a string; a long one as several adjacent literals in parentheses, one a line."""
    if indent + len(literal(value)) <= LINE:
        return literal(value)
    width = max(LINE - indent - 8, 20)
    pieces = [literal(piece) for piece in _pieces(value, width)]
    pad = " " * (indent + 4)
    return "(\n" + "".join(f"{pad}{piece}\n" for piece in pieces) + " " * indent + ")"


def _pieces(value: str, width: int) -> Iterable[str]:
    piece = ""
    for character in value:
        if piece and len(literal(piece + character)) > width:
            yield piece
            piece = ""
        piece += character
    yield piece


def identifier(text: str, fallback: str = "item") -> str:
    """Return an ASCII snake_case name that is no keyword, made from any text."""
    name = name_part(text) or fallback
    if name[0].isdigit() or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        name = f"{fallback}_{name}"
    return name


def name_part(text: str) -> str:
    """Return what of a text can stand inside an identifier; may be empty, a keyword, or begin with a digit."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]


def distinct(texts: Iterable[str], fallback: str) -> list[str]:
    """Return an identifier for each text, in order, all of them different."""
    names: list[str] = []
    for text in texts:
        base = identifier(text, fallback)
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def camel(name: str) -> str:
    """Return the class name of a snake_case name."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def one_line(text: str) -> str:
    """Return the text on one line, without what does not print."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def markdown(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, on one line."""
    escaped = _MARKDOWN.sub(r"\\\1", one_line(text).replace("&", "&amp;").replace("<", "&lt;"))
    return escaped.replace("\\>", "&gt;")


def docstring(text: str, width: int = LINE) -> str:
    """Return text that can stand between triple quotes: one line, no quotes, no backslashes."""
    plain = one_line(text).replace("\\", "/").replace('"', "'")
    return textwrap.shorten(plain, width, placeholder=" …")


def code(text: str) -> str:
    """Return text as a Markdown code span, also inside a table; as plain escaped text where that would not hold it."""
    plain = one_line(text)
    return markdown(plain) if set(plain) & set("`|<&") or not plain.strip() else f"`{plain}`"


def shown_json(value: object) -> str:
    """Return JSON for people: real letters, but nothing that does not print and no tags."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() and char not in "<>" else _escape(char) for char in text)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if char in "<>" else json.dumps(char)[1:-1]
