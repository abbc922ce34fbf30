"""Two workflows of a real BMAD directory through the real flow: a loopback model writes, a person approves where asked."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from botarmy.artifacts import DocumentDraft
from botarmy.completion import CompletionRequest, Message
from providers.fake_server import Asked, FakeServer, Say, stream
from tests.e2e.conftest import ROOT, Product
from tests.factories.document_writer import Writer

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


async def _command(product: Product, environ: dict[str, str], *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli.main",
        *words,
        env=product.environ | environ,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.mark.parametrize("name", ["greenfield-service", "greenfield-fullstack"])
async def test_a_bmad_workflow_runs_from_brief_to_documents(
    product: Product, bmad: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "brief.md"
    path.write_text(BRIEF, "utf-8")
    async with FakeServer(respond=_respond(Writer())) as server:
        environ = {"OPENAI_BASE_URL": server.url}
        for role in ("ANALYST", "ARCHITECT"):  # the analyst's provider serves pm, po, sm and dev as well
            environ |= {f"{role}_AGENT_PROVIDER": "openai", f"{role}_AGENT_MODEL": "writer"}
        words = ["run", str(path), "--project", name, "--workflow", name, "--bmad", str(bmad)]
        code, out = await _command(product, environ, *words)
        asked = []
        while code == 3:
            waiting = [one["name"] for one in product.show(name)["phases"] if one["status"] == "waiting"]
            asked += waiting
            assert product.run("approve", name, "--by", "Ann").returncode == 0
            code, out = await _command(product, environ, "run", "--project", name)
    assert code == 0, out
    document = product.show(name)
    assert {one["status"] for one in document["phases"]} == {"completed"}
    made = {one["kind"] for phase in document["phases"] for one in phase["artifacts"]}
    assert {"project-brief", "prd", "story", "sharded-docs"} <= made
    assert {phase["agent"] for phase in document["phases"]} >= {"analyst", "pm", "po", "sm", "dev"}
    assert "prd" in asked, "a template that elicits makes its gate wait for a person"
    assert len(asked) == len(set(asked))


def test_offline_refuses_documents_plainly(product: Product, bmad: Path, tmp_path: Path) -> None:
    path = tmp_path / "brief.md"
    path.write_text(BRIEF, "utf-8")
    done = product.run("run", str(path), "--workflow", "greenfield-service", "--bmad", str(bmad))
    assert done.returncode == 1
    assert "no model" in done.stderr
    assert "Traceback" not in done.stderr
