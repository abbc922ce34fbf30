from __future__ import annotations

import pytest

from botarmy.export import plan_commits
from botarmy.records import Decision, Verdict
from botarmy.trace import accepted_groups, trace_requirements, verified_text


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


def launched(snapshot, by, decision="approve"):
    """Return the gate of Launch, which told that R10 is unproven, as it was decided."""
    unproven = Verdict(
        decision=Decision.needs_approval,
        reasons=(
            "requirements_verified: R10 is proven by no executed test: “R1 is light”",
            "requirements_verified: 0.5",
        ),
    )
    hashes = {"quality_report": snapshot.gates[1].hashes["quality_report"]}
    changes = {"phase": "Launch", "verdict": unproven, "decided_by": by, "decision": decision, "hashes": hashes}
    return snapshot.gates[1].model_copy(update=changes)


def test_an_unproven_requirement_rests_on_the_person_who_accepted_it(make_snapshot, make_versions):
    snapshot = make_snapshot(by="policy:auto")
    rows = trace_requirements(make_versions(), (*snapshot.gates, launched(snapshot, "Ann")))
    accepted = rows[1].accepted
    assert accepted is not None
    assert (accepted.by, accepted.phase, accepted.current) == ("Ann", "Launch", True)
    assert accepted.at.startswith("2026-01-02T03:05:35")
    assert (rows[1].status, rows[1].approval) == ("uncovered", None)
    assert rows[0].accepted is None
    assert accepted_groups(rows) == ((accepted, ("R10",)),)


@pytest.mark.parametrize(("by", "decision"), [("policy:auto", "approve"), ("Ann", "reject")])
def test_neither_the_policy_nor_a_rejection_accepts_anything(make_snapshot, make_versions, by, decision):
    snapshot = make_snapshot()
    rows = trace_requirements(make_versions(), (*snapshot.gates, launched(snapshot, by, decision)))
    assert rows[1].accepted is None


def test_an_acceptance_of_other_versions_is_not_current(make_snapshot, make_versions):
    snapshot = make_snapshot()
    gate = launched(snapshot, "Ann").model_copy(update={"hashes": {"quality_report": "f" * 64}})
    accepted = trace_requirements(make_versions(), (gate,))[1].accepted
    assert accepted is not None
    assert not accepted.current


def test_the_export_says_what_was_accepted_from_its_phase_on(make_snapshot, make_versions):
    snapshot = make_snapshot()
    gate = launched(snapshot, "Ann").model_copy(update={"phase": "Build"})
    commits = plan_commits(
        snapshot.model_copy(update={"gates": (*snapshot.gates, gate)}), make_versions(), lambda _: ()
    )
    first, last = ({file.path: file.content for file in commit.files}["TRACEABILITY.md"] for commit in commits)
    assert "Accepted without proof by a test: R10, by Ann at Build, attempt 1, 2026-01-02T03:05:35+00:00.\n" in last
    assert "Accepted" not in first
