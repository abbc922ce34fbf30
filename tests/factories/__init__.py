"""Builders of valid records for tests: one small product (a tool shed) seen through all kinds of artifacts.

`from tests.factories import ...`: every builder returns something valid; keyword arguments replace fields.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from botarmy import artifacts as a
from botarmy.checks import FileText
from botarmy.records import (
    ArtifactVersion,
    Attempt,
    Decision,
    Evidence,
    GateRequest,
    GateRule,
    Measure,
    Phase,
    Project,
    Provenance,
    Record,
    Status,
    Verdict,
    Workflow,
    digest,
)

BRIEF = """# Tool shed

Neighbours lend tools to each other.
- A tool has a unique name and a price from 0 to 500.
- A tool can be lent and returned.
"""
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROJECT_ID = UUID(int=1)
ATTEMPT_ID = UUID(int=2)
GATE_ID = UUID(int=3)

RULES = (
    a.Rule(kind="unique", entity="tool", field="name"),
    a.Rule(kind="range", entity="tool", field="price", minimum=0, maximum=500),
)
LEND = a.Rule(
    kind="transition", entity="tool", field="status", action="lend", from_states=("available",), to_state="lent"
)


TOOL = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "number", "minimum": 0, "maximum": 500}},
}


def _operation(name: str, status: str = "200") -> dict[str, Any]:
    return {"operationId": name, "responses": {status: {"description": "done"}}}


def _taking(schema: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    return {**operation, "requestBody": {"content": {"application/json": {"schema": schema}}}}


def openapi(**changes: Any) -> dict[str, Any]:
    """A valid OpenAPI 3.1 document."""
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Tool shed", "version": "1.0.0"},
        "paths": {
            "/health": {"get": _operation("health")},
            "/tools": {"get": _operation("list_tools"), "post": _taking(TOOL, _operation("create_tool", "201"))},
            "/tools/{id}/lend": {"parameters": [number], "post": _operation("lend_tool")},
        },
    }
    return {**document, **changes}


_RULE_TESTS = """import unittest


class RuleTest(unittest.TestCase):
    def test_name(self):
        self.assertTrue(True)

    def test_lend(self):
        self.assertTrue(True)
"""


def _records() -> dict[str, Record]:
    file = FileText
    return {
        "project_plan": a.ProjectPlan(
            title="Tool shed",
            purpose="Neighbours lend tools to each other.",
            users=("neighbours",),
            goals=("Know who has which tool",),
            scope=("tools", "lending"),
            out_of_scope=("payment",),
            constraints=("runs on one machine",),
            assumptions=("neighbours know each other",),
        ),
        "user_requirements": a.UserRequirements(
            requirements=(
                a.Requirement(
                    id="R1",
                    text="Neighbours lend tools to each other.",
                    kind="context",
                    priority="should",
                    sources=("S1",),
                ),
                a.Requirement(
                    id="R2",
                    text="A tool has a unique name and a price from 0 to 500.",
                    kind="functional",
                    priority="must",
                    sources=("S2",),
                    entities=("tool",),
                    rules=RULES,
                ),
                a.Requirement(
                    id="R3",
                    text="A tool can be lent and returned.",
                    kind="functional",
                    priority="must",
                    sources=("S3",),
                    entities=("tool",),
                    rules=(LEND,),
                ),
            )
        ),
        "success_criteria": a.SuccessCriteria(
            criteria=(
                a.SuccessCriterion(
                    id="SC1",
                    requirement_ids=("R2", "R3"),
                    text="Every rule holds",
                    measure="rules with a passing test",
                    target=3,
                    unit="rules",
                ),
            )
        ),
        "feature_breakdown": a.FeatureBreakdown(
            features=(
                a.Feature(id="F1", name="Tools", description="Keep tools", requirement_ids=("R2",)),
                a.Feature(
                    id="F2", name="Lending", description="Lend tools", requirement_ids=("R3",), depends_on=("F1",)
                ),
            )
        ),
        "acceptance_criteria": a.AcceptanceCriteria(
            criteria=(
                a.AcceptanceCriterion(
                    id="AC1",
                    feature_id="F1",
                    requirement_ids=("R2",),
                    given="a tool named saw",
                    when="another one named saw is added",
                    then="it is refused",
                ),
                a.AcceptanceCriterion(
                    id="AC2",
                    feature_id="F2",
                    requirement_ids=("R3",),
                    given="an available tool",
                    when="it is lent",
                    then="it is lent",
                ),
            )
        ),
        "technical_architecture": a.TechnicalArchitecture(
            overview="One service with a database file.",
            components=(
                a.Component(name="api", responsibility="HTTP", feature_ids=("F1", "F2"), depends_on=("storage",)),
                a.Component(name="storage", responsibility="SQLite", feature_ids=("F1",)),
            ),
            decisions=(a.DesignDecision(title="Database", choice="SQLite", reason="one machine"),),
            technologies=("Python", "SQLite"),
        ),
        "api_specifications": a.ApiSpecifications(
            openapi=openapi(),
            feature_map=(
                a.OperationMap(feature_id="F1", operation_ids=("list_tools", "create_tool")),
                a.OperationMap(feature_id="F2", operation_ids=("lend_tool",)),
            ),
        ),
        "data_models": a.DataModels(
            entities=(
                a.Entity(
                    name="tool",
                    collection="tools",
                    description="Something to lend.",
                    fields=(
                        a.DataField(name="name", type="string", required=True, unique=True, requirement_ids=("R2",)),
                        a.DataField(name="price", type="number", minimum=0, maximum=500),
                    ),
                    state=a.StateMachine(
                        field="status",
                        states=("available", "lent"),
                        initial="available",
                        transitions=(a.Transition(action="lend", from_states=("available",), to_state="lent"),),
                    ),
                    requirement_ids=("R2", "R3"),
                ),
            )
        ),
        "implementation_plan": a.ImplementationPlan(
            steps=(
                a.PlanStep(id="P1", title="Storage", feature_ids=("F1",), files=("app/storage.py",)),
                a.PlanStep(
                    id="P2", title="Service", feature_ids=("F1", "F2"), files=("app/api.py",), depends_on=("P1",)
                ),
            )
        ),
        "risk_assessment": a.RiskAssessment(
            risks=(
                a.Risk(
                    id="K1",
                    description="The disk fills up",
                    likelihood="low",
                    impact="high",
                    mitigation="watch it",
                    requirement_ids=("R2",),
                ),
            )
        ),
        "source_code": a.SourceCode(
            files=(
                file(path="app/__init__.py", content=""),
                file(path="app/__main__.py", content="print('serving')\n"),
            ),
            start=("python", "-m", "app", "serve"),
        ),
        "unit_tests": a.UnitTests(
            files=(
                file(path="tests/__init__.py", content=""),
                file(
                    path="tests/test_app.py",
                    content="import unittest\n\n\nclass AppTest(unittest.TestCase):\n"
                    "    def test_sum(self):\n        self.assertEqual(1 + 1, 2)\n",
                ),
            )
        ),
        "documentation": a.Documentation(files=(file(path="README.md", content="# Tool shed\n"),)),
        "test_results": a.TestResults(
            files=(file(path="tests_acceptance/test_rules.py", content=_RULE_TESTS),),
            cases=(
                a.TestCase(
                    id="tests_acceptance.test_rules.RuleTest.test_name", outcome="passed", requirement_ids=("R2",)
                ),
                a.TestCase(
                    id="tests_acceptance.test_rules.RuleTest.test_lend", outcome="passed", requirement_ids=("R3",)
                ),
            ),
            passed=2,
            failed=0,
            skipped=0,
            coverage=0.9,
            evidence=(digest("log"),),
        ),
        "quality_report": a.QualityReport(
            quality=1.0,
            defects=(a.Defect(id="D1", severity="minor", title="A test was skipped"),),
            requirements=(
                a.RequirementStatus(requirement_id="R2", status="verified", tests=("test_name",)),
                a.RequirementStatus(requirement_id="R3", status="verified", tests=("test_lend",)),
            ),
            summary="All checks passed.",
        ),
        "performance_metrics": a.PerformanceMetrics(
            figures=(a.Figure(name="p95_ms", value=3.5, unit="ms"),), evidence=(digest("log"),)
        ),
        "deployment_log": a.DeploymentLog(
            files=(file(path="Dockerfile", content="FROM scratch\n"),),
            notes=("Build the image.",),
            steps=("health: passed (exit code 0): python -m app serve",),
            healthy=True,
            evidence=(digest("log"),),
        ),
        "environment_config": a.EnvironmentConfig(
            environments=(
                a.Environment(name="development", variables={"PORT": "8080"}),
                a.Environment(name="production", variables={"PORT": "80", "LOG_LEVEL": "warning"}),
            )
        ),
        "monitoring_setup": a.MonitoringSetup(
            monitors=(a.Monitor(name="health", target="/health", condition="not 200", action="restart"),)
        ),
        "acceptance_tests": a.AcceptanceTests(
            files=(file(path="tests_acceptance/test_rules.py", content=_RULE_TESTS),),
            covers={
                "tests_acceptance.test_rules.RuleTest.test_name": ("R2",),
                "tests_acceptance.test_rules.RuleTest.test_lend": ("R3",),
            },
        ),
        "deployment_files": a.DeploymentFiles(
            files=(file(path="Dockerfile", content="FROM scratch\n"),), notes=("Build the image.",)
        ),
    }


def artifact(kind: str, **changes: Any) -> Any:
    """Return a valid artifact (or draft) of a kind, with some fields replaced."""
    return _records()[kind].model_copy(update=changes)


def content(kind: str, **changes: Any) -> dict[str, Any]:
    """Return the same as JSON."""
    document: dict[str, Any] = artifact(kind, **changes).model_dump(mode="json")
    return document


def contents(*kinds: str) -> dict[str, dict[str, Any]]:
    """Return several artifacts as JSON by kind; all kinds when none is named."""
    return {kind: content(kind) for kind in kinds or a.KINDS}


def sentences() -> tuple[a.Sentence, ...]:
    """Return the sentences of BRIEF."""
    return (
        a.Sentence(id="S1", text="Neighbours lend tools to each other."),
        a.Sentence(id="S2", text="A tool has a unique name and a price from 0 to 500."),
        a.Sentence(id="S3", text="A tool can be lent and returned."),
    )


def evidence(check: str = "compile", outcome: str = "passed", **changes: Any) -> Evidence:
    """Return evidence of a check; a failed one has exit code 1 and a reason."""
    log = f"{check} {outcome}\n"
    fields: dict[str, Any] = {
        "check": check,
        "command": ("python", "-m", check),
        "exit_code": {"passed": 0, "failed": 1}.get(outcome),
        "outcome": outcome,
        "tool_version": "python 3.12.3",
        "log": log,
        "log_sha256": hashlib.sha256(log.encode()).hexdigest(),
        "reasons": () if outcome == "passed" else (f"{check} says {outcome}",),
        "duration_s": 0.5,
    }
    return Evidence(**{**fields, **changes})


def run_of_tests(check: str = "acceptance", outcomes: dict[str, str] | None = None, **changes: Any) -> Evidence:
    """Return evidence of a test run with the given cases (test id -> outcome)."""
    cases = outcomes if outcomes is not None else dict.fromkeys(artifact("acceptance_tests").covers, "passed")
    counts = {word: sum(one == word for one in cases.values()) for word in ("passed", "failed", "skipped")}
    figures = {
        "tests": len(cases),
        **counts,
        "coverage": 0.9,
        "cases": [{"id": name, "outcome": outcome} for name, outcome in cases.items()],
    }
    outcome = changes.pop("outcome", "failed" if counts["failed"] else "passed")
    return evidence(check, outcome, **{"figures": figures, **changes})


def measure(name: str = "sentences_carried", value: float | None = 1.0, *reasons: str) -> Measure:
    """Return a measure."""
    return Measure(name=name, value=value, reasons=reasons)


def phase(name: str = "Discovery", agent: str = "analyst", **changes: Any) -> Phase:
    """Return a phase; without changes it is the first one."""
    fields: dict[str, Any] = {
        "name": name,
        "agent": agent,
        "template": "prd-template",
        "expected_outputs": ("project_plan", "user_requirements", "success_criteria"),
        "gate": GateRule(measures={"sentences_carried": 1.0}),
    }
    return Phase(**{**fields, **changes})


def workflow(*phases: Phase) -> Workflow:
    """Return a workflow of the given phases (default: the first one alone)."""
    return Workflow(name="sdlc", version="1.0", phases=phases or (phase(),), sha256=digest("workflow"))


def project(**changes: Any) -> Project:
    """Return a project."""
    fields: dict[str, Any] = {
        "id": PROJECT_ID,
        "name": "Tool shed",
        "slug": "tool-shed",
        "status": Status.running,
        "brief": BRIEF,
        "brief_sha256": digest(BRIEF),
        "workflow": "sdlc-workflow",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Project(**{**fields, **changes})


def provenance(**changes: Any) -> Provenance:
    """Return the provenance of an artifact of the first phase."""
    fields: dict[str, Any] = {
        "phase": "Discovery",
        "attempt": 1,
        "agent": "analyst",
        "provider": "offline",
        "model": "scaffold-1",
        "template": "prd-template",
        "template_sha256": digest("template"),
    }
    return Provenance(**{**fields, **changes})


def version(kind: str = "project_plan", **changes: Any) -> ArtifactVersion:
    """Return the first version of an artifact."""
    body = changes.pop("content", None) or content(kind)
    fields: dict[str, Any] = {
        "id": UUID(int=10),
        "project_id": PROJECT_ID,
        "kind": kind,
        "version": 1,
        "content": body,
        "markdown": f"# {kind}\n",
        "sha256": digest(body),
        "provenance": provenance(),
        "created_at": NOW,
    }
    return ArtifactVersion(**{**fields, **changes})


def attempt(**changes: Any) -> Attempt:
    """Return the first attempt at Discovery."""
    fields: dict[str, Any] = {
        "id": ATTEMPT_ID,
        "project_id": PROJECT_ID,
        "phase": "Discovery",
        "agent": "analyst",
        "number": 1,
        "status": Status.running,
        "started_at": NOW,
    }
    return Attempt(**{**fields, **changes})


def verdict(decision: Decision = Decision.passed, *reasons: str) -> Verdict:
    """Return a verdict."""
    return Verdict(decision=decision, reasons=reasons)


def gate_request(**changes: Any) -> GateRequest:
    """Return an open gate of Discovery."""
    fields: dict[str, Any] = {
        "id": GATE_ID,
        "project_id": PROJECT_ID,
        "attempt_id": ATTEMPT_ID,
        "phase": "Discovery",
        "attempt": 1,
        "status": Status.waiting,
        "verdict": verdict(Decision.needs_approval, "approval: the workflow asks for a person"),
        "hashes": {"project_plan": digest(content("project_plan"))},
        "created_at": NOW,
    }
    return GateRequest(**{**fields, **changes})
