"""What a run can be expected to cost, before its first call: a rehearsal of this very brief.

The scaffold generator goes through all phases in memory (about a second, nothing is stored, nothing is run). The sizes
of what is asked and written then are priced for the models that will do it. It is an estimate: a model writes more or
less than the scaffold, may reason, and may have to repair an answer or repeat a phase.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from botarmy.agents.choosing import agent_of
from botarmy.agents.work import PhaseWork
from botarmy.checks import CheckRequest, FileText
from botarmy.completion import Completion, CompletionRequest, Usage
from botarmy.definitions.models import Template
from botarmy.errors import BotArmyError
from botarmy.pricing import Prices
from botarmy.records import Evidence, Record, Workflow, canonical_json
from providers.offline.provider import OfflineProvider
from tasks.ledger import base_url_of
from tasks.roles import RoleMap

_BYTES_PER_TOKEN = 4
TemplateOf = Callable[[str, str], Template]
"""A phase's template and agent -> the prompt template; storage.definitions' Core.template."""


class ExpectedCost(Record):
    """What one role can be expected to cost.

    Attributes:
        provider: who serves the role first.
        calls: number of calls, without repairs and repeated phases.
        usd: None where the price is not known, or the role's phases could not be rehearsed.
    """

    role: str
    provider: str
    model: str
    deterministic: bool
    calls: int
    input_tokens: int
    output_tokens: int
    usd: Decimal | None


def role_lines(expected: tuple[ExpectedCost, ...], roles: RoleMap) -> tuple[str, ...]:
    """Return what a person wants to read before the first call: who serves whom, at what cost, and how to switch."""
    served: dict[str, list[ExpectedCost]] = {}
    for line in expected:
        served.setdefault(", then ".join(f"{p.name} {p.model}" for p in roles[line.role]), []).append(line)
    lines = [f"{', '.join(line.role for line in group)}: {who}{_amount(group)}" for who, group in served.items()]
    if all(line.deterministic for line in expected):
        if "offline" not in {line.provider for line in expected}:
            return (*lines, "The recordings were made by the scaffold generator: no model took part in them.")
        return (
            *lines,
            "offline is a scaffold generator, no model: it costs nothing and sends nothing anywhere.",
            "A model: set e.g. CODER_AGENT_PROVIDER=openai and CODER_AGENT_MODEL, see .env.example.",
        )
    return (*lines, _total(expected))


def _amount(group: list[ExpectedCost]) -> str:
    calls = sum(line.calls for line in group)
    known = [line.usd for line in group if line.usd is not None]
    if all(line.deterministic for line in group):
        return ", no model, no cost"
    if len(known) < len(group):
        return f", {calls} calls or more, price unknown"
    return f", {calls} calls, about {sum(known, Decimal(0)):.2f} USD"


def _total(expected: tuple[ExpectedCost, ...]) -> str:
    known = sum((line.usd for line in expected if line.usd is not None), Decimal(0))
    unknown = [line.role for line in expected if line.usd is None]
    rest = f", and what {', '.join(unknown)} cost is not known" if unknown else ""
    return (
        f"Expected cost for this brief: about {known:.2f} USD{rest};"
        " more where a model reasons, repairs an answer or repeats a phase. --budget sets a limit."
    )


class _Rehearsal:
    """Answers by the scaffold generator and notes how much was asked and written."""

    def __init__(self) -> None:
        self.usages: dict[str, list[Usage]] = {}
        self._offline = OfflineProvider()

    async def ask(self, request: CompletionRequest) -> Completion:
        done = await self._offline.complete(request)
        asked = [message.content for message in request.messages]
        asked.append(canonical_json(request.output_schema))
        usage = Usage(
            input_tokens=sum(map(_size, asked)) // _BYTES_PER_TOKEN, output_tokens=_size(done.text) // _BYTES_PER_TOKEN
        )
        self.usages.setdefault(request.role, []).append(usage)
        return done


async def _pass(files: tuple[FileText, ...], checks: tuple[CheckRequest, ...]) -> tuple[Evidence, ...]:  # noqa: ARG001
    """Pass every check: here they only stand between one question and the next, and nothing of it is kept."""
    return tuple(Evidence(check=check.name.value, command=(), exit_code=0, outcome="passed") for check in checks)


async def expected_costs(
    brief: str, workflow: Workflow, template_of: TemplateOf, roles: RoleMap, prices: Prices
) -> tuple[ExpectedCost, ...]:
    """Return a line for each role of the workflow, in the order of its phases.

    Args:
        brief: the brief's text.
        workflow: what will be run.
        template_of: where the prompt templates come from.
        roles: who serves whom.
        prices: the prices in force.
    """
    names = tuple(dict.fromkeys(phase.agent for phase in workflow.phases))
    if roles.deterministic:
        return tuple(_line(name, roles, prices, [], rehearsed=True) for name in names)
    rehearsal = _Rehearsal()
    missed = await _rehearse(rehearsal, brief, workflow, template_of)
    return tuple(
        _line(name, roles, prices, rehearsal.usages.get(name, []), rehearsed=name not in missed) for name in names
    )


async def _rehearse(rehearsal: _Rehearsal, brief: str, workflow: Workflow, template_of: TemplateOf) -> frozenset[str]:
    """Go through the phases; return the agents of those that the scaffold generator cannot do."""
    artifacts: dict[str, dict[str, object]] = {}
    for position, phase in enumerate(workflow.phases):
        try:
            template = template_of(phase.template, phase.agent)
            work = PhaseWork(phase=phase, brief=brief, artifacts=artifacts, template=template)
            result = await agent_of(phase, template)(work, rehearsal.ask, _pass)
        except BotArmyError:
            return frozenset(later.agent for later in workflow.phases[position:])
        artifacts.update(result.artifacts)
    return frozenset()


def _line(role: str, roles: RoleMap, prices: Prices, usages: list[Usage], *, rehearsed: bool) -> ExpectedCost:
    provider = roles[role][0]
    usage = Usage(input_tokens=sum(u.input_tokens for u in usages), output_tokens=sum(u.output_tokens for u in usages))
    cost = prices.cost(provider.name, provider.model, usage, base_url=base_url_of(provider))
    return ExpectedCost(
        role=role,
        provider=provider.name,
        model=provider.model,
        deterministic=provider.deterministic,
        calls=len(usages),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=cost.usd if rehearsed else None,
    )


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
