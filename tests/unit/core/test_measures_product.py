"""Measures from evidence: only what ran and could be verified counts."""

import math

import pytest

from botarmy.artifacts import Documentation, SourceCode, UnitTests
from botarmy.checks import FileText
from botarmy.measures import (
    checks_passed,
    config_valid,
    coverage,
    healthy,
    product_complete,
    requirements_verified,
)
from botarmy.measures import tests_passed as share_of_tests
from botarmy.measures.product import figure
from tests.factories import artifact, evidence, run_of_tests


def run(check="tests", outcome="passed", **figures):
    return evidence(check, outcome, figures=figures)


@pytest.mark.parametrize("value", [True, "5", None, math.nan, math.inf, [1]])
def test_only_numbers_are_figures(value):
    assert figure(run(tests=value), "tests") is None
    assert figure(run(tests=5), "tests") == 5


class TestChecksPassed:
    def test_all_passed(self):
        assert checks_passed((evidence("lint"), evidence("tests")), ("lint", "tests")).value == 1

    def test_a_failed_one_lowers_the_share(self):
        measure = checks_passed((evidence("lint"), evidence("tests", "failed")), ("lint", "tests"))
        assert (measure.value, measure.reasons) == (0.5, ("tests failed",))

    def test_an_open_one_makes_it_unknown_unless_one_failed(self):
        unverified = (evidence("lint"), evidence("tests", "unverified"))
        assert checks_passed(unverified, ("lint", "tests")).value is None
        assert checks_passed((), ("lint",)).reasons == ("lint did not run",)
        measure = checks_passed((evidence("lint", "failed"),), ("lint", "tests"))
        assert (measure.value, measure.reasons) == (0.0, ("lint failed", "tests did not run"))

    def test_no_checks_are_unknown(self):
        assert checks_passed((), ()).value is None


class TestTestsPassed:
    def test_all_runs_count_together(self):
        measure = share_of_tests((run(passed=3, failed=0), run("acceptance", passed=1, failed=0)))
        assert (measure.value, measure.reasons) == (1.0, ())

    def test_failures_lower_it_and_come_with_their_reasons(self):
        measure = share_of_tests((run("acceptance", "failed", passed=3, failed=1),))
        assert measure.value == 0.75
        assert measure.reasons == ("1 of 4 tests failed", "acceptance says failed")

    def test_a_skipped_test_is_not_a_passed_one(self):
        measure = share_of_tests((run(passed=3, failed=0, skipped=1),))
        assert (measure.value, measure.reasons) == (0.75, ("1 of 4 tests were skipped",))

    @pytest.mark.parametrize("proofs", [(), (run(),), (run(passed=0),), (evidence("lint"),)])
    def test_nothing_executed_is_unknown(self, proofs):
        measure = share_of_tests(proofs)
        assert measure.value is None
        assert "No test was executed." in measure.reasons

    def test_an_unverified_run_makes_it_unknown_unless_another_one_failed(self):
        unverified = run("acceptance", "unverified", passed=9)
        assert share_of_tests((run(passed=3), unverified)).value is None
        assert share_of_tests((run(outcome="failed", passed=1, failed=1), unverified)).value == 0.5


class TestCoverage:
    def test_it_is_that_of_the_unit_tests(self):
        assert coverage((run(coverage=0.8), run("acceptance", coverage=0.1))).value == 0.8

    def test_full_coverage_needs_no_words(self):
        assert coverage((run(coverage=1.0),)).reasons == ()
        assert coverage((run(coverage=0.8),)).reasons == ("The tests execute 80% of the product's lines",)

    @pytest.mark.parametrize("proofs", [(), (run(),), (run(outcome="unverified", coverage=1.0),)])
    def test_what_was_not_measured_is_unknown(self, proofs):
        assert coverage(proofs).value is None

    def test_the_least_counts_and_stays_a_share(self):
        assert coverage((run(coverage=0.8), run(coverage=0.3))).value == 0.3
        assert coverage((run(coverage=80),)).value == 1.0


@pytest.mark.parametrize(("judge", "check"), [(healthy, "health"), (config_valid, "config")])
class TestOneCheck:
    def test_passed_failed_unverified_absent(self, judge, check):
        assert judge((evidence(check),)).value == 1
        assert judge((evidence(check, "failed"),)).value == 0
        assert judge((evidence(check), evidence(check, "failed"))).value == 0
        assert judge((evidence(check, "unverified"),)).value is None
        assert judge((evidence(check), evidence(check, "unverified"))).value is None
        assert judge((evidence("lint"),)).reasons == (f"The check {check} did not run.",)
        assert judge((evidence(check, "failed", reasons=()),)).reasons == (f"The check {check} failed.",)


class TestProductComplete:
    def complete(self, source=None, tests=None, documents=None):
        return product_complete(
            source or artifact("source_code"),
            tests or artifact("unit_tests"),
            documents or artifact("documentation"),
        )

    def test_everything_there(self):
        assert self.complete().value == 1

    def test_every_gap_is_named(self):
        measure = self.complete(
            SourceCode(files=(), start=(), health_path="health"),
            UnitTests(files=(FileText(path="tests/test_a.py", content="# def test_x\nx = 1\n"),)),
            Documentation(files=(FileText(path="README.md", content=" \n"),)),
        )
        assert measure.value == 0
        assert len(measure.reasons) == 5

    @pytest.mark.parametrize("line", ["def test_a():", "    def test_b(self):", "    async def test_c(self):"])
    def test_a_test_function_is_seen(self, line):
        tests = UnitTests(files=(FileText(path="tests/test_a.py", content=f"x = 1\n{line}\n"),))
        assert self.complete(tests=tests).value == 1


class TestRequirementsVerified:
    def test_only_musts_that_ask_for_something_are_counted(self):
        asked = artifact("user_requirements")
        wish = asked.requirements[1].model_copy(update={"id": "R7", "priority": "should"})
        quality = asked.requirements[1].model_copy(update={"id": "R8", "kind": "quality"})
        more = asked.model_copy(update={"requirements": (*asked.requirements, wish, quality)})
        measure = requirements_verified(more, artifact("quality_report"))
        assert measure.value == 1
        assert measure.reasons == (
            "R8 is proven by no executed test: “A tool has a unique name and a price from 0 to 500.” "
            "(a quality, not counted)",
        )

    @pytest.mark.parametrize(
        ("text", "value"), [("Members must get mail.", 0.0), ("Members never pay.", 0.0), ("Members pay.", None)]
    )
    def test_calling_a_demand_background_does_not_get_around_its_proof(self, text, value):
        one = artifact("user_requirements").requirements[0].model_copy(update={"priority": "must", "text": text})
        asked = artifact("user_requirements", requirements=(one,))
        assert requirements_verified(asked, artifact("quality_report")).value == value

    def test_each_unproven_must_is_listed_however_many(self):
        one = artifact("user_requirements").requirements[1]
        many = artifact(
            "user_requirements",
            requirements=tuple(one.model_copy(update={"id": f"R{n}"}) for n in range(1, 301)),
        )
        measure = requirements_verified(many, artifact("quality_report", requirements=()))
        assert measure.value == 0
        assert len(measure.reasons) == 300

    def test_a_contradicted_must_is_told_from_an_unproven_one(self):
        report = artifact("quality_report")
        failed = report.requirements[0].model_copy(update={"status": "failed"})
        measure = requirements_verified(
            artifact("user_requirements"), report.model_copy(update={"requirements": (failed,)})
        )
        assert measure.value == 0
        assert measure.reasons[0].startswith("R2 is contradicted by a failing test: ")
        assert measure.reasons[1].startswith("R3 is proven by no executed test: ")

    def test_no_must_is_unknown(self):
        measure = requirements_verified(artifact("user_requirements", requirements=()), artifact("quality_report"))
        assert measure.value is None


def test_the_builders_run_of_tests_is_what_the_measures_read():
    assert share_of_tests((run_of_tests(),)).value == 1
