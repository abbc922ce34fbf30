"""Prompt templates: text to `Template`, `Template.render` to chat messages."""

from __future__ import annotations

from botarmy.definitions.assembly import Shelf, build_template
from botarmy.definitions.diagnostics import InvalidDefinition, Problems
from botarmy.definitions.models import Template
from botarmy.definitions.purposes import DRAFT_OF, PURPOSE_INPUTS
from botarmy.definitions.texts import check_text

__all__ = ["DRAFT_OF", "PURPOSE_INPUTS", "Shelf", "Template", "parse_template"]


def parse_template(text: str, source: str, shelf: Shelf | None = None) -> Template:
    """Parse a template of either dialect.

    Args:
        text: the YAML file's content.
        source: its path, for messages; the file's stem is the template's name.
        shelf: where bases (`extends:`) and partials (`{% include %}`) are found.

    Raises:
        DefinitionError: with every problem of the file and its chain: file:line:column, excerpt, code, hint.
    """
    problems = Problems()
    checked = check_text(source, text, problems)
    template = build_template(checked, problems, shelf) if checked is not None else None
    problems.raise_errors()
    if template is None:
        raise InvalidDefinition.of(problems.found)
    return template
