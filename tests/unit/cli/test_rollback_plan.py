from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from botarmy.brief import is_comment
from botarmy.errors import InputError, UnknownName
from botarmy.records import ArtifactHead, Attempt, Handoff, Provenance, Status
from botarmy.rollback import Source, plan_rerun, plan_rollback, said_of, see_sources
from tests.factories import gate_request

ORDER = ("Discovery", "Plan", "Build")
START = datetime(2026, 1, 1, tzinfo=UTC)


def attempt(phase: str, number: int, status: Status = Status.completed, *, superseded: bool = False, **products: str):
    return Attempt(
        id=UUID(int=ORDER.index(phase) * 100 + number),
        project_id=UUID(int=1),
        phase=phase,
        agent="analyst",
        number=number,
        status=status,
        superseded=superseded,
        handoff=Handoff(from_phase=phase, to_phase=None, artifacts=products, summary="") if products else None,
        started_at=START + timedelta(minutes=number),
    )


def head(kind: str, phase: str, sha256: str, *, stale: bool = False) -> ArtifactHead:
    return ArtifactHead(
        kind=kind,
        version=1,
        sha256=sha256,
        stale=stale,
        provenance=Provenance(
            phase=phase, attempt=1, agent="a", provider="p", model="m", template="t", template_sha256="0"
        ),
        created_at=START,
    )


DONE = (attempt("Discovery", 1, prd="d1"), attempt("Plan", 1, features="p1"), attempt("Build", 1, source="b1"))
HEADS = (head("prd", "Discovery", "d1"), head("features", "Plan", "p1"), head("source", "Build", "b1"))


def test_later_phases_are_set_aside_and_their_artifacts_are_stale():
    plan = plan_rollback(ORDER, DONE, HEADS, "discovery")
    assert plan.attempt.phase == "Discovery"
    assert plan.points == {}
    assert plan.later == ("Plan", "Build")
    assert plan.stale == ("features", "source")
    assert not plan.changes_nothing


def test_the_last_phase_has_nothing_to_set_aside():
    assert plan_rollback(ORDER, DONE, HEADS, "Build").changes_nothing


def test_an_earlier_attempt_is_pointed_at_again():
    attempts = (*DONE[:2], attempt("Build", 1, superseded=True, source="b1"), attempt("Build", 2, source="b2"))
    heads = (*HEADS[:2], head("source", "Build", "b2"))
    assert plan_rollback(ORDER, attempts, heads, "Build").changes_nothing
    plan = plan_rollback(ORDER, attempts, heads, "Build", 1)
    assert plan.points == {"source": "b1"}
    assert plan.attempt.number == 1
    assert not plan.changes_nothing


def test_a_phase_being_done_anew_goes_back_to_its_last_completed_attempt():
    attempts = (*DONE[:2], attempt("Build", 1, superseded=True, source="b1"), attempt("Build", 2, Status.running))
    plan = plan_rollback(ORDER, attempts, HEADS, "Build")
    assert plan.attempt.number == 1
    assert not plan.changes_nothing


def test_a_phase_that_was_never_completed_is_refused():
    attempts = (*DONE[:2], attempt("Build", 1, Status.rejected))
    with pytest.raises(InputError, match="Build was never completed"):
        plan_rollback(ORDER, attempts, HEADS, "Build")
    with pytest.raises(InputError, match="Attempt 7 at Plan was never completed"):
        plan_rollback(ORDER, attempts, HEADS, "Plan", 7)


def test_an_unknown_phase_is_answered_with_those_there_are():
    with pytest.raises(UnknownName) as raised:
        plan_rollback(ORDER, DONE, HEADS, "Deploy")
    assert raised.value.hint == "It has Discovery, Plan, Build."


def test_what_is_stale_already_is_not_marked_again():
    heads = (*HEADS[:2], head("source", "Build", "b1", stale=True))
    assert plan_rollback(ORDER, DONE, heads, "Plan").stale == ()


def test_a_stale_product_of_the_phase_counts_again():
    attempts = (DONE[0], attempt("Plan", 1, superseded=True, features="p1"))
    heads = (HEADS[0], head("features", "Plan", "p1", stale=True))
    assert plan_rollback(ORDER, attempts, heads, "Plan").points == {"features": "p1"}


TWICE = (
    *(attempt(each.phase, 1, superseded=True, **each.handoff.artifacts) for each in DONE if each.handoff),
    *(attempt("Discovery", 2, prd="d2"), attempt("Plan", 2, features="p2"), attempt("Build", 2, source="b2")),
)
HEADS_2 = (head("prd", "Discovery", "d2"), head("features", "Plan", "p2"), head("source", "Build", "b2"))
D1, P1 = (
    Source(kind="prd", sha256="d1", phase="Discovery", attempt=1),
    Source(kind="features", sha256="p1", phase="Plan", attempt=1),
)


@pytest.mark.parametrize(
    ("phase", "sources", "first"),
    [("Plan", (D1,), "Discovery"), ("Build", (P1, D1), "Discovery"), ("Build", (P1,), "Plan")],
)
def test_an_attempt_does_not_count_on_versions_it_was_not_made_from(phase, sources, first):
    plan = plan_rollback(ORDER, TWICE, HEADS_2, phase, 1)
    with pytest.raises(InputError, match=f"Attempt 1 at {phase} was made from attempt 1 at {first}") as refused:
        see_sources(ORDER, TWICE, HEADS_2, plan, sources)
    assert f"botarmy rollback PROJECT --to {first} --attempt 1" in refused.value.hint


def test_an_attempt_does_not_count_while_what_it_was_made_from_is_done_anew():
    attempts = (*TWICE[:3], attempt("Discovery", 2, Status.running))
    plan = plan_rollback(ORDER, attempts, HEADS, "Plan")
    with pytest.raises(InputError, match="made from attempt 1 at Discovery"):
        see_sources(ORDER, attempts, HEADS, plan, (D1,))


def test_an_attempt_counts_on_what_it_was_made_from():
    own = Source(kind="draft", sha256="gone", phase="Plan", attempt=1)  # its own, amended before the gate was decided
    see_sources(ORDER, DONE, HEADS, plan_rollback(ORDER, DONE, HEADS, "Plan"), (D1, own))


def test_a_rerun_sets_the_phase_and_what_came_after_aside():
    plan = plan_rerun(ORDER, DONE, HEADS, "plan")
    assert plan.phases == ("Plan", "Build")
    assert plan.stale == ("features", "source")


def test_a_phase_that_was_never_begun_is_not_done_again():
    with pytest.raises(InputError, match="Build was never begun"):
        plan_rerun(ORDER, DONE[:2], HEADS[:2], "Build")
    aside = (*DONE[:2], attempt("Build", 1, superseded=True, source="b1"))
    with pytest.raises(InputError, match="Build is set aside already"):
        plan_rerun(ORDER, aside, HEADS, "Build")
    assert plan_rerun(ORDER, aside, HEADS, "Build", commented=True).phases == ("Build",)
    with pytest.raises(InputError, match="Build was never begun"):
        plan_rerun(ORDER, DONE[:2], HEADS[:2], "Build", commented=True)


def test_what_people_said_of_attempts_that_are_set_aside_is_handed_on_once():
    first = attempt("Discovery", 2).model_copy(update={"feedback": ("Ann rejected this: A.", "coverage: low")})
    last = attempt("Build", 1, Status.rejected).model_copy(update={"feedback": ("Ann rejected this: A.",)})
    decided = {"attempt_id": last.id, "status": Status.rejected, "decision": "reject"}
    gates = (
        gate_request(**decided, decided_by="ldap:bea", comment="B."),
        gate_request(**decided, decided_by="policy:auto", comment="coverage: low"),
        gate_request(attempt_id=last.id, status=Status.approved, decision="approve", decided_by="Cy", comment="C."),
        gate_request(**{**decided, "attempt_id": UUID(int=999)}, decided_by="Di", comment="D."),
    )
    told = said_of((first, last), gates)
    assert told == ("Ann rejected this: A.", "ldap:bea rejected this: B.")
    assert all(is_comment(text) for text in told)
