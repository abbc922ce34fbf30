"""The architect: data models, interface, structure, steps and risks (Design)."""

from __future__ import annotations

from botarmy.agents.dialogue import Dialogue
from botarmy.agents.documents import as_json, measures_of, outputs_of
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import DataModels
from botarmy.checks import Check
from botarmy.completion import Ask

ABLE = ("data_models", "api_specifications", "technical_architecture", "implementation_plan", "risk_assessment")


async def design(work: PhaseWork, ask: Ask, _check: Check) -> PhaseResult:
    """Write the design documents that the phase expects, data models first, and measure them.

    Raises:
        DefinitionError: the phase expects other outputs or lacks an input.
        ProviderError: the model gave no usable answer.
    """
    wanted = outputs_of(work.phase, ABLE)
    dialogue = Dialogue(work, ask)
    made = await dialogue.ask_all(wanted)
    models = made.get("data_models")
    entities = [entity.name for entity in models.entities] if isinstance(models, DataModels) else []
    return PhaseResult(
        artifacts=as_json(made, wanted),
        measures=measures_of(dialogue, wanted),
        confidence=dialogue.confidence,
        summary=f"Wrote {', '.join(made)}." + (f" Entities: {', '.join(entities)}." if entities else ""),
    )
