"""The expected cost of a run, rehearsed with a real brief and the shipped workflow."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from botarmy.definitions.models import Template
from botarmy.errors import DefinitionError
from botarmy.pricing import OwnPrice, Prices
from botarmy.records import Workflow
from providers.fake import ScriptedProvider
from providers.offline.provider import OfflineProvider
from storage.definitions import Core, core_directories, load_core
from tasks.forecast import expected_costs, role_lines
from tasks.roles import ROLES, RoleMap

BRIEF = (Path(__file__).parents[3] / "examples" / "briefs" / "library.md").read_text(encoding="utf-8")


def shipped() -> tuple[Core, Workflow]:
    core = load_core(*core_directories(None))
    return core, core.workflow("sdlc-workflow")


async def test_each_role_has_its_price() -> None:
    core, workflow = shipped()
    paid, free, nameless = ScriptedProvider([{}], name="p"), OfflineProvider(), ScriptedProvider([{}], name="q")
    served = {"analyst": [paid], "architect": [paid], "coder": [paid], "tester": [nameless], "deployer": [free]}
    prices = Prices({"p/model-1": OwnPrice(input=Decimal(1), output=Decimal(10))})
    lines = await expected_costs(BRIEF, workflow, core.template, RoleMap(served), prices)
    assert [line.role for line in lines] == list(ROLES)
    by_role = {line.role: line for line in lines}
    coder = by_role["coder"]
    assert (coder.calls, coder.usd) == (3, Decimal(coder.input_tokens + 10 * coder.output_tokens) / 1_000_000)
    assert coder.output_tokens > 10_000
    assert by_role["tester"].usd is None
    assert (by_role["deployer"].usd, by_role["deployer"].calls) == (Decimal(0), 3)
    told = role_lines(lines, RoleMap(served))
    known = sum(line.usd for line in lines if line.usd is not None)
    paid_for = "analyst, architect, coder: p model-1, 13 calls, about"
    assert told[0] == f"{paid_for} {known:.2f} USD"
    assert told[1] == "tester: q model-1, 1 calls or more, price unknown"
    assert told[2] == "deployer: offline scaffold-1, no model, no cost"
    assert told[3].startswith(
        f"Expected cost for this brief: about {known:.2f} USD, and what tester cost is not known;"
    )


async def test_a_scaffold_costs_nothing_and_is_not_rehearsed() -> None:
    core, workflow = shipped()
    lines = await expected_costs(
        BRIEF, workflow, core.template, RoleMap({role: [OfflineProvider()] for role in ROLES}), Prices()
    )
    assert {(line.usd, line.calls, line.deterministic) for line in lines} == {(Decimal(0), 0, True)}
    told = role_lines(lines, RoleMap({role: [OfflineProvider()] for role in ROLES}))
    assert told[0] == "analyst, architect, coder, tester, deployer: offline scaffold-1, no model, no cost"
    assert "costs nothing" in told[1]


async def test_what_cannot_be_rehearsed_is_unknown() -> None:
    core, workflow = shipped()

    def template_of(stem: str, agent: str) -> Template:
        if agent == "coder":
            raise DefinitionError("no such template")
        return core.template(stem, agent)

    paid = ScriptedProvider([{}], name="p")
    prices = Prices({"p/model-1": OwnPrice(input=Decimal(1), output=Decimal(10))})
    roles = RoleMap({role: [paid] for role in ROLES})
    lines = {line.role: line.usd for line in await expected_costs(BRIEF, workflow, template_of, roles, prices)}
    assert lines["analyst"] is not None
    assert lines["coder"] is lines["tester"] is lines["deployer"] is None
