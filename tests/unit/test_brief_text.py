"""Reading briefs: bytes to clean text, sentences, title and slug."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botarmy.brief import clean, read_brief, sentences, slugify, title
from botarmy.errors import BriefError
from botarmy.outline import LONGEST, passages


def texts(brief: str) -> list[str]:
    return [sentence.text for sentence in sentences(brief)]


def test_strips_byte_order_mark_line_ends_and_controls() -> None:
    data = b"\xef\xbb\xbfOne.\r\n\x1b[31mRed\x1b[0m \x1b]0;title\x07bell\x08\tTab.\r\x9b".replace(b"\x9b", b"\xc2\x9b")
    assert read_brief(data) == "One.\nRed bell\tTab."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"---", "empty"),
        (b"a\x00b", "binary"),
        (b"caf\xe9", "byte 3"),
        ("hi".encode("utf-16"), "UTF-16"),
        (b"x" * 11, "too large: it has more than 10 bytes"),
    ],
)
def test_refuses_what_is_no_brief_and_says_why(data: bytes, words: str) -> None:
    with pytest.raises(BriefError, match=words) as caught:
        read_brief(data, limit=10)
    assert caught.value.hint


def test_numbers_sentences_of_prose_lists_tables_and_code() -> None:
    brief = """# Library

    A library lends books to e.g. members. Dr. Who
    agrees!

    A book has:
    - a title (required)
    - copies, between 1 and 10. At least one.

    | Field | Type |
    |-------|------|
    | name  | text |

    ```
    keep * this
    ```
    """.replace("\n    ", "\n")
    found = sentences(brief)
    assert [sentence.id for sentence in found] == [f"S{number}" for number in range(1, 8)]
    assert [sentence.text for sentence in found] == [
        "A library lends books to e.g. members.",
        "Dr. Who agrees!",
        "a title (required)",
        "copies, between 1 and 10.",
        "At least one.",
        "Field: name; Type: text",
        "keep * this",
    ]


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        ("図書館は本を貸す。会員は名前を持つ！", ["図書館は本を貸す。", "会員は名前を持つ！"]),
        ("किताब का नाम है। सदस्य है।", ["किताब का नाम है।", "सदस्य है।"]),
        ("هل هذا كتاب؟ نعم.", ["هل هذا كتاب؟", "نعم."]),
        ("Price is 3.5 euro. Ok", ["Price is 3.5 euro.", "Ok"]),
        ("It loads in 500 ms. It is calm.", ["It loads in 500 ms.", "It is calm."]),
        ("It takes 5 min. Then it ends.", ["It takes 5 min.", "Then it ends."]),
        ("A grade is a, b or c. It is required.", ["A grade is a, b or c.", "It is required."]),
        ("Ms. J. Smith, i. d. R. Chefin.", ["Ms. J. Smith, i. d. R. Chefin."]),
        (
            "Books have a title\nMembers have a name and an address",
            ["Books have a title", "Members have a name and an address"],
        ),
        ("# Only a heading", ["Only a heading"]),
        ("# A\n## Search books\n## Borrow books", ["Search books", "Borrow books"]),
        ("# A loan must be returned\nText.", ["A loan must be returned", "Text."]),
    ],
)
def test_splits_any_script_and_style(brief: str, expected: list[str]) -> None:
    assert texts(brief) == expected


def test_list_items_know_what_they_stand_under() -> None:
    brief = "# Shop\n\n## Orders\n\nAn order in this shop has these fields:\n\n* number\n  * unique\n* total\n\nDone."
    found = {passage.text: passage for passage in passages(brief)}
    assert found["unique"].leads == ("An order in this shop has these fields:", "number")
    assert found["total"].leads == ("An order in this shop has these fields:",)
    assert found["total"].headings == ("Shop", "Orders")
    assert found["Done."].leads == ()


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        ("# City Library\n\nText.", "City Library"),
        ("Build me a todo app", "Todo app"),
        ("We need a tool that tracks parcels. It is small.", "Tool"),
        ("図書館の貸出。二つ目。", "図書館の貸出"),
        ("", "Untitled product"),
    ],
)
def test_title(brief: str, expected: str) -> None:
    assert title(brief) == expected


def test_slug_is_ascii_or_a_stable_hash() -> None:
    assert slugify("Café Übersicht!") == "cafe-uebersicht"
    assert slugify("図書館") == slugify("図書館") != slugify("書館")
    assert slugify("図書館").startswith("project-")
    assert slugify("../../etc") == "etc"
    assert len(slugify("many words " * 20)) <= 40


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_and_no_word_is_lost(text: str) -> None:
    cleaned = clean(text)
    found = passages(cleaned)
    kept = "".join(
        passage.text + "".join(passage.headings) + "".join(name for name, _ in passage.cells) for passage in found
    )
    for word in cleaned.split():
        plain = "".join(character for character in word if character.isalpha() and character.isascii())
        if len(plain) > 1 and plain == word:
            assert word in kept
    assert sentences(cleaned) == sentences(cleaned)
    assert all(sentence.text and len(sentence.text) <= max(LONGEST, len(cleaned)) for sentence in sentences(cleaned))
    assert title(cleaned)
    assert slugify(cleaned)
