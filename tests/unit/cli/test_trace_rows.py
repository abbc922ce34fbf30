from __future__ import annotations

from botarmy.trace import trace_requirements, verified_text


def test_a_requirement_is_followed_to_everything_that_names_it(make_snapshot, make_versions):
    row = trace_requirements(make_versions(), make_snapshot().gates)[0]
    assert row.features == ("F1",)
    assert row.criteria == ("AC1",)
    assert row.operations == ("list_books", "create_book")
    assert row.files == ("app/store.py", "app/rules.py", "tests_acceptance/test_rules.py")
    assert [(test.id, test.outcome) for test in row.tests] == [("test_rules.test_title", "passed")]
    assert row.status == "verified"
    assert row.evidence == ("a" * 64,)
    assert row.approval is not None
    assert (row.approval.by, row.approval.phase, row.approval.current) == ("Ada", "Build", True)


def test_a_longer_id_is_no_mention_of_a_shorter_one(make_versions):
    row = trace_requirements(make_versions())[1]
    assert row.id == "R10"
    assert row.files == ()
    assert row.status == "uncovered"
    assert row.tests == ()
    assert row.approval is None


def test_a_planned_file_that_was_never_written_is_not_shown(make_versions):
    rows = trace_requirements(make_versions())
    assert all("app/absent.py" not in row.files for row in rows)


def test_a_decision_on_an_older_version_is_not_current(make_snapshot, make_versions):
    versions = make_versions()
    results = versions["test_results"].model_copy(update={"sha256": "f" * 64})
    rows = trace_requirements(versions | {"test_results": results}, make_snapshot().gates)
    assert rows[0].approval is not None
    assert not rows[0].approval.current


def test_nothing_made_yet_gives_no_rows():
    assert trace_requirements({}) == ()


def test_requirements_without_anything_else_are_uncovered(make_versions):
    versions = make_versions()
    rows = trace_requirements({"user_requirements": versions["user_requirements"]})
    assert [row.status for row in rows] == ["uncovered", "uncovered"]


def test_a_sentence_that_asks_for_nothing_is_context_and_not_counted(make_versions):
    versions = make_versions()
    background = versions["user_requirements"].content["requirements"][1] | {"kind": "context"}
    asking = versions["user_requirements"].content["requirements"][0]
    changed = versions["user_requirements"].model_copy(update={"content": {"requirements": [asking, background]}})
    rows = trace_requirements(versions | {"user_requirements": changed})
    assert [row.status for row in rows] == ["verified", "context"]
    assert verified_text(rows).startswith("1 of 1 requirements are verified")
