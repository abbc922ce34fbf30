"""A whole project through the real SDK against a server on loopback, recorded, and replayed byte for byte at no cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from botarmy.agents.registry import AGENTS
from botarmy.agents.work import PhaseWork
from botarmy.checks import CheckRequest, FileText
from botarmy.completion import Completion, CompletionRequest, Provider
from botarmy.errors import RecordingMissing
from botarmy.pricing import OwnPrice, Prices
from botarmy.records import Evidence, LLMCall, canonical_json
from providers.fake_server import Asked, FakeServer, Say
from providers.fake_vendors import CANARY, ChatVoice
from providers.offline.provider import OfflineProvider
from providers.openai_chat import OpenAIChat
from providers.recorded import Recorded, Recorder
from storage.database import Database
from storage.definitions import core_directories, load_core
from tasks.calls import make_ask

BRIEF = (Path(__file__).parents[3] / "examples" / "briefs" / "library.md").read_text(encoding="utf-8")
PRICES = Prices({"openai/gpt-test": OwnPrice(input=Decimal(1), output=Decimal(2))})


async def passed(files: tuple[FileText, ...], checks: tuple[CheckRequest, ...]) -> tuple[Evidence, ...]:
    return tuple(Evidence(check=check.name.value, command=(), exit_code=0, outcome="passed") for check in checks)


async def carry_out(
    database: Database, providers: Sequence[Provider], brief: str = BRIEF
) -> tuple[dict[str, Any], tuple[LLMCall, ...]]:
    """Go through all phases; return the artifacts and the ledger."""
    core = load_core(*core_directories(None))
    async with database.work() as work:
        project = await work.projects.create("Library", "library", brief, "sdlc-workflow", {})
    artifacts: dict[str, Any] = {}
    for phase in core.workflow("sdlc-workflow").phases:
        ask = make_ask(
            database=database,
            roles={phase.agent: providers},
            project_id=project.id,
            phase=phase.name,
            attempt=1,
            prices=PRICES,
        )
        task = PhaseWork(phase=phase, brief=brief, artifacts=artifacts, template=core.template(phase.template))
        result = await AGENTS[phase.agent](task, ask, passed)
        artifacts.update(result.artifacts)
    async with database.work() as work:
        return artifacts, await work.calls.of_project(project.id)


class Dying:
    """Answers by the scaffold generator, and dies at the n-th call as a killed process does: nothing is settled."""

    name, model, deterministic = "offline", "scaffold-1", True

    def __init__(self, lives: int) -> None:
        self.asked: list[CompletionRequest] = []
        self._lives = lives
        self._offline = OfflineProvider()

    async def complete(self, request: CompletionRequest) -> Completion:
        if len(self.asked) == self._lives:
            raise KeyboardInterrupt
        self.asked.append(request)
        return await self._offline.complete(request)


async def test_a_phase_that_was_killed_asks_only_what_is_missing(database: Database) -> None:
    """The answers before the kill come from the ledger and must lead to the very same prompts after it."""
    core = load_core(*core_directories(None))
    done, _ = await carry_out(database, [OfflineProvider()])
    phase = next(phase for phase in core.workflow("sdlc-workflow").phases if phase.name == "Design")
    async with database.work() as work:
        project = await work.projects.create("Killed", "killed", BRIEF, "sdlc-workflow", {})

    async def design(provider: Provider) -> None:
        ask = make_ask(
            database=database, roles={"architect": [provider]}, project_id=project.id, phase="Design", attempt=1
        )
        task = PhaseWork(phase=phase, brief=BRIEF, artifacts=done, template=core.template(phase.template))
        await AGENTS["architect"](task, ask, passed)

    first, second = Dying(3), Dying(99)
    with pytest.raises(KeyboardInterrupt):
        await design(first)
    await design(second)
    assert [r.purpose for r in first.asked] == ["data_models", "api_specifications", "technical_architecture"]
    assert [r.purpose for r in second.asked] == ["implementation_plan", "risk_assessment"]


class Understudy:
    """Passes requests on to the adapter, and lets the server know the scaffold's answer to each."""

    name, model, deterministic = "openai", "gpt-test", False
    base_url = "http://127.0.0.1"

    def __init__(self, url: str, answers: list[str]) -> None:
        self._adapter = OpenAIChat("gpt-test", api_key=CANARY, base_url=f"{url}/v1", streaming=True)
        self._answers = answers

    async def complete(self, request: CompletionRequest) -> Completion:
        done = await OfflineProvider().complete(request)
        self._answers.append(json.dumps({"answer": done.parsed, "confidence": 0.9}))
        return await self._adapter.complete(request)

    async def aclose(self) -> None:
        await self._adapter.aclose()


async def test_replayed_byte_for_byte_at_no_cost(database: Database, tmp_path: Path) -> None:
    answers: list[str] = []

    def respond(_: Asked) -> Say:
        return ChatVoice().streamed(answers.pop())

    async with FakeServer(respond=respond) as server:
        recorder = Recorder(Understudy(server.url, answers), tmp_path, [CANARY])
        first, paid = await carry_out(database, [recorder])
        await recorder.aclose()
    again, free = await carry_out(database, [Recorded(tmp_path)])
    assert canonical_json(again).encode() == canonical_json(first).encode()
    assert [(row.purpose, row.text) for row in free] == [(row.purpose, row.text) for row in paid]
    assert {row.cost_usd for row in paid} == {Decimal("0.000038")}
    assert {(row.cost_usd, row.provider, row.outcome) for row in free} == {(Decimal(0), "recorded", "completed")}
    assert {row.confidence for row in paid} == {0.9}


async def test_a_changed_brief_is_a_miss_that_shows_the_change(database: Database, tmp_path: Path) -> None:
    recorded, _ = await carry_out(database, [Recorder(OfflineProvider(), tmp_path)])
    assert recorded["source_code"]["files"]
    replay = Recorded(tmp_path)
    assert replay.deterministic  # no model took part, so the project is still a scaffold
    with pytest.raises(RecordingMissing, match=r"(?s)analyst/project_plan; the nearest one differs:.*\+.*zoo"):
        await carry_out(database, [replay], BRIEF.replace("library", "zoo"))
