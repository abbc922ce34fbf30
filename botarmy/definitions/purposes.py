"""What agents ask for, and which inputs each prompt is given. The order is the order in which a prompt shows them."""

from __future__ import annotations

PURPOSE_INPUTS: dict[str, tuple[str, ...]] = {
    "project_plan": ("brief", "sentences"),
    "user_requirements": ("brief", "sentences", "project_plan"),
    "success_criteria": ("brief", "sentences", "project_plan", "user_requirements"),
    "feature_breakdown": ("project_plan", "user_requirements"),
    "acceptance_criteria": ("user_requirements", "feature_breakdown"),
    "data_models": ("project_plan", "user_requirements", "feature_breakdown"),
    "api_specifications": ("user_requirements", "feature_breakdown", "data_models"),
    "technical_architecture": ("project_plan", "feature_breakdown", "data_models", "api_specifications"),
    "implementation_plan": ("feature_breakdown", "data_models", "technical_architecture"),
    "risk_assessment": ("project_plan", "user_requirements"),
    "source_code": ("project_plan", "user_requirements", "data_models", "api_specifications", "implementation_plan"),
    "unit_tests": ("user_requirements", "data_models", "api_specifications", "source_code"),
    "documentation": ("project_plan", "user_requirements", "data_models", "api_specifications", "source_code"),
    "acceptance_tests": ("user_requirements", "data_models", "api_specifications", "source_code"),
    "deployment_files": ("project_plan", "source_code", "api_specifications"),
    "environment_config": ("project_plan", "source_code"),
    "monitoring_setup": ("project_plan", "api_specifications", "source_code"),
}
"""Purpose -> names of its inputs; `brief`, `sentences` and `feedback` may be given to any of them as well."""

DOCUMENT_PURPOSES: dict[str, tuple[str, ...]] = {"document": (), "update": (), "review": ()}
"""Prompts by which the author writes, updates and reviews the documents of BMAD workflows; their inputs are the brief and
the documents that the step needs."""

DOCUMENT_VALUES = ("persona", "kind", "filename", "outline", "action", "notes", "condition", "instructions", "checklist",
                   "handoff", "part", "project_name")  # fmt: skip
"""What every one of those prompts is given beside its inputs."""

DERIVED = frozenset({"test_results", "quality_report", "performance_metrics", "deployment_log"})
"""Kinds made from evidence: no model is asked for them."""

DRAFT_OF = {"test_results": "acceptance_tests", "deployment_log": "deployment_files"}
"""Derived kind -> the draft that an agent asks for on the way to it."""

MEASURES: dict[str, str] = {
    "sentences_carried": "share of the brief's sentences that a requirement carries",
    "completeness_check": "share of the parts of plan, requirements and criteria that are there and lead somewhere",
    "clarity_validation": "share of the musts that do not rest on vague words",
    "criteria_measurable": "share of success criteria with a number, a unit and a measure",
    "requirements_covered": "share of requirements that a feature carries",
    "requirements_have_criteria": "share of requirements with an acceptance criterion",
    "dependencies_acyclic": "1 when features depend on each other without a circle",
    "openapi_valid": "1 when the OpenAPI document is valid",
    "features_mapped": "share of features that an operation or component serves and a step builds",
    "steps_acyclic": "1 when the steps of the implementation plan depend on each other without a circle",
    "models_normalised": "share of entities without repeated or unresolved fields",
    "interface_matches_models": "share of the data models' fields that the interface has as they are; always wanted in full",
    "tree_valid": "1 when all files make one valid tree; always wanted in full",
    "product_complete": "share of source, start command, health path, tests, README that are there; always wanted in full",
    "checks_passed": "share of the phase's checks that passed",
    "tests_passed": "share of executed tests that passed",
    "coverage": "share of the source lines that tests run",
    "healthy": "1 when the started product answers its health address",
    "config_valid": "1 when every environment's configuration starts the product",
    "requirements_verified": "share of must requirements that a passing test names",
    "sections_filled": "share of a document template's sections that the document fills",
    "checklist_met": "share of a checklist's items that are answered with yes",
}
"""Measure -> meaning. botarmy.measures computes them."""


def asked_of_model(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return the purposes that prompts are needed for when a phase is to produce these kinds."""
    return tuple(DRAFT_OF.get(kind, kind) for kind in kinds if kind not in DERIVED or kind in DRAFT_OF)
