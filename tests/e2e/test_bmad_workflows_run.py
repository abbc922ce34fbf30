"""Two workflows of a real BMAD directory through the real flow: a loopback model writes, a person approves where asked."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from botarmy.artifacts import DocumentDraft
from botarmy.completion import CompletionRequest, Message
from providers.fake_server import Asked, FakeServer, Say, stream
from tests.e2e.conftest import ROOT, Product
from tests.factories.document_writer import Writer
from tests.factories.terminal import QUESTION, on_a_terminal

BRIEF = "# Tool Shelf\n\nMembers lend tools. A tool has a name and a unique serial number.\n"


@pytest.fixture
def bmad() -> Path:
    directory = Path(os.environ.get("BOTARMY_BMAD_DIR", ROOT.parent / "shared" / "data" / "bmad-v4.44.3"))
    if not directory.is_dir():
        pytest.skip(f"no BMAD directory at {directory} (BOTARMY_BMAD_DIR names one)")
    return directory


def _respond(writer: Writer) -> Any:
    def respond(asked: Asked) -> Say:
        messages = tuple(Message(role=one["role"], content=one["content"]) for one in asked.body["messages"])
        schema = asked.body["response_format"]["json_schema"]["schema"]
        request = CompletionRequest(
            role="", purpose=_purpose(messages), inputs={}, messages=messages, output_schema=schema
        )
        prompt = messages[1].content
        written = writer.review(prompt) if "<checklist>" in prompt else writer.document(request, prompt)
        answer: Any = DocumentDraft.model_validate(written).model_dump(mode="json")
        if "answer" in schema["properties"]:
            answer = {"answer": answer, "confidence": 0.9}
        common = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "writer"}
        text = {"index": 0, "delta": {"role": "assistant", "content": json.dumps(answer)}, "finish_reason": None}
        end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        chunks = [{**common, "choices": [text]}, {**common, "choices": [end]}]
        return stream(*chunks, {**common, "choices": [], "usage": usage}, "[DONE]")

    return respond


def _purpose(messages: tuple[Message, ...]) -> str:
    return "prd" if "prd.md" in messages[1].content else "document"


@asynccontextmanager
async def _written_for(product: Product) -> AsyncIterator[Product]:
    """Give the product with a model for all roles."""
    async with FakeServer(respond=_respond(Writer())) as server:
        environ = {"OPENAI_BASE_URL": server.url}
        for role in ("ANALYST", "ARCHITECT"):  # the analyst's provider serves pm, po, sm and dev as well
            environ |= {f"{role}_AGENT_PROVIDER": "openai", f"{role}_AGENT_MODEL": "writer"}
        yield Product(product.home, **environ)


def _words(name: str, bmad: Path, folder: Path) -> list[str]:
    path = folder / "brief.md"
    path.write_text(BRIEF, "utf-8")
    return ["run", str(path), "--project", name, "--workflow", name, "--bmad", str(bmad)]


def _look_at_the_documents(product: Product, name: str) -> None:
    document = product.show(name)
    assert {one["status"] for one in document["phases"]} == {"completed"}
    made = {one["kind"] for phase in document["phases"] for one in phase["artifacts"]}
    assert {"project-brief", "prd", "story", "sharded-docs"} <= made
    assert {phase["agent"] for phase in document["phases"]} >= {"analyst", "pm", "po", "sm", "dev"}


def _amend_the_prd(product: Product, name: str, path: Path) -> None:
    document = product.json("artifact", name, "prd")["content"]
    document["sections"][0]["markdown"] = "Members lend tools for three days."
    path.write_text(json.dumps(document), "utf-8")
    done = product.run("amend", f"{name}/prd", "--artifact", "prd", "--file", str(path), "--by", "Ann")
    assert done.returncode == 0, done.stdout + done.stderr
    amended = product.json("artifact", name, "prd")
    assert (amended["version"], amended["provenance"]["agent"]) == (2, "person:Ann")
    assert "Members lend tools for three days." in amended["content"]["markdown"]


def _waiting(product: Product, name: str) -> list[dict[str, Any]]:
    return [phase for phase in product.show(name)["phases"] if phase["status"] == "waiting"]


async def test_a_bmad_workflow_runs_from_brief_to_documents(product: Product, bmad: Path, tmp_path: Path) -> None:
    name = "greenfield-service"
    async with _written_for(product) as written:
        done = await asyncio.to_thread(written.run, *_words(name, bmad, tmp_path))
        asked = []
        while done.returncode == 3:
            (phase,) = _waiting(product, name)
            asked.append(phase["name"])
            if asked == ["prd"]:
                _amend_the_prd(written, name, tmp_path / "prd.json")
                done = await asyncio.to_thread(written.run, "run", "--project", name)
                assert done.returncode == 3, "amending is not approving"
                (phase,) = _waiting(product, name)
            assert product.run("approve", phase["gate"]["address"], "--by", "Ann").returncode == 0
            done = await asyncio.to_thread(written.run, "run", "--project", name)
    assert done.returncode == 0, done.stdout + done.stderr
    _look_at_the_documents(product, name)
    assert "prd" in asked, "a template that elicits makes its gate wait for a person"
    assert len(asked) == len(set(asked))


async def test_a_bmad_workflow_is_approved_phase_by_phase_at_the_terminal(
    product: Product, bmad: Path, tmp_path: Path
) -> None:
    name = "greenfield-fullstack"

    def approve_all(written: Product) -> int:
        with on_a_terminal(written, *_words(name, bmad, tmp_path), "--gates", "ask") as terminal:
            while terminal.shows(QUESTION):
                terminal.answer("approve")
            return terminal.end()

    async with _written_for(product) as written:
        assert await asyncio.to_thread(approve_all, written) == 0
    _look_at_the_documents(product, name)
    assert {phase["gate"]["by"] for phase in product.show(name)["phases"]} == {"Ann"}


def test_offline_refuses_documents_plainly(product: Product, bmad: Path, tmp_path: Path) -> None:
    path = tmp_path / "brief.md"
    path.write_text(BRIEF, "utf-8")
    done = product.run("run", str(path), "--workflow", "greenfield-service", "--bmad", str(bmad))
    assert done.returncode == 1
    assert "no model" in done.stderr
    assert "Traceback" not in done.stderr
