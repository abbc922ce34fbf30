"""The characters that act on whatever shows a text instead of showing in it: the one list of them.

Text of a model, of a brief or of a person may hold them. Who writes such text to a screen, into a document, a commit or a
name replaces or refuses them; how, is theirs to say.
"""

from __future__ import annotations

import re

UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f"  # C0 but tab and newline
    "\x7f-\x9f"  # DEL and C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides, isolates
    "\u2028\u2029"  # line and paragraph separator
    "\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # invisible: joiners, deprecated formats, byte order mark, annotations
    "\ud800-\udfff"  # lone surrogates, which no encoding takes
    "]"
)


def visible_line(text: str) -> str:
    """Return the text on one line, a blank in place of each run of blanks, line breaks and unsafe characters."""
    return " ".join(UNSAFE.sub(" ", text).split())
