"""Deterministic measures of what agents made: pure, each a share 0..1 or unknown, with a reason for all that is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from botarmy.measures.design import features_mapped, models_normalised, steps_acyclic
from botarmy.measures.discovery import clarity_validation, completeness_check, criteria_measurable, sentences_carried
from botarmy.measures.interface import interface_matches_models
from botarmy.measures.openapi import openapi_valid
from botarmy.measures.plan import dependencies_acyclic, requirements_covered, requirements_have_criteria
from botarmy.measures.product import (
    checks_passed,
    config_valid,
    coverage,
    healthy,
    product_complete,
    requirements_verified,
    tests_passed,
)
from botarmy.records import Measure

__all__ = [
    "DOCUMENT_MEASURES",
    "checks_passed",
    "clarity_validation",
    "completeness_check",
    "config_valid",
    "coverage",
    "criteria_measurable",
    "dependencies_acyclic",
    "features_mapped",
    "healthy",
    "interface_matches_models",
    "measure_documents",
    "models_normalised",
    "openapi_valid",
    "product_complete",
    "requirements_covered",
    "requirements_have_criteria",
    "requirements_verified",
    "sentences_carried",
    "steps_acyclic",
    "tests_passed",
]

DOCUMENT_MEASURES: Mapping[str, tuple[Callable[..., Measure], tuple[str, ...]]] = {
    "sentences_carried": (sentences_carried, ("sentences", "user_requirements")),
    "criteria_measurable": (criteria_measurable, ("success_criteria", "user_requirements")),
    "completeness_check": (
        completeness_check,
        ("sentences", "project_plan", "user_requirements", "success_criteria", "comments"),
    ),
    "clarity_validation": (clarity_validation, ("user_requirements",)),
    "requirements_covered": (requirements_covered, ("user_requirements", "feature_breakdown")),
    "requirements_have_criteria": (
        requirements_have_criteria,
        ("user_requirements", "feature_breakdown", "acceptance_criteria"),
    ),
    "dependencies_acyclic": (dependencies_acyclic, ("feature_breakdown",)),
    "openapi_valid": (openapi_valid, ("api_specifications",)),
    "features_mapped": (
        features_mapped,
        ("feature_breakdown", "api_specifications", "technical_architecture", "implementation_plan"),
    ),
    "models_normalised": (models_normalised, ("data_models",)),
    "interface_matches_models": (interface_matches_models, ("data_models", "api_specifications")),
    "steps_acyclic": (steps_acyclic, ("implementation_plan",)),
}
"""Measure -> its function and the artifacts that it takes, in the order of its arguments; the words that gates may use
for all measures are in botarmy.definitions.purposes.MEASURES."""


def measure_documents(made: Collection[str], known: Mapping[str, Any]) -> tuple[Measure, ...]:
    """Measure what was just made, as far as everything that a measure takes is known.

    Args:
        made: the kinds that were just made; a measure that judges none of them is left out.
        known: kind -> record, of this phase and those before, "sentences" -> the brief's numbered sentences, and
            "comments" -> those of the comments that the attempt was given.
    """
    return tuple(
        function(*(known[kind] for kind in kinds))
        for function, kinds in DOCUMENT_MEASURES.values()
        if set(kinds) & set(made) and set(kinds) <= set(known)
    )
