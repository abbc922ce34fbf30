"""A rejection, a void question and an amendment stay visible after a later attempt was approved."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from botarmy.decisions import Amendment, Voided
from botarmy.export import plan_commits
from botarmy.overview import Snapshot, decisions_of, model_note, overview
from botarmy.records import Status
from cli.show import write_overview
from tests.unit.cli.conftest import MakeSnapshot, MakeVersions

FORGED = "Bob\nDecided-By: Eve"
LONG = "Prices need a currency. " * 30


@pytest.fixture
def snapshot(make_snapshot: MakeSnapshot) -> Snapshot:
    """Build as attempt 2: attempt 1 was amended, so its first gate is void, and then rejected."""
    made = make_snapshot(by="Ann")
    first = made.attempts[1].model_copy(update={"id": UUID(int=50), "status": Status.rejected})
    second = made.attempts[1].model_copy(update={"number": 2})
    approved = made.gates[1].model_copy(update={"attempt": 2})
    asked = {"attempt_id": first.id, "attempt": 1}
    void = approved.model_copy(
        update=asked
        | {"id": UUID(int=60), "status": Status.cancelled, "decision": None, "decided_by": None, "decided_at": None}
    )
    rejected = approved.model_copy(
        update=asked
        | {
            "id": UUID(int=61),
            "status": Status.rejected,
            "decision": "reject",
            "decided_by": FORGED,
            "comment": LONG,
            "decided_at": first.started_at + timedelta(seconds=20),
        }
    )
    at = first.started_at + timedelta(seconds=10)
    amended = Amendment(
        phase="Build",
        attempt=1,
        kind="source_code",
        version=2,
        sha256="d" * 64,
        by="Cleo",
        at=at - timedelta(seconds=1),
    )
    return made.model_copy(
        update={
            "attempts": (made.attempts[0], first, second),
            "gates": (made.gates[0], void, rejected, approved),
            "amendments": (amended,),
            "voids": {void.id: Voided(by="Cleo", at=at, reason="source_code was amended")},
        }
    )


def test_every_decision_stands_in_order_with_who_and_why(snapshot: Snapshot) -> None:
    told = [(line.attempt, line.words, line.by) for line in decisions_of(snapshot) if line.phase == "Build"]
    assert told == [
        (1, "amended source_code@2", "Cleo"),
        (1, "void", "Cleo"),
        (1, "rejected", FORGED),
        (2, "approved", "Ann"),
    ]


def test_show_names_person_time_and_the_whole_comment(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    write_overview(snapshot)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rejected = next(line for line in lines if line[:3] == ["Build", "1", "rejected"])
    assert rejected == ["Build", "1", "rejected", "Bob", "Decided-By:", "Eve", "2026-01-02", "03:05:25", *LONG.split()]
    assert any(line[:5] == ["Build", "1", "amended", "source_code@2", "Cleo"] for line in lines)
    assert any(line[:4] == ["Build", "1", "void", "Cleo"] and line[-1] == "amended" for line in lines)


def test_the_document_has_every_decision_with_the_hashes_that_it_binds(snapshot: Snapshot) -> None:
    told = overview(snapshot)["phases"][1]["decisions"]
    assert [each["what"] for each in told] == ["amended", "void", "rejected", "approved"]
    assert (told[2]["comment"], told[2]["at"]) == (LONG, "2026-01-02T03:05:25+00:00")
    assert told[2]["hashes"] == snapshot.gates[2].hashes


def test_the_commit_names_who_rejected_and_who_amended(snapshot: Snapshot, make_versions: MakeVersions) -> None:
    commit = plan_commits(snapshot, make_versions(), lambda _: ())[1]
    assert commit.message.splitlines()[-3:] == [
        "Amended-By: Cleo (source_code@2)",
        "Rejected-By: Bob Decided-By: Eve (attempt 1)",
        "Decided-By: Ann",
    ]
    assert LONG[:20] not in commit.message


def test_the_evidence_lists_rejections_and_amendments(snapshot: Snapshot, make_versions: MakeVersions) -> None:
    commits = plan_commits(snapshot, make_versions(), lambda _: ())
    first, last = ({file.path: file.content for file in commit.files}["docs/evidence.md"] for commit in commits)
    rejection = f"| Build | 1 | pass | rejected | Bob Decided-By: Eve | 2026-01-02 03:05:25 | {LONG.strip()} |"
    assert rejection in last
    assert "| Build | 1 |  | amended source\\_code@2 | Cleo | 2026-01-02 03:05:14 |  |" in last
    assert "| Build |" not in first


def test_what_a_rerun_set_aside_is_told_and_said_to_be_so(snapshot: Snapshot, make_versions: MakeVersions) -> None:
    aside = snapshot.attempts[1].model_copy(update={"superseded": True})
    changed = snapshot.model_copy(update={"attempts": (snapshot.attempts[0], aside, snapshot.attempts[2])})
    assert "rejected, set aside" in {line.words for line in decisions_of(changed)}
    assert "Rejected-By" not in plan_commits(changed, make_versions(), lambda _: ())[1].message


def test_a_persons_version_is_said_in_status_and_readme(snapshot: Snapshot, make_versions: MakeVersions) -> None:
    versions = make_versions()
    code = versions["source_code"]
    person = code.provenance.model_copy(update={"agent": "person:Cleo_", "provider": "person", "model": "none"})
    versions |= {"source_code": code.model_copy(update={"provenance": person, "version": 2})}
    assert model_note(versions.values()) == "scaffold, no model; amended by Cleo_"
    models = make_versions("openai")
    assert model_note((models | {"source_code": versions["source_code"]}).values()) == "amended by Cleo_"
    heads = tuple(
        head.model_copy(update={"provenance": person}) if head.kind == "source_code" else head
        for head in snapshot.heads
    )
    commit = plan_commits(snapshot.model_copy(update={"heads": heads}), versions, lambda _: ())[1]
    readme = {file.path: file.content for file in commit.files}["README.md"]
    assert "Status: completed (scaffold, no model; amended by Cleo\\_)." in readme
    assert "Amended by persons: Cleo\\_ (source\\_code@2)." in readme
    assert "person/none" not in readme
