"""Whatever a text holds, a Markdown reader shows it as text. Held against a real CommonMark parser with tables."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from botarmy.render_parts import block, bullets, code, document, file_block, number, paragraphs, share_of, table, text

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HIDDEN = "\x00\x1b\x07\x9b\u202e\u2066\ufeff\u200f\u061c"
nasty = st.text(
    alphabet=st.one_of(st.sampled_from("`*_[]()<>|~\\!#+-=.&:;/@$0123456789 \n\tab" + HIDDEN), st.characters()),
    max_size=40,
)


def plain(value):
    return not any(char in HIDDEN for char in value) and value.isprintable()


def inline(markdown):
    tokens = PARSER.parse(markdown)
    assert [one.type for one in tokens] == ["paragraph_open", "inline", "paragraph_close"], markdown
    return tokens[1].children


@given(nasty.filter(str.strip))
@example("# heading")
@example("1. list")
@example("1) list")
@example("- - -")
@example("=\n===")
@example("+ a")
@example("    indented code")
@example("<script>alert(1)</script>")
@example("[x](javascript:alert(1)) ![y](z) <http://a.b>")
@example("&lt;b&gt; &amp; &#60;")
@example("a | b\n|---|\n| c |")
@example("~~~\nfence\n~~~")
@example("```\nfence\n```")
@example("__init__ _x_ *y* **z** snake_case_name")
@example("a\\")
@example("[ref]: http://example.org")
def test_text_shows_as_its_characters(value):
    children = inline(text(value))
    assert {one.type for one in children} <= {"text", "text_special"}
    seen = "".join(one.content for one in children)
    if plain(" ".join(value.split())):
        assert seen == " ".join(value.split())


@given(nasty)
def test_text_stays_in_its_table_cell(value):
    rendered = table(("A", "B"), [(text(value), code(value))])
    tokens = PARSER.parse(rendered)
    cells = [one for one in tokens if one.type == "td_open"]
    assert len(cells) == 2
    assert not any("html" in child.type or "link" in child.type for one in tokens for child in one.children or ())
    if plain(" ".join(value.split())) and value.strip():
        contents = ["".join(child.content for child in one.children) for one in tokens if one.type == "inline"][2:]
        assert contents == [" ".join(value.split())] * 2


@given(nasty.filter(lambda value: value.strip() != ""))
def test_code_shows_verbatim_on_one_line(value):
    children = inline(code(value))
    assert [one.type for one in children] == ["code_inline"]
    if plain(" ".join(value.split())):
        assert children[0].content == " ".join(value.split())


@given(nasty)
@example("```\n# not a heading\n```` ` `````")
def test_a_block_holds_everything(value):
    tokens = PARSER.parse(block(value, "python"))
    assert [one.type for one in tokens] == ["fence"]
    if not any(char in HIDDEN for char in value) and all(char.isprintable() or char in "\n\t" for char in value):
        assert tokens[0].content == (value if value.endswith("\n") or not value else value + "\n")


@given(nasty)
def test_nothing_that_acts_on_a_screen_survives(value):
    for rendered in (text(value), code(value), block(value), paragraphs(value)):
        assert not any(char in HIDDEN for char in rendered)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("http://evil.example", "http:\\//evil.example"),
        ("see WWW.evil.example", "see WWW\\.evil.example"),
        ("me@evil.example", "me\\@evil.example"),
        ("1. x", "1\\. x"),
        ("snake_case", "snake_case"),
        ("", "–"),
        ("\x1b[31mred", "\\[U+001B\\]\\[31mred"),
        ("a\u202eb", "a\\[U+202E\\]b"),
        ("a\ud800b", "a\\[U+D800\\]b"),
    ],
)
def test_text_of_addresses_and_controls(value, wanted):
    assert text(value) == wanted


def test_paragraphs_stay_apart():
    assert paragraphs("a\nb\n\n# c") == "a b\n\n\\# c"
    assert paragraphs(" \n\n ") == "–"


def test_a_file_has_its_path_as_heading_and_its_language():
    assert file_block("app/`x`.py", "print()\n") == "### ``app/`x`.py``\n\n```python\nprint()\n```"
    assert file_block("Dockerfile", "FROM x") == "### `Dockerfile`\n\n```\nFROM x\n```"


def test_empty_lists_and_tables_are_a_dash():
    assert bullets([]) == "–"
    assert table(("A",), []) == "–"
    assert code(" \n") == "–"


@pytest.mark.parametrize(
    ("value", "wanted"), [(None, "unknown"), (3.0, "3"), (0.25, "0.25"), (1e300, "1e+300"), (2 / 3, "0.666667")]
)
def test_numbers(value, wanted):
    assert number(value) == wanted


def test_shares():
    assert share_of(0.9841) == "98.4 %"
    assert share_of(None) == "unknown"


def test_a_document_ends_with_one_newline():
    assert document("T", ("", "a"), ("H", "b")) == "# T\n\na\n\n## H\n\nb\n"
