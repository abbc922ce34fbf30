"""Let a decided gate's run go on. The decision is in our table already; a lost resume is found again by upkeep."""

from __future__ import annotations

import asyncio
import os

from botarmy.person import NAME_LIMIT
from botarmy.records import GateRequest
from botarmy.settings import load_settings
from flows.api import find_api, read_flow_run, resume

WAKE = {"decision": "reject", "comment": "The gate is not open any more.", "reviewer": "botarmy upkeep"}
"""A valid answer of a form that decides nothing: the flow reads our table first, where the gate is decided or void."""


def form_answer(gate: GateRequest) -> dict[str, str]:
    """Return a valid answer of the form; the flow reads our table first, so this only wakes it."""
    decision = gate.decision if gate.decision in ("approve", "reject") else "reject"
    return {"decision": str(decision), "comment": gate.comment, "reviewer": (gate.decided_by or "botarmy")[:NAME_LIMIT]}


async def resume_gate(gate: GateRequest) -> str:
    """Wake the suspended run that waits at this gate.

    Returns:
        One line that says what happens next.

    Raises:
        Unavailable: no Prefect API answers; the wish to resume stays in the table, and upkeep tries again.
    """
    api = find_api(load_settings().botarmy_home, dict(os.environ))
    if await asyncio.to_thread(resume, api, gate.flow_run_id, form_answer(gate)):
        return f"The run goes on: {api.run_url(gate.flow_run_id)}"
    found = await asyncio.to_thread(read_flow_run, api, gate.flow_run_id)
    state = found["state_name"] if found else "gone"
    return f"The run that waited is {state}; upkeep goes on with the project within a minute."
