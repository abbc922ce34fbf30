"""The agents by role."""

from __future__ import annotations

from collections.abc import Mapping

from botarmy.agents.analyst import analyse
from botarmy.agents.architect import design
from botarmy.agents.coder import build
from botarmy.agents.deployer import launch
from botarmy.agents.tester import validate
from botarmy.agents.work import AgentFunction

AGENTS: Mapping[str, AgentFunction] = {
    "analyst": analyse,
    "architect": design,
    "coder": build,
    "tester": validate,
    "deployer": launch,
}
"""Role -> its agent function, e.g. `await AGENTS["coder"](work, ask, check)`."""
