from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.terminal import clean, one_line, to_json, write_table

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202egnp.exe\u2066\u2028[red]x[/red]\ud800"


def test_nothing_that_moves_the_cursor_or_hides_text_passes():
    assert clean(HOSTILE) == "]0;owned[2J31mgnp.exe[red]x[/red]"


def test_newlines_and_tabs_stay():
    assert clean("a\tb\r\nc\nd") == "a\tb\nc\nd"


@given(text=st.text(max_size=200))
def test_cleaned_text_is_encodable_and_printable(text):
    shown = clean(text)
    shown.encode()
    assert all(char in "\n\t" or char.isprintable() or not char.isascii() for char in shown)


def test_a_line_is_cut_with_an_ellipsis():
    assert one_line("one\n two  three", 9) == "one two…"
    assert one_line("short", 9) == "short"


def test_json_is_safe_on_a_screen_and_loses_nothing():
    text = to_json({"name": HOSTILE, "title": "Büchér"})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "Büchér" in text
    assert json.loads(text) == {"name": HOSTILE, "title": "Büchér"}


def test_a_pipe_gets_plain_aligned_columns(capsys):
    write_table(("NAME", "N"), [("本", "1"), ("ab\x1b[31m", "22")])
    assert capsys.readouterr().out == "NAME    N\n本      1\nab[31m  22\n"


def test_a_terminal_gets_text_and_no_markup(capsys, monkeypatch):
    monkeypatch.setattr("cli.terminal.is_terminal", lambda: True)
    write_table(("NAME",), [("[bold red]x[/]",)])
    assert "[bold red]x[/]" in capsys.readouterr().out


@pytest.mark.parametrize("rows", [[], [("a", "")]])
def test_tables_may_be_empty(capsys, rows):
    write_table(("A", "B"), rows)
    assert capsys.readouterr().out.startswith("A  B\n")
