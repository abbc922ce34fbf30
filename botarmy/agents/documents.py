"""The way of the agents that write documents: ask for each expected output, then measure them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from botarmy.agents.dialogue import Dialogue
from botarmy.artifacts import KINDS
from botarmy.errors import DefinitionError
from botarmy.measures import measure_documents
from botarmy.records import Measure, Phase, Record


def outputs_of(phase: Phase, able: Collection[str]) -> tuple[str, ...]:
    """Return the phase's expected outputs, if the agent can make all of them.

    Raises:
        DefinitionError: the workflow asks the agent for something that another one makes.
    """
    foreign = [kind for kind in phase.expected_outputs if kind not in able]
    if foreign:
        raise DefinitionError(
            f"Phase {phase.name!r} expects {', '.join(foreign)}, which the {phase.agent} does not make.",
            hint=f"The {phase.agent} makes {', '.join(able)}. Give the other outputs to a phase of another agent.",
        )
    return phase.expected_outputs


def as_json(records: Mapping[str, Record], order: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return records as JSON by kind, in the order of the phase's expected outputs."""
    return {kind: records[kind].model_dump(mode="json") for kind in order}


def measures_of(dialogue: Dialogue, made: Collection[str]) -> tuple[Measure, ...]:
    """Measure the documents just made, together with those of the phases before."""
    known: dict[str, Any] = {kind: record for kind in KINDS if (record := dialogue.find(kind)) is not None}
    return measure_documents(made, {**known, "sentences": dialogue.sentences, "comments": dialogue.comments})
