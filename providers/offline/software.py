"""Purposes source_code and documentation: a small service for the designed entities, and how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botarmy.artifacts import Documentation, ProjectPlan, SourceCode, UserRequirements
from botarmy.checks import FileText
from providers.offline.service_contract import read_lists
from providers.offline.service_model import read_model
from providers.offline.service_readme import readme
from providers.offline.service_skeleton import skeleton
from providers.offline.service_source import models_source

START = ("python", "-m", "app", "serve")


def build_source_code(inputs: Mapping[str, Any]) -> SourceCode:
    """Write the service: the fixed machinery, the model's declarations, the OpenAPI document.

    Raises:
        InvalidOutput: the data models cannot be served.
    """
    plan = ProjectPlan.model_validate(inputs["project_plan"])
    openapi = inputs["api_specifications"]["openapi"]
    model = read_model(inputs)
    written = (
        FileText(path="app/models.py", content=models_source(plan.title, model, envelope=read_lists(openapi).envelope)),
        FileText(path="app/openapi.json", content=json.dumps(openapi, indent=2, sort_keys=True) + "\n"),
    )
    files = sorted((*skeleton("app"), *written), key=lambda file: file.path)
    return SourceCode(files=tuple(files), start=START, health_path="/health")


def build_documentation(inputs: Mapping[str, Any]) -> Documentation:
    """Write the product's README.

    Raises:
        InvalidOutput: the data models cannot be served.
    """
    plan = ProjectPlan.model_validate(inputs["project_plan"])
    requirements = UserRequirements.model_validate(inputs["user_requirements"])
    lists = read_lists(inputs["api_specifications"]["openapi"])
    text = readme(plan, requirements, read_model(inputs), lists)
    return Documentation(files=(FileText(path="README.md", content=text),))
