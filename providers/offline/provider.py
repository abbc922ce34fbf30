"""The provider `offline`: a deterministic scaffold generator behind the interface of a model. It is no model."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from botarmy.completion import Completion, CompletionRequest, Usage
from botarmy.errors import InvalidOutput, ProviderRefused
from botarmy.records import Record, canonical_json

NAME = "offline"
MODEL = "scaffold-1"
_BUILDERS = {
    "project_plan": "discovery",
    "user_requirements": "discovery",
    "success_criteria": "discovery",
    "feature_breakdown": "planning",
    "acceptance_criteria": "planning",
    "data_models": "design",
    "api_specifications": "design_openapi",
    "technical_architecture": "design",
    "implementation_plan": "design",
    "risk_assessment": "design",
    "source_code": "software",
    "unit_tests": "unit_tests",
    "documentation": "software",
    "acceptance_tests": "acceptance",
    "deployment_files": "deployment",
    "environment_config": "deployment",
    "monitoring_setup": "deployment",
}


class _Builder(Protocol):
    def __call__(self, inputs: Mapping[str, Any]) -> Record: ...


class OfflineProvider:
    """Answers by the request's purpose and typed inputs alone: the same request gives the same bytes."""

    name = NAME
    model = MODEL
    deterministic = True

    async def complete(self, request: CompletionRequest) -> Completion:
        """Build the artifact that the request's purpose names.

        Raises:
            ProviderRefused: the purpose is none that can be generated without a model.
            InvalidOutput: an input that the purpose needs is missing or does not fit its schema.
        """
        parsed = generate(request.purpose, request.inputs).model_dump(mode="json")
        return Completion(
            text=canonical_json(parsed),
            parsed=parsed,
            stop_reason="end",
            usage=Usage(),
            provider=NAME,
            model=MODEL,
            confidence=None,
        )


def generate(purpose: str, inputs: Mapping[str, Any]) -> Record:
    """Build the record of a purpose from its inputs.

    Raises:
        ProviderRefused: the purpose is none that can be generated without a model.
        InvalidOutput: an input that the purpose needs is missing or does not fit its schema.
    """
    if purpose not in _BUILDERS:
        raise ProviderRefused(
            f"The provider offline cannot make {purpose!r}: it is a scaffold generator and no model.",
            hint=f"It makes {', '.join(_BUILDERS)}. Choose a real model for anything else.",
        )
    module = import_module(f"providers.offline.{_BUILDERS[purpose]}")  # only what is asked for is loaded
    build = cast("_Builder", getattr(module, f"build_{purpose}"))
    try:
        return build(inputs)
    except (KeyError, ValueError) as error:
        raise InvalidOutput(
            f"{purpose} cannot be made, because an input is missing or does not fit: {error}",
            hint="Look at the artifacts of the earlier phases; an amended one may be incomplete.",
        ) from error
