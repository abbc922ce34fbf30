"""One list of the characters that act on a screen, kept by all who write text of others."""

from __future__ import annotations

import pytest

from botarmy.export_documents import cell
from botarmy.render_parts import text
from botarmy.unsafe_text import UNSAFE, visible_line
from cli.terminal import clean, to_json

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = "".join(map(chr, (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0))))
OTHERS = "\u2028\u2029\u2060\u206a\ufeff\ufff9\ud800\udfff"


@pytest.mark.parametrize("char", BIDI + CONTROLS + OTHERS, ids=lambda char: f"U+{ord(char):04X}")
def test_nobody_lets_one_through(char):
    assert UNSAFE.fullmatch(char)
    for write in (visible_line, cell, text, clean, to_json):
        assert char not in write(f"a{char}b"), write


@pytest.mark.parametrize("char", "\t\n aä本\u200c\u200d🙂", ids=lambda char: f"U+{ord(char):04X}")
def test_what_texts_are_made_of_is_safe(char):
    assert not UNSAFE.search(char)
