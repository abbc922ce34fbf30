"""The analyst: what is wanted (Discovery), and how it falls into features with criteria (Plan)."""

from __future__ import annotations

from botarmy.agents.dialogue import Dialogue
from botarmy.agents.documents import as_json, measures_of, outputs_of
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import ProjectPlan, UserRequirements
from botarmy.checks import Check
from botarmy.completion import Ask
from botarmy.records import Record

ABLE = ("project_plan", "user_requirements", "success_criteria", "feature_breakdown", "acceptance_criteria")


async def analyse(work: PhaseWork, ask: Ask, _check: Check) -> PhaseResult:
    """Write the documents that the phase expects and measure them; there is nothing to run yet.

    The open questions of a new project plan stop the work until a person has answered, but for those that only repeat a
    requirement which is marked as not understood: that one is carried on as unproven, and Launch asks about it.

    Raises:
        DefinitionError: the phase expects other outputs or lacks an input.
        ProviderError: the model gave no usable answer.
    """
    wanted = outputs_of(work.phase, ABLE)
    dialogue = Dialogue(work, ask)
    made = await dialogue.ask_all(wanted)
    return PhaseResult(
        artifacts=as_json(made, wanted),
        measures=measures_of(dialogue, wanted),
        confidence=dialogue.confidence,
        summary=_summary(made),
        open_questions=_blocking(made),
    )


def _blocking(made: dict[str, Record]) -> tuple[str, ...]:
    plan, requirements = made.get("project_plan"), made.get("user_requirements")
    if not isinstance(plan, ProjectPlan):
        return ()
    carried = (
        [one.text for one in requirements.requirements if not one.understood]
        if isinstance(requirements, UserRequirements)
        else []
    )
    return tuple(question for question in plan.open_questions if not any(text in question for text in carried))


def _summary(made: dict[str, Record]) -> str:
    parts = [f"Wrote {', '.join(made)}."]
    requirements = made.get("user_requirements")
    if isinstance(requirements, UserRequirements):
        musts = sum(one.priority == "must" for one in requirements.requirements)
        unclear = sum(not one.understood for one in requirements.requirements)
        parts.append(f"{len(requirements.requirements)} requirements, {musts} of them musts, {unclear} not understood.")
    return " ".join(parts)
