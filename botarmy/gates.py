"""The gate of a phase: criteria held against evidence. Pure; see docs/gates.md for the rules in words."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from botarmy.records import Approval, Criterion, Decision, Evidence, GateRule, Measure, Verdict

ALWAYS_WANTED: Mapping[str, float] = {"tree_valid": 1.0, "product_complete": 1.0, "interface_matches_models": 1.0}
"""Measures that must hold in full wherever they were taken, named by the workflow or not."""

PERSON_DECIDES = frozenset({"requirements_verified", "interface_matches_models"})
"""Measures whose shortfall a person may accept: another attempt would not mend the first by itself, and a person who
amends two documents that must fit each other amends one after the other."""

SHOWN_BY_CHECKS = frozenset({"checks_passed", "tests_passed", "healthy", "config_valid"})
"""Measures that only sum up checks; the quality counts the checks themselves, and these not a second time."""


WORKFLOW_ASKS = "the workflow asks for a person in this phase"
RUN_ASKS = "this run was started so that a person decides at every gate (approval always)"
"""Who asks for a person though the evidence needs none."""


class _Weight(IntEnum):
    """What a criterion does to the decision; the heaviest one decides."""

    holds = 0
    person = 1
    reject = 2


class _Finding(NamedTuple):
    criterion: Criterion
    weight: _Weight
    what: str = ""
    details: Sequence[str] = ()


def evaluate_gate(
    rule: GateRule,
    measures: Sequence[Measure],
    evidence: Sequence[Evidence],
    confidence: float | None,
    *,
    checks: Sequence[str] = (),
    deterministic: bool = False,
    open_questions: Sequence[str] = (),
    who_asks: str = WORKFLOW_ASKS,
) -> Verdict:
    """Decide on a phase's result.

    Reject: a check failed, or a measure is below what is wanted; another attempt can mend it. Needs approval: something
    is unknown, could not be verified, ran without isolation, or is for a person to accept; questions are open; quality or
    confidence is low; or the workflow asks for a person. Pass: everything is known and holds.

    Args:
        rule: the phase's criteria.
        measures: what was measured, see botarmy.measures.
        evidence: the checks that ran.
        confidence: what the model says of its own answers (0..1); None when it says nothing.
        checks: names of the checks that the phase must run.
        deterministic: True when no model was involved; confidence then does not apply.
        open_questions: questions of the agent that a person must answer.
        who_asks: where the rule wants a person always, who asks for it.

    Returns:
        The decision, one criterion for everything that was held against the rule, and a reason for all that is missing.
    """
    findings = [
        *_checks(evidence, checks),
        *_measures(rule, measures),
        _quality(rule, measures, evidence),
        _confidence(rule, confidence, deterministic),
    ]
    extra = [
        *(f"question: {question}" for question in open_questions),
        *_untrusted(evidence),
    ]
    weight = max(finding.weight for finding in findings)
    if extra or rule.approval is Approval.always:
        weight = max(weight, _Weight.person)
    reasons = [*_in_words(sorted(findings, key=lambda one: -one.weight)), *extra]
    if not reasons and rule.approval is Approval.always:
        reasons.append(f"approval: all criteria hold; {who_asks}")
    return Verdict(
        decision=(Decision.passed, Decision.needs_approval, Decision.reject)[weight],
        criteria=tuple(finding.criterion for finding in findings),
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _in_words(findings: Iterable[_Finding]) -> Iterable[str]:
    """Yield the reasons; a measure that sums up a check does not repeat the check's details."""
    said: set[str] = set()
    for finding in findings:
        name = finding.criterion.name
        if finding.what:
            yield f"{name}: {finding.what}"
        for detail in finding.details:
            if detail not in said:
                said.add(detail)
                yield f"{name}: {detail}"


def quality_of(rule: GateRule, measures: Sequence[Measure], evidence: Sequence[Evidence]) -> float | None:
    """Return the quality: the mean of all that was measured; None when nothing was.

    A check that passed counts 1, one that failed 0. A measure counts 1 when it reaches what the rule wants of it (where
    the rule does not name it: 1.0), else the share that it reached. Unknown measures, checks that could not be verified
    and measures that only sum up checks do not count.
    """
    scores = [float(one.outcome == "passed") for one in evidence if one.outcome != "unverified"]
    for one in measures:
        if one.value is not None and one.name not in SHOWN_BY_CHECKS:
            scores.append(1.0 if one.value >= rule.measures.get(one.name, 1.0) else one.value)
    return sum(scores) / len(scores) if scores else None


def _checks(evidence: Sequence[Evidence], wanted: Sequence[str]) -> Iterable[_Finding]:
    for name in dict.fromkeys([*wanted, *(one.check for one in evidence)]):
        yield _check(name, [one for one in evidence if one.check == name])


def _check(name: str, runs: Sequence[Evidence]) -> _Finding:
    outcomes = {run.outcome for run in runs}
    details = [reason for run in runs for reason in run.reasons]
    if outcomes == {"passed"}:
        return _Finding(Criterion(name=name, wanted=1, got=1, met=True), _Weight.holds)
    if "failed" in outcomes:
        got, weight, what = 0.0, _Weight.reject, "the check failed"
    else:
        got, weight = None, _Weight.person
        what = "the check could not be verified" if runs else "the check did not run"
    advice = details[0] if details else f"{what}; see its log" if runs else what
    return _Finding(Criterion(name=name, wanted=1, got=got, met=False, advice=advice), weight, what, details)


def _untrusted(evidence: Iterable[Evidence]) -> Iterable[str]:
    for one in evidence:
        if not one.trusted:
            yield f"{one.check}: it ran without isolation, so its result is not trusted"


def _measures(rule: GateRule, measures: Sequence[Measure]) -> Iterable[_Finding]:
    taken: dict[str, list[Measure]] = {}
    for one in measures:
        taken.setdefault(one.name, []).append(one)
    for name, least in wanted_measures(rule, taken).items():
        yield _measure(name, least, taken.get(name, []))


def wanted_measures(rule: GateRule, taken: Container[str]) -> dict[str, float]:
    """Return the measures that the gate has a criterion for, with the least value that it wants of each.

    Args:
        rule: the phase's criteria.
        taken: names of what was measured.
    """
    always = {name: least for name, least in ALWAYS_WANTED.items() if name in taken}
    return {**always, **rule.measures}


def _measure(name: str, least: float, found: Sequence[Measure]) -> _Finding:
    details = [reason for one in found for reason in one.reasons]
    values = [one.value for one in found]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        what = "it could not be measured" if found else "it was not measured"
        criterion = Criterion(
            name=name, wanted=least, got=None, met=False, advice=f"unknown: {details[0] if details else what}"
        )
        return _Finding(criterion, _Weight.person, what, details)
    got = min(known)
    if got >= least:
        return _Finding(Criterion(name=name, wanted=least, got=got, met=True), _Weight.holds)
    what = f"{got:.2f} measured, {least:.2f} wanted"
    criterion = Criterion(name=name, wanted=least, got=got, met=False, advice=_shortfall(least, got, details))
    weight = _Weight.person if name in PERSON_DECIDES else _Weight.reject
    return _Finding(criterion, weight, what, details)


def _quality(rule: GateRule, measures: Sequence[Measure], evidence: Sequence[Evidence]) -> _Finding:
    got = quality_of(rule, measures, evidence)
    if got is None:
        what = "nothing was measured, so nothing is known about the quality"
        return _Finding(
            Criterion(name="quality", wanted=rule.quality, got=None, met=False, advice=what), _Weight.person, what
        )
    if got >= rule.quality:
        return _Finding(Criterion(name="quality", wanted=rule.quality, got=got, met=True), _Weight.holds)
    lowest = min(
        (one for one in measures if one.value is not None and one.name not in SHOWN_BY_CHECKS),
        key=lambda one: one.value or 0.0,
        default=None,
    )
    details = [f"failed checks and low measures pull it down, most of all {lowest.name}"] if lowest else []
    criterion = Criterion(
        name="quality", wanted=rule.quality, got=got, met=False, advice=_shortfall(rule.quality, got, details)
    )
    return _Finding(criterion, _Weight.person, f"{got:.2f} reached, {rule.quality:.2f} wanted")


def _confidence(rule: GateRule, confidence: float | None, deterministic: bool) -> _Finding:
    wanted = rule.confidence
    if deterministic:
        note = "not applicable: no model was involved"
        return _Finding(Criterion(name="confidence", wanted=wanted, got=None, met=True, advice=note), _Weight.holds)
    if confidence is None and wanted > 0:
        what = "the model did not say how sure it is"
        criterion = Criterion(name="confidence", wanted=wanted, got=None, met=False, advice=f"unknown: {what}")
        return _Finding(criterion, _Weight.person, what)
    if confidence is None or confidence >= wanted:
        return _Finding(Criterion(name="confidence", wanted=wanted, got=confidence, met=True), _Weight.holds)
    advice = _shortfall(wanted, confidence, ["a clearer brief or a stronger model raises it; or read and approve"])
    criterion = Criterion(name="confidence", wanted=wanted, got=confidence, met=False, advice=advice)
    what = f"the model is {confidence:.2f} sure of its answers, {wanted:.2f} wanted"
    return _Finding(criterion, _Weight.person, what)


def _shortfall(wanted: float, got: float, details: Sequence[str]) -> str:
    missed = f"missed by {wanted - got:.2f}"
    if not details:
        return missed
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return f"{missed}; to raise it: {details[0]}{more}"
