"""Bytes to text: encoding, size and characters are checked before any parser sees them."""

from __future__ import annotations

import re

from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.limits import LIMITS, Limits
from botarmy.definitions.source import Position, Source

# YAML's unprintable characters: what terminals obey and parsers refuse.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
BOM = "\ufeff"


def read_source(file: str, data: bytes, problems: Problems, limits: Limits = LIMITS) -> Source | None:
    """Return the text of a file, or None when it cannot be used; the reason is recorded."""
    if len(data) > limits.file_bytes:
        nothing = Source(file, "")
        problems.add(
            "file-too-large", nothing, Position(), f"The file has {len(data)} bytes; {limits.file_bytes} are allowed."
        )
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _not_utf8(file, data, error, problems)
        return None
    return check_text(file, text, problems)


def check_text(file: str, text: str, problems: Problems) -> Source | None:
    """Return a source whose line ends are line feeds and which holds no control character."""
    marked = text.startswith(BOM)
    text = text.removeprefix(BOM).replace("\r\n", "\n")
    source = Source(file, text)
    if marked:
        problems.add("byte-order-mark", source, Position(), "The file begins with a byte order mark.")
    found = CONTROL.search(text) or re.search("\r", text)
    if found:
        position = position_at(source, found.start())
        problems.add("control-character", source, position, f"Character U+{ord(found.group()):04X} is not text.")
        return None
    if not text.strip():
        problems.add("empty-file", source, Position(), "The file is empty.")
        return None
    return source


def position_at(source: Source, offset: int) -> Position:
    """Return the position of an offset in a source's text."""
    before = source.text[:offset]
    return source.at(before.count("\n"), offset - (before.rfind("\n") + 1))


def _not_utf8(file: str, data: bytes, error: UnicodeDecodeError, problems: Problems) -> None:
    before = data[: error.start].decode("utf-8")
    source = Source(file, data.decode("utf-8", "replace"))
    position = position_at(Source(file, before), len(before))
    problems.add("not-utf8", source, position, f"Byte 0x{data[error.start]:02x} is not UTF-8.")
