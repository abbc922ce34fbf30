"""What a gate says of comments that were not heeded, and of the last attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from botarmy.records import Attempt, Decision, Status, WorkResult
from storage.definitions import default_directory, load_core
from tasks.way_on import Standing, reading_phase, with_way_on
from tests.factories import verdict

COMMENT = "Ann rejected this: Names are unique."
REASON = "coverage: 0.5 measured, 0.7 wanted"


def attempt(phase: str, *feedback: str, deterministic: bool = True) -> Attempt:
    return Attempt(
        id=UUID(int=2),
        project_id=UUID(int=1),
        phase=phase,
        agent="coder",
        number=2,
        status=Status.running,
        feedback=feedback,
        result=WorkResult(deterministic=deterministic),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def standing(**changes: Any) -> Standing:
    return Standing(**({"slug": "books", "reads_comments": "Discovery", "same": False, "last": False} | changes))


def passed() -> Any:
    return verdict()


def test_the_phase_that_makes_the_requirements_reads_comments() -> None:
    core = load_core(default_directory())
    assert reading_phase(core.workflow("sdlc")) == "Discovery"


@pytest.mark.parametrize("same", [True, False])
def test_a_comment_at_a_later_phase_is_sent_to_where_the_scaffold_generator_reads_it(same: bool) -> None:
    said = with_way_on(passed(), attempt("Launch", COMMENT, REASON), standing(same=same))
    assert said.decision is Decision.needs_approval
    (reason,) = said.reasons
    assert "in Discovery only: `botarmy rerun books --from Discovery` hands them on" in reason
    assert ("nothing changed since the rejection" in reason) is same


@pytest.mark.parametrize(
    ("found", "same", "words"),
    [
        (attempt("Discovery", COMMENT), True, "does not understand its words: reject with others"),
        (attempt("Build", COMMENT, deterministic=False), True, "reject with other words, or amend the artifact"),
        (attempt("Build", REASON), True, "nothing changed since the rejection; reject with other words"),
        (attempt("Discovery", COMMENT), False, ""),
        (attempt("Build", COMMENT, deterministic=False), False, ""),
        (attempt("Build", REASON), False, ""),
    ],
)
def test_what_changed_nothing_is_said_and_what_was_heeded_is_not(found: Attempt, same: bool, words: str) -> None:
    said = with_way_on(passed(), found, standing(same=same))
    assert (said.decision is Decision.passed) == (not words)
    assert words in " ".join(said.reasons)


def test_the_last_attempt_says_what_its_rejection_does_and_how_to_go_on() -> None:
    open_verdict = verdict(Decision.needs_approval, "question: Why?")
    said = with_way_on(open_verdict, attempt("Build"), standing(last=True))
    assert said.reasons[0] == "question: Why?"
    assert (
        "last one at Build; rejected, it stops the project, and `botarmy rerun books --from Discovery`"
        in said.reasons[1]
    )
    by_model = with_way_on(open_verdict, attempt("Build", deterministic=False), standing(last=True))
    assert "`botarmy rerun books --from Build`" in by_model.reasons[1]
    assert with_way_on(passed(), attempt("Build"), standing(last=True)).reasons == ()


def test_a_rejected_verdict_stays_one() -> None:
    rejected = verdict(Decision.reject, REASON)
    said = with_way_on(rejected, attempt("Build", COMMENT), standing(same=True))
    assert said.decision is Decision.reject
    assert REASON in said.reasons
