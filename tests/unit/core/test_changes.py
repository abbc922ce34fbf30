from botarmy.changes import COMPARED_LINES, EXCERPT_LINES, LINE_LIMIT, summarise_change


def test_counts_and_quotes_the_changed_lines() -> None:
    found = summarise_change("# Plan\n- title\n--- rule\n", "# Plan\n- title, isbn\n--- rule\n- lend\n")
    assert found == {"added": 2, "removed": 1, "lines": ["- - title", "+ - title, isbn", "+ - lend"]}


def test_a_removed_rule_of_dashes_is_a_change_like_any_other() -> None:
    assert summarise_change("a\n--- b\n", "a\n") == {"added": 0, "removed": 1, "lines": ["- --- b"]}


def test_the_same_text_has_no_change() -> None:
    assert summarise_change("a\nb\n", "a\nb\n") == {"added": 0, "removed": 0, "lines": []}


def test_long_changes_are_counted_in_full_and_quoted_in_part() -> None:
    found = summarise_change("", "\n".join(f"{number} {'x' * 500}" for number in range(100)))
    assert found is not None
    assert found["added"] == 100
    assert len(found["lines"]) == EXCERPT_LINES
    assert {len(line) for line in found["lines"]} == {LINE_LIMIT}


def test_a_very_long_document_is_not_compared_while_somebody_waits() -> None:
    assert summarise_change("a\n", "b\n" * (COMPARED_LINES + 1)) is None
