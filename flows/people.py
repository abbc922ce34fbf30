"""The doors to people: how an open gate gets its decision. Own tables first; then ask, then write, then go on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID

from botarmy.crashpoints import point
from botarmy.errors import Duplicate, InputError, TooLarge
from botarmy.gate_text import description
from botarmy.progress import Progress
from botarmy.records import GateRequest, Status
from flows.form import GateForm
from tasks.decide import Answer, decide, newest
from tasks.runtime import Runtime


class Door(Protocol):
    """Gets a decision for an open gate."""

    async def ask(self, runtime: Runtime, gate: GateRequest) -> GateRequest | None:
        """Return the decided (or voided) gate, or None where nobody decides now: the run then ends, waiting."""
        ...


class NobodyHere:
    """The door of `--gates auto`: a gate that the evidence left open stays open, and the run ends with exit 3."""

    async def ask(self, runtime: Runtime, gate: GateRequest) -> GateRequest | None:
        """Look whether somebody decided in the meantime; do not wait."""
        gate = await taken_up(runtime, gate)
        return gate if _is_over(gate) else None


AskPerson = Callable[[GateRequest, str], Awaitable[Answer | None]]
"""Shows a gate, with why it is asked again (or ""), and returns a person's answer; None: the person puts it off."""

person_at_terminal: ContextVar[AskPerson] = ContextVar("botarmy_person_at_terminal")
"""Installed by the command line around a run with `--gates ask`."""


class Terminal:
    """The door of `--gates ask`: the terminal asks, and asks again when the answer cannot be used."""

    async def ask(self, runtime: Runtime, gate: GateRequest) -> GateRequest | None:
        """Ask until the answer can be used or the person puts it off."""
        ask_person = person_at_terminal.get()
        why_again = ""
        while True:
            gate = await taken_up(runtime, gate)
            if _is_over(gate):
                if why_again and gate.decision is None:
                    runtime.report(Progress(phase=gate.phase, attempt=gate.attempt, step="void", text=why_again))
                return gate
            try:
                answer = await ask_person(gate, why_again)
                return await decide(runtime, gate, answer) if answer is not None else None
            except Duplicate:
                continue
            except (InputError, TooLarge) as error:
                why_again = f"{error.message} {error.hint}".strip()


class SuspendedForm:
    """The door of a deployed run: Prefect suspends the flow with a form; the process ends until someone answers.

    On resume the flow body runs again from its top and comes here again: the own table is read first, so an answer that
    the CLI wrote (it writes first, then resumes) wins over what the form carried.
    """

    def __init__(self, flow_run_id: str) -> None:
        self._flow_run_id = flow_run_id

    async def ask(self, runtime: Runtime, gate: GateRequest) -> GateRequest | None:
        """Suspend until the gate is decided; ask again, with the reason, when the answer cannot be used."""
        from prefect.flow_runs import suspend_flow_run  # noqa: PLC0415 (the CLI's `ask` needs no suspend)

        why_again, ask = "", 1
        while True:
            if gate.flow_run_id not in ("", self._flow_run_id):
                await _withdraw_form(gate.flow_run_id)
            gate = await (newest if gate.flow_run_id == self._flow_run_id else taken_up)(runtime, gate)
            if _is_over(gate):
                return gate
            async with runtime.commit("gate.shown", gate.phase) as work:
                await work.gates.shown(gate.id, self._flow_run_id)
            form = GateForm.with_initial_data(description=description(gate, why_again=why_again))
            answer = await suspend_flow_run(wait_for_input=form, key=f"{gate.id}-{ask}")  # type: ignore[misc]
            point("gate.answered", gate.phase)
            try:
                return await decide(runtime, gate, _as_answer(answer))
            except Duplicate:
                continue
            except (InputError, TooLarge) as error:
                why_again, ask = f"{error.message} {error.hint}".strip(), ask + 1


def _is_over(gate: GateRequest) -> bool:
    """Whether there is nothing left to ask: decided, or void, and then the flow judges anew."""
    return gate.decision is not None or gate.status is Status.cancelled


async def taken_up(runtime: Runtime, gate: GateRequest) -> GateRequest:
    """Return the gate as it stands now, with the answer that an earlier run was given and died before it wrote down.

    A person who answered a form has answered: nobody asks twice.
    """
    gate = await newest(runtime, gate)
    if _is_over(gate) or not gate.flow_run_id:
        return gate
    left = await _left_answer(gate)
    if left is None:
        return gate
    try:
        return await decide(runtime, gate, _as_answer(left))
    except (Duplicate, InputError, TooLarge):  # decided meanwhile, or of no use: the table says which
        return await newest(runtime, gate)


async def _withdraw_form(flow_run_id: str) -> None:
    """End a suspended run that another takes over from, before its answer is looked for: one gate has one form.

    Its process is gone, since this run holds the project. Nobody can answer it after this; who answered just before is
    heard (`taken_up`).
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415 (the CLI's `ask` needs no client)
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415
    from prefect.states import Cancelled  # noqa: PLC0415

    async with get_client() as client:
        with contextlib.suppress(ObjectNotFound):
            run = await client.read_flow_run(UUID(flow_run_id))
            if run.state is not None and run.state.is_paused():
                message = "another run of the project shows this gate now"
                await client.set_flow_run_state(run.id, Cancelled(message=message), force=True)


async def _left_answer(gate: GateRequest) -> GateForm | None:
    """Return the newest answer that Prefect holds for this gate in the run that showed it, or None."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 (the CLI's `ask` needs no client)
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415

    prefix = f"suspended-{gate.id}-"
    async with get_client() as client:
        try:
            kept = await client.filter_flow_run_input(
                flow_run_id=UUID(gate.flow_run_id), key_prefix=prefix, limit=100, exclude_keys=set()
            )
        except ObjectNotFound:
            return None
    answers = {int(each.key.split("-")[-2]): each for each in kept if each.key.endswith("-response")}
    return GateForm(**json.loads(answers[max(answers)].value)) if answers else None


def _as_answer(form: GateForm) -> Answer:
    return Answer(
        decision=form.decision,
        comment=form.comment,
        by=form.reviewer,
        amended_kind=form.amended_artifact.strip(),
        amended_content=form.amended_content,
    )
