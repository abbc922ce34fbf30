"""The agents as ordinary functions: what they ask, what they run, what they derive."""

import json

import pytest

from botarmy.agents.registry import AGENTS
from botarmy.agents.work import PhaseWork
from botarmy.artifacts import DRAFTS, KINDS
from botarmy.definitions.purposes import MEASURES, PURPOSE_INPUTS
from botarmy.errors import DefinitionError, InvalidOutput, IsolationMissing, UnsafePath
from botarmy.workflow import parse_workflow
from tests.factories import BRIEF, artifact, content, contents, evidence, phase, run_of_tests
from tests.fakes import PlainPrompts, ScriptedChecks, ScriptedModel

PHASES = {
    "Discovery": ("analyst", ("project_plan", "user_requirements", "success_criteria"), ()),
    "Plan": ("analyst", ("feature_breakdown", "acceptance_criteria"), ()),
    "Design": (
        "architect",
        (
            "technical_architecture",
            "api_specifications",
            "data_models",
            "implementation_plan",
            "risk_assessment",
        ),
        (),
    ),
    "Build": (
        "coder",
        ("source_code", "unit_tests", "documentation"),
        ("compile", "lint", "security", "tests", "contract"),
    ),
    "Validate": (
        "tester",
        ("test_results", "quality_report", "performance_metrics"),
        ("acceptance", "tests", "performance"),
    ),
    "Launch": ("deployer", ("deployment_log", "environment_config", "monitoring_setup"), ("health", "config")),
}
ASKED = {
    "Discovery": ["project_plan", "user_requirements", "success_criteria"],
    "Plan": ["feature_breakdown", "acceptance_criteria"],
    "Design": [
        "data_models",
        "api_specifications",
        "technical_architecture",
        "implementation_plan",
        "risk_assessment",
    ],
    "Build": ["source_code", "unit_tests", "documentation"],
    "Validate": ["acceptance_tests"],
    "Launch": ["deployment_files", "environment_config", "monitoring_setup"],
}


def work(name, **changes):
    agent, outputs, checks = PHASES[name]
    names = list(PHASES)
    before = [kind for earlier in names[: names.index(name)] for kind in PHASES[earlier][1]]
    fields = {
        "phase": phase(name, agent, expected_outputs=outputs, checks=checks),
        "brief": BRIEF,
        "artifacts": contents(*before) if before else {},
        "template": PlainPrompts(),
    }
    return PhaseWork(**{**fields, **changes})


async def run(name, model=None, checks=None, **changes):
    task = work(name, **changes)
    return await AGENTS[task.phase.agent](task, model or ScriptedModel(), checks or ScriptedChecks())


def measured(result):
    return {one.name: one.value for one in result.measures}


@pytest.mark.parametrize("name", PHASES)
async def test_each_phase_gives_every_expected_output_in_order(name):
    model = ScriptedModel()
    result = await run(name, model)
    assert tuple(result.artifacts) == PHASES[name][1]
    for kind, body in result.artifacts.items():
        assert KINDS[kind].model_validate(body).model_dump(mode="json") == body
    assert model.purposes == ASKED[name]
    assert result.summary
    assert result.confidence == 0.9
    assert {one.name for one in result.measures} <= set(MEASURES)


@pytest.mark.parametrize("name", PHASES)
async def test_a_request_carries_its_inputs_and_the_schema(name):
    model = ScriptedModel()
    await run(name, model, feedback=("R2 belongs to no feature",))
    for request in model.requests:
        assert set(PURPOSE_INPUTS[request.purpose]) | {"brief", "sentences", "feedback"} == set(request.inputs)
        assert request.inputs["feedback"] == ["R2 belongs to no feature"]
        assert request.inputs["sentences"][0] == {"id": "S1", "text": "Neighbours lend tools to each other."}
        assert request.output_schema == {**KINDS, **DRAFTS}[request.purpose].model_json_schema()
        assert request.role == PHASES[name][0]
        assert request.messages[0].content.startswith(request.purpose)
        json.dumps(request.inputs)


async def test_an_answer_becomes_the_input_of_the_next_request():
    model = ScriptedModel({"project_plan": content("project_plan", title="Another shed")})
    await run("Discovery", model)
    assert model.requests[1].inputs["project_plan"]["title"] == "Another shed"


async def test_the_same_work_asks_the_same():
    first, second = ScriptedModel(), ScriptedModel()
    await run("Design", first)
    await run("Design", second)
    assert [one.content_hash for one in first.requests] == [one.content_hash for one in second.requests]


async def test_an_answer_that_does_not_fit_is_named_with_its_place():
    broken = {"requirements": [{"id": "R1", "text": "x", "kind": "wish", "priority": "must", "sources": []}]}
    with pytest.raises(InvalidOutput, match=r"user_requirements.*requirements\.0\.kind"):
        await run("Discovery", ScriptedModel({"user_requirements": broken}))


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
async def test_text_that_no_database_keeps_is_refused(bad):
    with pytest.raises(InvalidOutput, match="project_plan"):
        await run("Discovery", ScriptedModel({"project_plan": {**content("project_plan"), "purpose": bad}}))


async def test_a_program_that_spells_a_nul_escape_is_no_nul():
    body = content("source_code")
    body["files"][0]["content"] = "NUL = '\\u0000'\n"
    result = await run("Build", ScriptedModel({"source_code": body}))
    assert result.artifacts["source_code"]["files"][0]["content"] == "NUL = '\\u0000'\n"


async def test_the_least_confidence_counts_and_a_silent_answer_makes_it_unknown():
    class Unsure(ScriptedModel):
        async def __call__(self, request):
            self.confidence = {"project_plan": 0.9, "user_requirements": 0.4, "success_criteria": self.last}[
                request.purpose
            ]
            return await super().__call__(request)

    sure = Unsure()
    sure.last = 0.7
    assert (await run("Discovery", sure)).confidence == 0.4
    silent = Unsure()
    silent.last = None
    assert (await run("Discovery", silent)).confidence is None


async def test_open_questions_of_the_plan_come_out():
    model = ScriptedModel({"project_plan": content("project_plan", open_questions=("Who pays?",))})
    assert (await run("Discovery", model)).open_questions == ("Who pays?",)


async def test_a_question_about_what_is_marked_as_not_understood_does_not_stop_the_work():
    requirements = content("user_requirements")
    requirements["requirements"][2]["understood"] = False
    questions = ("Who pays?", "How can this be tested? A tool can be lent and returned.")
    model = ScriptedModel(
        {"project_plan": content("project_plan", open_questions=questions), "user_requirements": requirements}
    )
    result = await run("Discovery", model)
    assert result.open_questions == ("Who pays?",)
    assert result.artifacts["project_plan"]["open_questions"] == list(questions)


async def test_document_phases_measure_themselves():
    assert measured(await run("Discovery")) == dict.fromkeys(
        ("sentences_carried", "criteria_measurable", "completeness_check", "clarity_validation"), 1.0
    )
    assert measured(await run("Plan")) == dict.fromkeys(
        ("requirements_covered", "requirements_have_criteria", "dependencies_acyclic"), 1.0
    )
    assert measured(await run("Design")) == dict.fromkeys(
        ("openapi_valid", "features_mapped", "models_normalised", "interface_matches_models", "steps_acyclic"), 1.0
    )


async def test_a_field_that_only_the_data_models_have_is_seen_in_the_design():
    models = content("data_models")
    models["entities"][0]["fields"].append({"name": "nickname", "type": "string"})
    found = measured(await run("Design", ScriptedModel({"data_models": models})))
    assert found["interface_matches_models"] == pytest.approx(2 / 3)


async def test_an_input_that_no_phase_hands_over_is_a_fault_of_the_workflow():
    with pytest.raises(DefinitionError, match=r"'Plan' needs the artifact 'user_requirements'") as caught:
        await run("Plan", artifacts=contents("project_plan"))
    assert "dependencies" in caught.value.hint


@pytest.mark.parametrize("name", PHASES)
async def test_an_output_of_another_agent_is_a_fault_of_the_workflow(name):
    foreign = "source_code" if name in ("Discovery", "Plan") else "project_plan"
    task = work(name)
    task = task.model_copy(update={"phase": task.phase.model_copy(update={"expected_outputs": (foreign,)})})
    with pytest.raises(DefinitionError, match=f"expects {foreign}"):
        await AGENTS[task.phase.agent](task, ScriptedModel(), ScriptedChecks())


async def test_the_coder_runs_the_checks_of_the_phase_over_all_its_files():
    checks = ScriptedChecks({"tests": run_of_tests("tests", {"tests.test_app.AppTest.test_sum": "passed"})})
    result = await run("Build", checks=checks)
    assert [one.name for one in checks.requests] == list(PHASES["Build"][2])
    assert [file.path for file in checks.files] == sorted(
        file["path"] for kind in PHASES["Build"][1] for file in content(kind)["files"]
    )
    contexts = {one.name: one.context for one in checks.requests}
    assert contexts["lint"] == {}
    assert contexts["tests"] == {}
    assert contexts["contract"] == {
        "openapi": artifact("api_specifications").openapi,
        "start": ["python", "-m", "app", "serve"],
        "health_path": "/health",
    }
    assert measured(result) == {"tree_valid": 1.0, "product_complete": 1.0, "checks_passed": 1.0, "coverage": 0.9}


async def test_files_in_conflict_are_a_measure_not_a_crash():
    clash = {"files": [{"path": "app/__main__.py", "content": "other"}, {"path": "README.md", "content": "# x"}]}
    checks = ScriptedChecks()
    result = await run("Build", ScriptedModel({"documentation": clash}), checks)
    assert checks.requests == ()
    assert result.evidence == ()
    assert measured(result)["tree_valid"] == 0.0
    assert measured(result)["checks_passed"] is None
    assert result.measures[0].reasons == ("documentation writes app/__main__.py, which source_code writes differently",)


async def test_the_coder_cannot_write_the_tests_that_judge_it():
    model = ScriptedModel()
    model.answers["unit_tests"] = {"files": [{"path": "tests_acceptance/test_rules.py", "content": "def test(): ..."}]}
    checks = ScriptedChecks()
    result = await run("Build", model, checks)
    assert checks.requests == ()
    assert result.measures[0].value == 0.0
    assert "tests_acceptance/ is the tester's folder" in result.measures[0].reasons[0]


async def test_the_tester_cannot_write_the_product():
    draft = content("acceptance_tests")
    draft["files"].append({"path": "app/extra.py", "content": ""})
    result = await run("Validate", ScriptedModel({"acceptance_tests": draft}))
    assert measured(result)["tree_valid"] == 0.0
    assert "app/extra.py, which is not in the tester's folder" in result.measures[0].reasons[0]


async def test_a_path_that_the_sandbox_refuses_is_a_measure_not_a_crash():
    async def refuse(files, requests):
        raise UnsafePath("the generated path '../x' leaves its tree")

    result = await run("Build", checks=refuse)
    assert result.measures[0].reasons == ("the generated path '../x' leaves its tree",)
    assert measured(result)["tree_valid"] == 0.0


async def test_a_machine_without_isolation_stops_the_phase():
    async def refuse(files, requests):
        raise IsolationMissing("no bubblewrap")

    with pytest.raises(IsolationMissing):
        await run("Build", checks=refuse)


async def test_a_build_without_tests_and_readme_is_not_complete():
    model = ScriptedModel({"unit_tests": {"files": []}, "documentation": {"files": []}})
    result = await run("Build", model)
    complete = next(one for one in result.measures if one.name == "product_complete")
    assert complete.value == pytest.approx(3 / 5)
    assert complete.reasons == ("No unit test file holds a test function", "There is no README.md with text")


async def test_the_tester_runs_the_whole_product_and_derives_its_outputs_from_evidence():
    checks = ScriptedChecks(
        {
            "acceptance": run_of_tests("acceptance"),
            "tests": run_of_tests("tests", {"tests.test_app.AppTest.test_sum": "passed"}),
            "performance": evidence("performance", figures={"requests": 100, "p50_ms": 1.5, "per_second": 640.0}),
        }
    )
    result = await run("Validate", checks=checks)
    paths = [file.path for file in checks.files]
    assert "tests_acceptance/test_rules.py" in paths
    assert {"app/__main__.py", "tests/test_app.py", "README.md"} < set(paths)
    results = result.artifacts["test_results"]
    assert (results["passed"], results["failed"], results["coverage"]) == (3, 0, 0.9)
    assert results["evidence"] == [one.log_sha256 for one in result.evidence[:2]]
    report = result.artifacts["quality_report"]
    assert report["quality"] == 1.0
    assert report["defects"] == []
    assert [(one["requirement_id"], one["status"]) for one in report["requirements"]] == [
        ("R2", "verified"),
        ("R3", "verified"),
    ]
    assert result.artifacts["performance_metrics"]["figures"] == [
        {"name": "requests", "value": 100.0, "unit": "requests"},
        {"name": "p50_ms", "value": 1.5, "unit": "ms"},
        {"name": "per_second", "value": 640.0, "unit": "1/s"},
    ]
    assert measured(result)["requirements_verified"] == 1.0


async def test_a_claim_of_coverage_without_an_executed_test_proves_nothing():
    checks = ScriptedChecks({"acceptance": run_of_tests("acceptance", {"some.other.test": "passed"})})
    result = await run("Validate", checks=checks)
    assert {one["status"] for one in result.artifacts["quality_report"]["requirements"]} == {"uncovered"}
    verified = next(one for one in result.measures if one.name == "requirements_verified")
    assert verified.value == 0.0
    assert verified.reasons[0].startswith("R2 is proven by no executed test: “A tool has a unique name")


async def test_a_unit_test_of_the_coder_cannot_verify_a_requirement():
    name = next(iter(artifact("acceptance_tests").covers))
    checks = ScriptedChecks(
        {"acceptance": run_of_tests("acceptance", {}), "tests": run_of_tests("tests", {name: "passed"})}
    )
    result = await run("Validate", checks=checks)
    assert {one["status"] for one in result.artifacts["quality_report"]["requirements"]} == {"uncovered"}


async def test_cases_of_a_run_that_could_not_be_verified_do_not_count():
    checks = ScriptedChecks({"acceptance": run_of_tests("acceptance", outcome="unverified")})
    result = await run("Validate", checks=checks)
    assert result.artifacts["test_results"]["passed"] == 0
    assert measured(result)["tests_passed"] is None
    assert measured(result)["requirements_verified"] == 0.0
    assert any(one["severity"] == "minor" for one in result.artifacts["quality_report"]["defects"])


async def test_failing_and_skipped_tests_are_defects_with_their_weight():
    name, lend = list(artifact("acceptance_tests").covers)
    checks = ScriptedChecks(
        {
            "acceptance": run_of_tests("acceptance", {name: "failed", lend: "skipped", "x": "failed", "y": "error"}),
            "tests": evidence("tests", "failed"),
            "performance": evidence("performance", "failed"),
        }
    )
    result = await run("Validate", checks=checks)
    report = result.artifacts["quality_report"]
    assert [(one["id"], one["severity"], one["title"]) for one in report["defects"]] == [
        ("D1", "critical", f"The test {name} failed"),
        ("D2", "minor", f"The test {lend} was skipped"),
        ("D3", "major", "The test x failed"),
        ("D4", "major", "The test y failed"),
        ("D5", "major", "The check tests failed: tests says failed"),
        ("D6", "major", "The check performance failed: performance says failed"),
    ]
    assert report["quality"] == 0.0
    assert [one["status"] for one in report["requirements"]] == ["failed", "uncovered"]


async def test_the_deployer_starts_the_whole_product_with_each_environment():
    checks = ScriptedChecks()
    result = await run("Launch", checks=checks)
    assert {file.path for file in checks.files} == {
        "Dockerfile",
        "README.md",
        "app/__init__.py",
        "app/__main__.py",
        "tests/__init__.py",
        "tests/test_app.py",
        "tests_acceptance/test_rules.py",
    }
    assert checks.requests[0].context["openapi"] == artifact("api_specifications").openapi
    assert checks.requests[1].context["environments"] == content("environment_config")["environments"]
    log = result.artifacts["deployment_log"]
    assert log["healthy"] is True
    assert log["steps"] == [
        "health: passed (exit code 0): python -m health",
        "config: passed (exit code 0): python -m config",
    ]
    assert measured(result) == {
        "tree_valid": 1.0,
        "healthy": 1.0,
        "config_valid": 1.0,
        "requirements_verified": 1.0,
    }


@pytest.mark.parametrize("outcome", ["failed", "unverified"])
async def test_a_product_that_was_not_shown_to_run_is_not_called_healthy(outcome):
    result = await run("Launch", checks=ScriptedChecks({"health": evidence("health", outcome)}))
    assert result.artifacts["deployment_log"]["healthy"] is False
    assert measured(result)["healthy"] == (0.0 if outcome == "failed" else None)
    assert "not shown to run" in result.summary


async def test_a_launch_without_a_health_check_is_not_healthy():
    task = work("Launch")
    task = task.model_copy(update={"phase": task.phase.model_copy(update={"checks": ()})})
    result = await AGENTS["deployer"](task, ScriptedModel(), ScriptedChecks())
    assert result.artifacts["deployment_log"]["healthy"] is False
    assert measured(result)["healthy"] is None


async def test_a_check_that_its_phase_cannot_feed_is_a_fault_of_the_workflow():
    task = work("Build")
    task = task.model_copy(update={"phase": task.phase.model_copy(update={"checks": ("config",)})})
    with pytest.raises(DefinitionError, match="needs the artifact 'environment_config'"):
        await AGENTS["coder"](task, ScriptedModel(), ScriptedChecks())


def test_the_shipped_workflow_fits_the_agents(pytestconfig):
    path = pytestconfig.rootpath / ".bmad-core/workflows/sdlc-workflow.yaml"
    shipped = parse_workflow(path.read_text("utf-8"), str(path))
    for one in shipped.phases:
        agent, outputs, checks = PHASES[one.name]
        assert one.agent == agent
        assert set(one.expected_outputs) == set(outputs)
        assert set(one.checks) == set(checks)
        assert set(one.gate.measures) <= set(MEASURES)


async def test_the_tester_needs_the_requirements():
    with pytest.raises(DefinitionError, match="needs the artifact 'user_requirements'"):
        await run("Validate", artifacts=contents("source_code", "api_specifications"))


async def test_a_stored_input_that_does_not_fit_is_named():
    broken = {**contents("user_requirements"), "project_plan": {"title": 1}}
    with pytest.raises(InvalidOutput, match=r"project_plan.*title"):
        await run("Plan", artifacts=broken)
