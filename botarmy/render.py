"""Every artifact kind as a Markdown document. The same content always gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from botarmy import render_design, render_planning, render_product
from botarmy.artifacts import DOCUMENT_KIND, KINDS, Document
from botarmy.errors import UnknownName
from botarmy.render_parts import file_block

_RENDERERS: Mapping[str, Callable[[Any], str]] = {
    "project_plan": render_planning.project_plan,
    "user_requirements": render_planning.user_requirements,
    "success_criteria": render_planning.success_criteria,
    "feature_breakdown": render_planning.feature_breakdown,
    "acceptance_criteria": render_planning.acceptance_criteria,
    "technical_architecture": render_design.technical_architecture,
    "api_specifications": render_design.api_specifications,
    "data_models": render_design.data_models,
    "implementation_plan": render_design.implementation_plan,
    "risk_assessment": render_design.risk_assessment,
    "source_code": render_product.source_code,
    "unit_tests": render_product.unit_tests,
    "documentation": render_product.documentation,
    "test_results": render_product.test_results,
    "quality_report": render_product.quality_report,
    "performance_metrics": render_product.performance_metrics,
    "deployment_log": render_product.deployment_log,
    "environment_config": render_product.environment_config,
    "monitoring_setup": render_product.monitoring_setup,
}


def render_markdown(kind: str, content: Mapping[str, Any]) -> str:
    """Return an artifact as Markdown. Its text is shown as it is, never as markup; files stand in fenced blocks.

    Args:
        kind: the artifact kind.
        content: its content as JSON, valid by the kind's schema.

    Raises:
        UnknownName: there is no such kind.
        pydantic.ValidationError: the content does not fit the schema; stored artifacts always do.
    """
    renderer = _RENDERERS.get(kind)
    if renderer is None and DOCUMENT_KIND.match(kind) and "markdown" in content:
        return _document(Document.model_validate(dict(content)))
    if renderer is None:
        near = get_close_matches(kind, KINDS, n=1)
        raise UnknownName(
            f"There is no artifact kind {kind!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else f"The kinds are {', '.join(KINDS)}.",
        )
    return renderer(KINDS[kind].model_validate(dict(content)))


def _document(document: Document) -> str:
    """A document of a BMAD workflow is Markdown already, made harmless when it was put together."""
    if not document.files:
        return document.markdown
    blocks = [file_block(file.path, file.content) for file in document.files]
    return "\n\n".join([document.markdown.rstrip("\n"), "## Files", *blocks]) + "\n"
