"""What a gate says of the way on: where a comment would be heeded, and what a rejection of the last attempt means."""

from __future__ import annotations

from dataclasses import dataclass

from botarmy.brief import is_comment
from botarmy.records import Attempt, Decision, Verdict, Workflow

_REQUIREMENTS = "user_requirements"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an attempt stands in its project.

    Attributes:
        slug: the project.
        reads_comments: the phase where the scaffold generator turns comments into requirements, or "".
        same: whether the attempt brought nothing else than the one before.
        last: whether no other attempt at the phase is allowed.
    """

    slug: str
    reads_comments: str
    same: bool
    last: bool


def reading_phase(workflow: Workflow) -> str:
    """Return the phase that makes the requirements, which is where the scaffold generator reads comments, or ""."""
    return next((each.name for each in workflow.phases if _REQUIREMENTS in each.expected_outputs), "")


def with_way_on(verdict: Verdict, attempt: Attempt, standing: Standing) -> Verdict:
    """Return the verdict with what a person must know of comments that were not heeded, and of the last attempt.

    A person must see a comment without effect also where the evidence alone would pass it.
    """
    said = _unheeded(attempt, standing)
    decision = verdict.decision
    if said and decision is Decision.passed:
        decision = Decision.needs_approval
    reasons = (said, *verdict.reasons) if said else verdict.reasons
    if standing.last and decision is not Decision.passed:
        reasons = (*reasons, _last(attempt, standing))
    return verdict.model_copy(update={"decision": decision, "reasons": reasons})


def _unheeded(attempt: Attempt, standing: Standing) -> str:
    """Say that comments, or the reasons of checks, changed nothing; and what would."""
    commented = any(is_comment(text) for text in attempt.feedback)
    deterministic = attempt.result is not None and attempt.result.deterministic
    elsewhere = deterministic and commented and standing.reads_comments not in ("", attempt.phase)
    if not standing.same and not elsewhere:
        return ""
    what = (
        "nothing changed since the rejection" if standing.same else "what was rejected is made by the same rules again"
    )
    what += ", the comment was not taken up" if commented and standing.same else ""
    if elsewhere:
        return (
            f"{what}; the scaffold generator turns comments into requirements in {standing.reads_comments} only: "
            f"{_rerun(standing, standing.reads_comments)} hands them on to it; or amend the artifact"
        )
    if deterministic and commented:
        return (
            f"{what}; the scaffold generator does not understand its words: reject with others, or amend the artifact"
        )
    return f"{what}; reject with other words, or amend the artifact"


def _last(attempt: Attempt, standing: Standing) -> str:
    """Say what a rejection does now."""
    deterministic = attempt.result is not None and attempt.result.deterministic
    phase = (standing.reads_comments if deterministic else "") or attempt.phase
    return (
        f"attempts: this is the last one at {attempt.phase}; rejected, it stops the project, and "
        f"{_rerun(standing, phase)} takes it up again with all comments"
    )


def _rerun(standing: Standing, phase: str) -> str:
    return f"`botarmy rerun {standing.slug} --from {phase}`"
