"""The typed artifacts of the six phases. Ids: S1 brief sentences, R1 requirements, F1 features, AC1 criteria."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from botarmy.checks import FileText
from botarmy.records import Record


class Sentence(Record):
    """One sentence (or bullet) of the brief, numbered S1, S2, … in order by botarmy.brief."""

    id: str
    text: str


class Rule(Record):
    """A rule of the brief in a form that can be tested without a model.

    kind: required | unique | range | length | enumeration | relation | transition.
    entity and field are snake_case singular names. For range and length: minimum/maximum (inclusive; None = open).
    For enumeration: values. For relation: target entity. For transition: field is the state field, action the verb,
    from_states and to_state the states.
    """

    kind: Literal["required", "unique", "range", "length", "enumeration", "relation", "transition"]
    entity: str
    field: str
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    target: str = ""
    action: str = ""
    from_states: tuple[str, ...] = ()
    to_state: str = ""


class ProjectPlan(Record):
    """The PRD."""

    title: str
    purpose: str
    users: tuple[str, ...] = ()
    goals: tuple[str, ...]
    scope: tuple[str, ...]
    out_of_scope: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()


class Requirement(Record):
    """One requirement. `sources` are the brief sentences it carries; `understood` False = nobody knows how to test it.

    kind "context" is a sentence that asks for nothing (background); it needs no feature.
    """

    id: str
    text: str
    kind: Literal["functional", "constraint", "quality", "context"]
    priority: Literal["must", "should", "could"]
    sources: tuple[str, ...]
    entities: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    understood: bool = True


class UserRequirements(Record):
    """All requirements."""

    requirements: tuple[Requirement, ...]


class SuccessCriterion(Record):
    """A measurable criterion: `measure` names what is counted, `target` the number to reach, with its unit."""

    id: str
    requirement_ids: tuple[str, ...]
    text: str
    measure: str
    target: float
    unit: str


class SuccessCriteria(Record):
    """All success criteria."""

    criteria: tuple[SuccessCriterion, ...]


class Feature(Record):
    """A feature; depends_on are feature ids."""

    id: str
    name: str
    description: str
    requirement_ids: tuple[str, ...]
    depends_on: tuple[str, ...] = ()


class FeatureBreakdown(Record):
    """All features."""

    features: tuple[Feature, ...]


class AcceptanceCriterion(Record):
    """Given, when, then."""

    id: str
    feature_id: str
    requirement_ids: tuple[str, ...]
    given: str
    when: str
    then: str


class AcceptanceCriteria(Record):
    """All acceptance criteria."""

    criteria: tuple[AcceptanceCriterion, ...]


class Component(Record):
    """A part of the system."""

    name: str
    responsibility: str
    feature_ids: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


class DesignDecision(Record):
    """A choice and its reason."""

    title: str
    choice: str
    reason: str


class TechnicalArchitecture(Record):
    """The architecture."""

    overview: str
    components: tuple[Component, ...]
    decisions: tuple[DesignDecision, ...]
    technologies: tuple[str, ...]


class OperationMap(Record):
    """Which operations of the OpenAPI document serve a feature; operation ids as in the document."""

    feature_id: str
    operation_ids: tuple[str, ...]


class ApiSpecifications(Record):
    """An OpenAPI 3.1 document and the operations of each feature."""

    openapi: dict[str, Any]
    feature_map: tuple[OperationMap, ...]


class DataField(Record):
    """A field of an entity. type: string, text, integer, number, boolean, date, datetime, reference."""

    name: str
    type: Literal["string", "text", "integer", "number", "boolean", "date", "datetime", "reference"]
    required: bool = False
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    values: tuple[str, ...] = ()
    references: str = ""
    requirement_ids: tuple[str, ...] = ()


class Transition(Record):
    """A named change of state."""

    action: str
    from_states: tuple[str, ...]
    to_state: str


class StateMachine(Record):
    """The states of an entity: `field` holds one of `states`."""

    field: str
    states: tuple[str, ...]
    initial: str
    transitions: tuple[Transition, ...]


class Entity(Record):
    """An entity; name is snake_case singular, collection its plural for addresses and tables."""

    name: str
    collection: str
    description: str = ""
    fields: tuple[DataField, ...]
    state: StateMachine | None = None
    requirement_ids: tuple[str, ...] = ()


class DataModels(Record):
    """All entities."""

    entities: tuple[Entity, ...]


class PlanStep(Record):
    """A step of the implementation plan."""

    id: str
    title: str
    feature_ids: tuple[str, ...]
    files: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


class ImplementationPlan(Record):
    """All steps."""

    steps: tuple[PlanStep, ...]


class Risk(Record):
    """A risk."""

    id: str
    description: str
    likelihood: Literal["low", "medium", "high"]
    impact: Literal["low", "medium", "high"]
    mitigation: str
    requirement_ids: tuple[str, ...] = ()


class RiskAssessment(Record):
    """All risks."""

    risks: tuple[Risk, ...]


class SourceCode(Record):
    """The software. `start` starts the service with $PORT and $DATA_DIR set; health_path answers 200 when it is up."""

    files: tuple[FileText, ...]
    start: tuple[str, ...]
    health_path: str = "/health"


class UnitTests(Record):
    """unittest or plain pytest-free test files, run by `python -m unittest discover`."""

    files: tuple[FileText, ...]


class Documentation(Record):
    """README.md and further documents of the product."""

    files: tuple[FileText, ...]


class AcceptanceTests(Record):
    """What the tester writes: black-box tests of the running service, one test id per rule, made from the requirements.

    covers: test id ("tests_acceptance.test_rules.RuleTest.test_x") -> requirement ids.
    """

    files: tuple[FileText, ...]
    covers: dict[str, tuple[str, ...]]


class TestCase(Record):
    """One executed test."""

    __test__ = False

    id: str
    outcome: Literal["passed", "failed", "skipped"]
    requirement_ids: tuple[str, ...] = ()


class TestResults(Record):
    """What really ran: derived from evidence, never written by a model. `tests` are the acceptance test files."""

    __test__ = False

    files: tuple[FileText, ...]
    cases: tuple[TestCase, ...]
    passed: int
    failed: int
    skipped: int
    coverage: float | None
    evidence: tuple[str, ...]  # log hashes


class Defect(Record):
    """A defect found by a check."""

    id: str
    severity: Literal["critical", "major", "minor"]
    title: str
    requirement_ids: tuple[str, ...] = ()
    evidence: str = ""


class RequirementStatus(Record):
    """verified = a passing test names it; failed = a failing one does; uncovered = no executed test names it."""

    requirement_id: str
    status: Literal["verified", "failed", "uncovered"]
    tests: tuple[str, ...] = ()


class QualityReport(Record):
    """The defects and what is proven; quality is the share of executed checks that passed (unknown = None)."""

    quality: float | None
    defects: tuple[Defect, ...]
    requirements: tuple[RequirementStatus, ...]
    summary: str


class Figure(Record):
    """One measured number."""

    name: str
    value: float
    unit: str


class PerformanceMetrics(Record):
    """Measured on the running service; empty when nothing could be measured."""

    figures: tuple[Figure, ...]
    evidence: tuple[str, ...]


class Environment(Record):
    """The configuration of one environment: variable -> value (never a secret)."""

    name: str
    variables: dict[str, str]


class DeploymentFiles(Record):
    """What the deployer writes: container, CI and process files, and notes on deployment."""

    files: tuple[FileText, ...]
    notes: tuple[str, ...]


class DeploymentLog(Record):
    """What was done to show that the product starts: derived from evidence, with the deployer's files."""

    files: tuple[FileText, ...]
    notes: tuple[str, ...]
    steps: tuple[str, ...]
    healthy: bool
    evidence: tuple[str, ...]


class EnvironmentConfig(Record):
    """One configuration per environment."""

    environments: tuple[Environment, ...] = Field(min_length=1)


class Monitor(Record):
    """What is watched: the address or figure, the condition that alarms, and what to do then."""

    name: str
    target: str
    condition: str
    action: str


class MonitoringSetup(Record):
    """All monitors."""

    monitors: tuple[Monitor, ...] = Field(min_length=1)


class DocumentSection(Record):
    """A section of a document; `id` is the template section's id, empty for one that the template does not have."""

    id: str = ""
    title: str
    markdown: str


class ChecklistAnswer(Record):
    """An answer to one item of a checklist, with what it was found in or what is missing."""

    item: str
    met: Literal["yes", "no", "not applicable"]
    note: str = ""


class DocumentDraft(Record):
    """What a model writes of a document: its sections in order; answers when it reviews by a checklist.

    changed: False where an existing document was to be updated and nothing had to change.
    """

    title: str
    summary: str = ""
    sections: tuple[DocumentSection, ...]
    answers: tuple[ChecklistAnswer, ...] = ()
    files: tuple[FileText, ...] = ()
    open_questions: tuple[str, ...] = ()
    changed: bool = True


class Document(Record):
    """A document of a BMAD workflow: the draft's content and the Markdown that was assembled from it.

    parts: titles of the parts where a step is repeated (one story per epic); the sections of all stand in one list.
    """

    title: str
    summary: str = ""
    markdown: str
    sections: tuple[DocumentSection, ...]
    parts: tuple[str, ...] = ()
    answers: tuple[ChecklistAnswer, ...] = ()
    files: tuple[FileText, ...] = ()
    open_questions: tuple[str, ...] = ()


KINDS: dict[str, type[Record]] = {
    "project_plan": ProjectPlan,
    "user_requirements": UserRequirements,
    "success_criteria": SuccessCriteria,
    "feature_breakdown": FeatureBreakdown,
    "acceptance_criteria": AcceptanceCriteria,
    "technical_architecture": TechnicalArchitecture,
    "api_specifications": ApiSpecifications,
    "data_models": DataModels,
    "implementation_plan": ImplementationPlan,
    "risk_assessment": RiskAssessment,
    "source_code": SourceCode,
    "unit_tests": UnitTests,
    "documentation": Documentation,
    "test_results": TestResults,
    "quality_report": QualityReport,
    "performance_metrics": PerformanceMetrics,
    "deployment_log": DeploymentLog,
    "environment_config": EnvironmentConfig,
    "monitoring_setup": MonitoringSetup,
}
"""Artifact kind -> schema."""

DRAFTS: dict[str, type[Record]] = {"acceptance_tests": AcceptanceTests, "deployment_files": DeploymentFiles}
"""What agents ask of a model on the way to an artifact, by purpose."""

DOCUMENT_KIND = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
"""Kinds of documents are kebab-case names of files that a BMAD workflow creates: "prd", "project-brief"."""


def schema_of(kind: str) -> type[Record]:
    """Return the schema of an artifact kind, a draft, or a document of a BMAD workflow.

    Raises:
        KeyError: the name is none of them.
    """
    if kind in KINDS:
        return KINDS[kind]
    if kind in DRAFTS:
        return DRAFTS[kind]
    if DOCUMENT_KIND.match(kind):
        return Document
    raise KeyError(kind)
