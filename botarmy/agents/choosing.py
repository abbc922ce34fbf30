"""Which function does a phase's work."""

from __future__ import annotations

from botarmy.agents.author import author
from botarmy.agents.registry import AGENTS
from botarmy.agents.work import AgentFunction
from botarmy.definitions.models import Template
from botarmy.records import Phase


def agent_of(phase: Phase, template: Template) -> AgentFunction:
    """Return the function that does a phase's work.

    A phase that writes documents (a step of a BMAD sequence), or whose agent is none of the five roles, is the author's:
    it asks for each output by its own prompt.
    """
    if template.document is not None:
        return author
    return AGENTS.get(phase.agent, author)
