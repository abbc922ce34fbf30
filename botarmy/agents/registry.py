"""The agents by role."""

from __future__ import annotations

from collections.abc import Mapping

from botarmy.agents.analyst import analyse
from botarmy.agents.architect import design
from botarmy.agents.author import author
from botarmy.agents.coder import build
from botarmy.agents.deployer import launch
from botarmy.agents.tester import validate
from botarmy.agents.work import AgentFunction
from botarmy.definitions.models import Template
from botarmy.records import Phase

AGENTS: Mapping[str, AgentFunction] = {
    "analyst": analyse,
    "architect": design,
    "coder": build,
    "tester": validate,
    "deployer": launch,
}
"""Role -> its agent function, e.g. `await AGENTS["coder"](work, ask, check)`."""


def agent_of(phase: Phase, template: Template) -> AgentFunction:
    """Return the function that does a phase's work.

    A phase that writes documents (a step of a BMAD sequence), or whose agent is none of the five roles, is the author's:
    it asks for each output by its own prompt.
    """
    if template.document is not None:
        return author
    return AGENTS.get(phase.agent, author)
