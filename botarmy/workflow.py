"""Workflows as data: text to `Workflow`."""

from __future__ import annotations

from botarmy.definitions.diagnostics import InvalidDefinition, Problems
from botarmy.definitions.fields import root_fields
from botarmy.definitions.phases import read_phases
from botarmy.definitions.texts import check_text
from botarmy.definitions.tree import parse_tree
from botarmy.records import Workflow


def parse_workflow(text: str, source: str) -> Workflow:
    """Parse a workflow of the `phases:` dialect and check it by itself.

    Whether its agents and templates exist is checked where they are known: `storage.definitions.load_core`.

    Args:
        text: the YAML file's content.
        source: its path, for messages.

    Raises:
        DefinitionError: with every problem: duplicate names, unknown dependencies, cycles, order, unknown kinds and
            checks, wrong types; each with file:line:column, excerpt, code and hint.
    """
    problems = Problems()
    checked = check_text(source, text, problems)
    fields = root_fields(checked, problems, parse_tree(checked, problems), "the workflow file") if checked else None
    draft = read_phases(fields, problems) if fields is not None else None
    problems.raise_errors()
    if draft is None:
        raise InvalidDefinition.of(problems.found)
    return draft.workflow
