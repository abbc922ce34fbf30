"""The gate rules, one by one, and what must hold of all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy.definitions.purposes import MEASURES
from botarmy.gates import ALWAYS_WANTED, PERSON_DECIDES, SHOWN_BY_CHECKS, evaluate_gate, quality_of
from botarmy.records import Approval, Decision, Evidence, GateRule, Measure, Phase
from tasks.gate import GatePolicy
from tests.factories import evidence, measure

RULE = GateRule(quality=0.85, confidence=0.8, measures={"coverage": 0.7})
GOOD = measure("coverage", 0.9)
PASSED = evidence("tests")


def decide(rule=RULE, measures=(GOOD,), proofs=(PASSED,), confidence=0.9, **options):
    return evaluate_gate(rule, measures, proofs, confidence, **options)


def criterion(verdict, name):
    return next(one for one in verdict.criteria if one.name == name)


def test_what_is_known_and_holds_passes_without_reasons():
    verdict = decide(checks=("tests",))
    assert verdict.decision is Decision.passed
    assert verdict.reasons == ()
    assert [(one.name, one.got, one.met) for one in verdict.criteria] == [
        ("tests", 1, True),
        ("coverage", 0.9, True),
        ("quality", 1, True),
        ("confidence", 0.9, True),
    ]


def test_a_failed_check_rejects_with_its_reasons():
    verdict = decide(proofs=(PASSED, evidence("lint", "failed", reasons=("app.py:3 unused import",))))
    assert verdict.decision is Decision.reject
    assert verdict.reasons[:2] == ("lint: the check failed", "lint: app.py:3 unused import")
    assert criterion(verdict, "lint").advice == "app.py:3 unused import"


def test_a_check_that_failed_once_and_passed_once_has_failed():
    assert decide(proofs=(evidence("tests", "failed"), PASSED)).decision is Decision.reject


def test_a_failed_check_without_reasons_points_to_its_log():
    verdict = decide(proofs=(evidence("lint", "failed", reasons=()),))
    assert criterion(verdict, "lint").advice == "the check failed; see its log"


def test_a_check_that_did_not_run_needs_a_person():
    verdict = decide(checks=("tests", "contract"))
    assert verdict.decision is Decision.needs_approval
    assert verdict.reasons == ("contract: the check did not run",)
    missing = criterion(verdict, "contract")
    assert (missing.got, missing.met, missing.advice) == (None, False, "the check did not run")


def test_a_check_that_could_not_be_verified_needs_a_person():
    verdict = decide(proofs=(PASSED, evidence("lint", "unverified")))
    assert verdict.decision is Decision.needs_approval
    assert verdict.reasons == ("lint: the check could not be verified", "lint: lint says unverified")


def test_untrusted_evidence_needs_a_person():
    verdict = decide(proofs=(evidence("tests", trusted=False),))
    assert verdict.decision is Decision.needs_approval
    assert verdict.reasons == ("tests: it ran without isolation, so its result is not trusted",)


def test_a_low_measure_rejects_and_says_by_how_much():
    verdict = decide(measures=(measure("coverage", 0.45, "app/api.py is not executed", "app/cli.py is not"),))
    assert verdict.decision is Decision.reject
    assert (
        criterion(verdict, "coverage").advice == "missed by 0.25; to raise it: app/api.py is not executed (and 1 more)"
    )
    assert verdict.reasons[0] == "coverage: 0.45 measured, 0.70 wanted"
    assert verdict.reasons[2] == "coverage: app/cli.py is not"


@pytest.mark.parametrize("measures", [(), (measure("coverage", None, "No test run measured the coverage."),)])
def test_an_unknown_measure_needs_a_person(measures):
    verdict = decide(measures=measures)
    assert verdict.decision is Decision.needs_approval
    assert criterion(verdict, "coverage").got is None
    assert criterion(verdict, "coverage").advice.startswith("unknown: ")


def test_a_measure_taken_twice_counts_with_its_least():
    assert decide(measures=(GOOD, measure("coverage", 0.1))).decision is Decision.reject
    assert decide(measures=(GOOD, measure("coverage", None))).decision is Decision.needs_approval


def test_an_unverified_must_is_for_a_person_and_listed():
    rule = GateRule(measures={"requirements_verified": 1.0})
    low = measure("requirements_verified", 0.9, "R7 is proven by no executed test: “Members get mail”")
    verdict = decide(rule, (low,))
    assert verdict.decision is Decision.needs_approval
    assert "requirements_verified: R7 is proven by no executed test: “Members get mail”" in verdict.reasons


@pytest.mark.parametrize("name", ALWAYS_WANTED)
def test_some_measures_must_hold_whether_the_workflow_names_them_or_not(name):
    wanted = Decision.needs_approval if name in PERSON_DECIDES else Decision.reject
    assert decide(measures=(GOOD, measure(name, 0.5, "no README"))).decision is wanted
    assert decide(measures=(GOOD, measure(name, 1.0))).decision is Decision.passed


def test_a_measure_that_no_rule_names_weighs_in_the_quality_only():
    verdict = decide(measures=(GOOD, measure("clarity_validation", 0.0, "R1 says “fast”")))
    assert verdict.decision is Decision.needs_approval
    assert criterion(verdict, "quality").got == pytest.approx(2 / 3)
    assert "clarity_validation" in criterion(verdict, "quality").advice
    assert verdict.reasons[0] == "quality: 0.67 reached, 0.85 wanted"


def test_nothing_measured_is_no_quality():
    verdict = evaluate_gate(GateRule(), (), (), 0.9)
    assert verdict.decision is Decision.needs_approval
    assert criterion(verdict, "quality").got is None
    assert verdict.reasons == ("quality: nothing was measured, so nothing is known about the quality",)


def test_low_quality_without_any_measure_still_says_what_is_missing():
    verdict = decide(GateRule(), (), (evidence("tests", "failed"),))
    assert criterion(verdict, "quality").advice == "missed by 0.85"


def test_the_quality_is_the_mean_of_what_was_measured():
    measures = (
        measure("coverage", 0.75),  # reaches 0.7: 1
        measure("clarity_validation", 0.5),  # not named, below 1: its share
        measure("checks_passed", 0.0),  # sums up the checks: not counted again
        measure("features_mapped", None),  # unknown: not counted
    )
    proofs = (evidence("tests"), evidence("lint", "failed"), evidence("contract", "unverified"))
    assert quality_of(RULE, measures, proofs) == pytest.approx((1 + 0.5 + 1 + 0) / 4)


def test_a_workflow_that_always_wants_a_person_gets_one():
    rule = RULE.model_copy(update={"approval": Approval.always})
    verdict = decide(rule)
    assert verdict.decision is Decision.needs_approval
    assert verdict.reasons == ("approval: all criteria hold; the workflow asks for a person in this phase",)
    assert decide(rule, proofs=(evidence("tests", "failed"),)).decision is Decision.reject


@pytest.mark.parametrize(
    ("workflow", "run", "who"),
    [
        (Approval.when_needed, Approval.always, "this run was started so that a person decides at every gate"),
        (Approval.always, Approval.always, "the workflow asks for a person in this phase"),
        (Approval.always, None, "the workflow asks for a person in this phase"),
    ],
)
def test_the_reason_says_who_asks_for_a_person(workflow, run, who):
    phase = Phase(
        name="Plan", agent="analyst", template="t", expected_outputs=(), gate=GateRule(approval=workflow, measures={})
    )
    policy = GatePolicy(approval=run)
    verdict = decide(policy.rule(phase), who_asks=policy.who_asks(phase))
    assert verdict.reasons[0].startswith(f"approval: all criteria hold; {who}")


def test_open_questions_need_a_person():
    verdict = decide(open_questions=("Who pays?",))
    assert verdict.decision is Decision.needs_approval
    assert verdict.reasons == ("question: Who pays?",)


def test_low_confidence_needs_a_person():
    verdict = decide(confidence=0.5)
    assert verdict.decision is Decision.needs_approval
    assert criterion(verdict, "confidence").advice.startswith("missed by 0.30; to raise it: ")
    assert verdict.reasons == ("confidence: the model is 0.50 sure of its answers, 0.80 wanted",)


def test_a_model_without_confidence_is_unknown_unless_none_is_wanted():
    assert decide(confidence=None).decision is Decision.needs_approval
    assert decide(RULE.model_copy(update={"confidence": 0.0}), confidence=None).decision is Decision.passed


def test_confidence_does_not_apply_without_a_model():
    verdict = decide(confidence=None, deterministic=True)
    assert verdict.decision is Decision.passed
    assert criterion(verdict, "confidence").advice == "not applicable: no model was involved"


def test_what_rejects_is_said_first_and_nothing_twice():
    verdict = decide(
        measures=(measure("coverage", 0.1, "x"),),
        proofs=(evidence("tests", "unverified", reasons=("same", "same")),),
        open_questions=("Why?",),
    )
    assert verdict.reasons[0].startswith("coverage: ")
    assert len(set(verdict.reasons)) == len(verdict.reasons)


NAMES = ("coverage", "requirements_verified", "tree_valid", "clarity_validation", "checks_passed", "features_mapped")
CHECKS = ("tests", "lint", "contract")
shares = st.floats(0, 1, allow_nan=False)
rules = st.builds(
    GateRule,
    approval=st.sampled_from(Approval),
    quality=shares,
    confidence=shares,
    measures=st.dictionaries(st.sampled_from(NAMES), shares, max_size=4),
)
some_measures = st.lists(st.builds(measure, st.sampled_from(NAMES), st.none() | shares), max_size=6)
some_evidence = st.lists(
    st.builds(
        evidence,
        st.sampled_from(CHECKS),
        st.sampled_from(("passed", "failed", "unverified")),
        trusted=st.booleans(),
    ),
    max_size=5,
)
cases = st.fixed_dictionaries(
    {
        "rule": rules,
        "measures": some_measures,
        "evidence": some_evidence,
        "confidence": st.none() | shares,
        "checks": st.lists(st.sampled_from(CHECKS), max_size=3),
        "deterministic": st.booleans(),
        "open_questions": st.lists(st.text(max_size=5), max_size=1),
    }
)
RANK = {Decision.reject: 0, Decision.needs_approval: 1, Decision.passed: 2}


def verdict_of(case, **changes):
    return evaluate_gate(**{**case, **changes})


@given(cases)
def test_a_failed_check_never_passes(case):
    case["evidence"].append(evidence("tests", "failed"))
    assert verdict_of(case).decision is Decision.reject


@given(cases)
def test_a_pass_leaves_nothing_open(case):
    verdict = verdict_of(case)
    if verdict.decision is not Decision.passed:
        assert verdict.reasons
        return
    assert verdict.reasons == ()
    assert all(one.met for one in verdict.criteria)
    assert {one.check for one in case["evidence"]} >= set(case["checks"])
    assert all(one.outcome == "passed" and one.trusted for one in case["evidence"])
    assert not case["open_questions"]


@given(cases)
def test_every_missed_criterion_says_why(case):
    for one in verdict_of(case).criteria:
        assert one.met or one.advice
        assert one.got is None or one.met == (one.got >= one.wanted)


@given(cases, st.sampled_from(CHECKS))
def test_one_more_passed_check_never_makes_a_verdict_worse(case, name):
    more = [*case["evidence"], evidence(name)]
    assert RANK[verdict_of(case, evidence=more).decision] >= RANK[verdict_of(case).decision]


@given(cases, st.data())
def test_a_better_result_never_makes_a_verdict_worse(case, data):
    before = RANK[verdict_of(case).decision]
    better_evidence = [better(one, data) for one in case["evidence"]]
    better_measures = [higher(one, data) for one in case["measures"]]
    after = verdict_of(case, evidence=better_evidence, measures=better_measures).decision
    assert RANK[after] >= before


@given(cases)
def test_more_confidence_never_makes_a_verdict_worse(case):
    assert RANK[verdict_of(case, confidence=1.0).decision] >= RANK[verdict_of(case).decision]


def better(one: Evidence, data) -> Evidence:
    return evidence(one.check) if data.draw(st.booleans()) else one


def higher(one: Measure, data) -> Measure:
    if one.value is None:
        return one
    return one.model_copy(update={"value": data.draw(st.floats(one.value, 1))})


def test_the_special_measures_are_words_that_exist():
    assert {*ALWAYS_WANTED, *PERSON_DECIDES, *SHOWN_BY_CHECKS} <= set(MEASURES)


def test_a_measure_does_not_repeat_what_its_check_has_said():
    rule = GateRule(measures={"healthy": 1.0})
    verdict = decide(
        rule,
        (measure("healthy", 0.0, "the address does not answer"),),
        (
            evidence("health", "failed", reasons=("the address does not answer",)),
            evidence("lint", "failed", reasons=()),
        ),
    )
    assert verdict.reasons[:4] == (
        "health: the check failed",
        "health: the address does not answer",
        "lint: the check failed",
        "healthy: 0.00 measured, 1.00 wanted",
    )
