"""Generated products in the sandbox, under every check that a run makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from botarmy.artifacts import DataField, Entity, StateMachine, Transition
from botarmy.checks import CheckName
from sandbox.checks import SandboxChecks
from sandbox.runner import Sandbox
from tests.factories.generated_products import CHECKS, check_product
from tests.factories.service_designs import inputs_of, library


def simple(name: str, *fields: DataField) -> Entity:
    return Entity(name=name, collection=f"{name}s", fields=fields)


def reference(name: str, **more: bool) -> DataField:
    return DataField(name=f"{name}_id", type="reference", references=name, **more)


def keywords() -> Sequence[Entity]:
    """Names that mean something to SQL or Python."""
    names = ("order", "group", "class", "index", "table", "select", "lambda", "none")
    fields = tuple(DataField(name=name, type="string", required=True) for name in ("from", "where", "def", "values"))
    state = StateMachine(
        field="case",
        states=("and", "or"),
        initial="and",
        transitions=(Transition(action="return", from_states=("and",), to_state="or"),),
    )
    return [Entity(name=name, collection=f"{name}es", fields=fields, state=state) for name in names]


def chain() -> Sequence[Entity]:
    """Thirty entities; each needs the one before."""
    first = simple("a0", DataField(name="name", type="string", required=True, unique=True))
    return [
        first,
        *(
            simple(f"a{n}", DataField(name="size", type="integer"), reference(f"a{n - 1}", required=n < 4))
            for n in range(1, 30)
        ),
    ]


def circle() -> Sequence[Entity]:
    """References in a circle and to the own kind."""
    return [
        simple("hen", reference("egg"), reference("hen")),
        simple("egg", reference("hen"), DataField(name="white", type="boolean")),
    ]


DESIGNS = {
    "library": library(),
    "keywords": keywords(),
    "chain": chain(),
    "circle": circle(),
    "nothing but a name": [simple("note")],
    "no rules": [simple("note", DataField(name="text", type="text"), DataField(name="at", type="datetime"))],
}


@pytest.mark.parametrize("name", DESIGNS)
async def test_every_check_passes(name: str) -> None:
    # The load on a product that differs in names and size alone is tried with the one of all rules and the largest.
    checks = [check for check in CHECKS if check is not CheckName.performance or name in ("library", "chain")]
    found = await check_product(SandboxChecks(Sandbox()), inputs_of(DESIGNS[name], title=name), checks)
    assert {check: (one.outcome, one.reasons) for check, one in found.items()} == {
        str(check): ("passed", ()) for check in checks
    }
    assert found["tests"].figures["coverage"] >= 0.95


async def test_contradictions_and_narrow_rules_still_give_a_product_whose_tests_pass() -> None:
    designed = [
        simple("knot", reference("knot", required=True)),
        simple("gap", DataField(name="size", type="integer", minimum=5, maximum=3, required=True)),
        simple("open", DataField(name="size", type="number", minimum=5, maximum=3)),
        simple("flag", DataField(name="on", type="boolean", required=True, unique=True)),
        simple("only", DataField(name="word", type="string", required=True, unique=True, values=("one",))),
        simple("child", reference("only", required=True, unique=True), reference("flag", required=True)),
        simple("hen", reference("egg"), reference("hen")),
        simple("egg", reference("hen", required=True)),
        simple("short", DataField(name="letter", type="string", required=True, min_length=1, max_length=1)),
        simple("empty", DataField(name="text", type="string", max_length=0)),
        simple(
            "huge",
            DataField(name="size", type="integer", minimum=1e30),
            DataField(name="s", type="number", maximum=-1e300),
        ),
        simple("fine", DataField(name="share", type="number", minimum=0.1, maximum=0.2, unique=True)),
        simple("word", DataField(name="text", type="string", values=("a", "bbb"), max_length=2, required=True)),
    ]
    names = (CheckName.compile, CheckName.lint, CheckName.security, CheckName.tests, CheckName.health)
    found = await check_product(SandboxChecks(Sandbox()), inputs_of(designed), names)
    assert {check: one.reasons for check, one in found.items() if one.outcome == "failed"} == {}
    assert found["tests"].outcome == "passed", found["tests"].log
