"""Building Markdown from text that nobody vouches for: whatever it holds, it shows as the characters it is made of.

Three forms: `text` (inline), `code` (inline, verbatim) and `block` (fenced, verbatim). None lets its content become
markup, a link, HTML, a terminal sequence or a reordering of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from botarmy.unsafe_text import UNSAFE

NOTHING = "–"
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKS = re.compile(r"[\\`*\[\]|~&<>$@]|(?<![^\W_])_|_(?![^\W_])")
_ADDRESS = re.compile(r"(?<=:)//|(?<=\bwww)\.", re.IGNORECASE)
_LEADING = re.compile(r"^(\d*)([#+=-]|(?<=\d)[.)])")
_TICKS = re.compile(r"`+")
_LANGUAGES = {
    "cfg": "ini",
    "css": "css",
    "html": "html",
    "ini": "ini",
    "js": "javascript",
    "json": "json",
    "md": "markdown",
    "py": "python",
    "sh": "sh",
    "sql": "sql",
    "toml": "toml",
    "yaml": "yaml",
    "yml": "yaml",
}


def _visible(value: str) -> str:
    """Replace characters that act on a screen instead of showing on it by their names."""
    unix = value.replace("\r\n", "\n").replace("\r", "\n")
    return UNSAFE.sub(lambda match: f"[U+{ord(match.group()):04X}]", unix)


def _one_line(value: str) -> str:
    return _visible(" ".join(value.split()))


def text(value: str) -> str:
    """Return untrusted text as one line of inline Markdown; a dash when there is none."""
    line = _MARKS.sub(lambda match: _HTML.get(match.group(), "\\" + match.group()), _one_line(value))
    line = _ADDRESS.sub(lambda match: "\\" + match.group(), line)
    return _LEADING.sub(r"\1\\\2", line) or NOTHING


def paragraphs(value: str) -> str:
    """Return untrusted text of several paragraphs; single line breaks become spaces."""
    parts = [part for part in re.split(r"\n\s*\n", _visible(value)) if part.strip()]
    return "\n\n".join(text(part) for part in parts) or NOTHING


def code(value: str) -> str:
    """Return untrusted text verbatim in one line of code; a dash when there is none."""
    line = _one_line(value)
    if not line:
        return NOTHING
    fence = "`" * (_longest_ticks(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def block(content: str, language: str = "") -> str:
    """Return untrusted text verbatim as a fenced block; the fence is longer than any in the text."""
    body = _visible(content)
    fence = "`" * max(3, _longest_ticks(body) + 1)
    return f"{fence}{language}\n{body}{'' if body.endswith(chr(10)) or not body else chr(10)}{fence}"


def _longest_ticks(value: str) -> int:
    return max((len(match) for match in _TICKS.findall(value)), default=0)


def file_block(path: str, content: str) -> str:
    """Return a file of a generated tree: its path as a heading, its content verbatim."""
    language = _LANGUAGES.get(path.rpartition(".")[2].lower(), "")
    return f"### {code(path)}\n\n{block(content, language)}"


def bullets(items: Iterable[str]) -> str:
    """Return a list of ready Markdown lines; a dash when there is none."""
    return "\n".join(f"- {item}" for item in items) or NOTHING


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of ready Markdown cells; a dash when it has no row."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not lines:
        return NOTHING
    return "\n".join([f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *lines])


def _cell(value: str) -> str:
    # Only a pipe inside of code is bare here; GitHub's tables read it as the end of the cell unless it is escaped.
    return re.sub(r"(?<!\\)\|", r"\\|", value)


def listed(values: Iterable[str]) -> str:
    """Return ids or names as inline code, with commas; a dash when there is none."""
    return ", ".join(code(value) for value in values) or NOTHING


def number(value: float | None) -> str:
    """Return a number without needless digits; "unknown" for None."""
    if value is None:
        return "unknown"
    return str(int(value)) if value == int(value) and abs(value) < 10**15 else f"{value:.6g}"


def share_of(value: float | None) -> str:
    """Return a share 0..1 as a percentage; "unknown" for None."""
    return "unknown" if value is None else f"{100 * value:.1f} %"


def document(title: str, *sections: tuple[str, str]) -> str:
    """Return a whole document: a title that is ready Markdown, and sections of heading and ready body."""
    parts = [f"# {title}"]
    for heading, body in sections:
        parts += ([f"## {heading}"] if heading else []) + [body]
    return "\n\n".join(parts) + "\n"
