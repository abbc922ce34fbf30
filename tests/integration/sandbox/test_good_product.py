"""Every check on a product that is as it should be."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from botarmy.checks import CheckName, CheckRequest
from sandbox.checks import SandboxChecks
from sandbox.runner import Sandbox


@pytest.mark.parametrize("name", [name.value for name in CheckName])
async def test_passes(check: Any, name: str) -> None:
    evidence = await check(name)
    assert evidence.reasons == ()
    assert evidence.outcome == "passed"
    assert evidence.check == name
    assert evidence.exit_code == 0
    assert evidence.trusted
    assert "bubblewrap" in evidence.tool_version
    assert evidence.duration_s > 0
    assert evidence.log_sha256 == hashlib.sha256(evidence.log.encode()).hexdigest()


async def test_all_at_once_come_in_their_order(sandbox: Sandbox, contexts: Any, make_product: Any) -> None:
    requests = tuple(CheckRequest(name=name, context=contexts.get(name.value, {})) for name in reversed(CheckName))
    found = await SandboxChecks(sandbox)(make_product(), requests)
    assert [one.check for one in found] == [request.name.value for request in requests]
    assert {one.outcome for one in found} == {"passed"}
