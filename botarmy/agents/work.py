"""What an agent gets and what it gives back. Agents are ordinary async functions; whoever calls them wires the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from pydantic import ConfigDict, Field

from botarmy.checks import Check
from botarmy.completion import Ask, Message
from botarmy.records import Evidence, Measure, Phase, Record


@runtime_checkable
class PromptTemplate(Protocol):
    """Turns a purpose and its inputs into messages; `botarmy.prompts.Template` is one."""

    def render(self, purpose: str, inputs: dict[str, Any]) -> tuple[Message, ...]:
        """Return the messages of one purpose.

        Raises:
            DefinitionError: the template has no such purpose or uses an input that it is not given.
        """
        ...


class PhaseWork(Record):
    """One attempt's task for an agent.

    Attributes:
        phase: the workflow's phase: which outputs are wanted and which checks must run.
        brief: the user's brief, as text.
        artifacts: the inputs by kind, as JSON: every artifact of the phases before.
        feedback: reasons why the former attempt was rejected, and people's comments.
        template: renders the prompts of this phase.
        max_output_tokens: limit on each answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    phase: Phase
    brief: str
    artifacts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    feedback: tuple[str, ...] = ()
    template: PromptTemplate
    max_output_tokens: int = Field(default=32_000, ge=1)


class PhaseResult(Record):
    """What came of an attempt.

    Attributes:
        artifacts: every expected output of the phase by kind, as JSON that fits the kind's schema.
        evidence: every check that ran, in the order of the phase's checks.
        measures: the deterministic measures of this phase.
        confidence: the least confidence that a model gave of its answers (0..1); None when an answer had none.
        summary: one or two sentences for the handoff.
        open_questions: questions that must be answered before the work goes on; the gate asks a person.
    """

    artifacts: dict[str, dict[str, Any]]
    evidence: tuple[Evidence, ...] = ()
    measures: tuple[Measure, ...] = ()
    confidence: float | None = Field(default=None, ge=0, le=1)
    summary: str
    open_questions: tuple[str, ...] = ()


AgentFunction = Callable[[PhaseWork, Ask, Check], Awaitable[PhaseResult]]
