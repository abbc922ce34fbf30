"""A decision binds what was shown: an address that another question has answered to decides nothing unseen."""

from __future__ import annotations

import asyncio
import io

import pytest

from storage.database import Database
from tests.integration.cli.conftest import phase_waiting


def stored(url, change):
    async def go():
        database = Database(url)
        try:
            async with database.work() as work:
                return await change(work)
        finally:
            await database.close()

    return asyncio.run(go())


@pytest.fixture
def moved_on(botarmy, waiting, database_url):
    """Ann has read Build's gate; Bob approves it, and Validate's opens. Its address."""
    assert botarmy("approve", "books", "--by", "Bob").code == 0
    stored(database_url, lambda work: phase_waiting(work, waiting, "Validate", "tester", {"test_results": {}}))
    return botarmy("inbox", "--json").json["gates"][0]["address"]


@pytest.fixture
def amended(botarmy, waiting, database_url):
    """Ann has read Build's gate; a document of it is amended, and the gate opens again. The old address and the new."""
    before = botarmy("inbox", "books", "--json").json

    async def change(work):
        await work.gates.cancel((await work.gates.get(before["id"])).id, "documentation amended", by="Bob")
        attempt = await work.attempts.current(waiting.id, "Build")
        head = await work.artifacts.head(waiting.id, "documentation")
        await work.artifacts.save(waiting.id, "documentation", {"files": []}, "", head.provenance, [])
        gate = await work.gates.get(before["id"])
        hashes = {kind: sha for kind, sha in (await work.artifacts.hashes(waiting.id)).items() if kind in gate.hashes}
        payload = {"documents": [{"kind": "documentation", "version": 2, "sha256": hashes["documentation"]}]}
        await work.gates.open(waiting.id, attempt.id, "Build", 1, gate.verdict, hashes, ask=2, payload=payload)

    stored(database_url, change)
    return before["address"], botarmy("inbox", "books", "--json").json["address"]


def decisions(url, project):
    gates = stored(url, lambda work: work.gates.of_project(project.id))
    return [(gate.phase, gate.decided_by) for gate in gates if gate.decision][1:]  # without the policy's own


@pytest.mark.parametrize("words", [("approve", "books"), ("reject", "books", "--comment", "no")])
def test_a_project_that_moved_on_is_not_decided_unseen(botarmy, waiting, moved_on, database_url, words):
    said = botarmy(*words, "--by", "Ann", "--json")
    assert said.code == 2
    assert "does not say which question was read" in said.err
    assert f"`botarmy {words[0]} {moved_on}`" in said.err
    assert said.json["error"]["code"] == "bad-input"
    assert decisions(database_url, waiting) == [("Build", "Bob")]
    assert "was approved by Bob" in botarmy("approve", "books/Build", "--by", "Ann").err
    done = botarmy(words[0], moved_on, *words[2:], "--by", "Ann")
    assert done.code == 0, done.err
    assert "  test_results " in done.out
    assert decisions(database_url, waiting) == [("Build", "Bob"), ("Validate", "Ann")]


def test_a_phase_that_was_asked_once_is_named_by_its_name(botarmy, waiting, moved_on, database_url):
    assert botarmy("approve", "books/validate", "--by", "Ann").code == 0


def test_an_amended_phase_is_not_decided_unseen(botarmy, waiting, amended, database_url):
    before, now = amended
    for address in ("books", "books/Build"):
        said = botarmy("approve", address, "--by", "Ann")
        assert said.code == 2
        assert now in said.err
    assert "is void" in botarmy("approve", before, "--by", "Ann").err
    assert "Void" in botarmy("inbox", before).out
    assert decisions(database_url, waiting) == []
    done = botarmy("approve", now, "--by", "Ann")
    assert done.code == 0, done.err
    assert "  documentation version 2 " in done.out
    assert decisions(database_url, waiting) == [("Build", "Ann")]


def test_yes_decides_whatever_is_open(botarmy, waiting, moved_on, database_url):
    assert botarmy("approve", "books", "--by", "Ann", "--yes").code == 0
    assert decisions(database_url, waiting) == [("Build", "Bob"), ("Validate", "Ann")]


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2), ("", 130)])
def test_at_a_terminal_it_is_shown_and_confirmed(botarmy, waiting, amended, database_url, monkeypatch, answer, code):
    class Person(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Person(answer))
    said = botarmy("approve", "books", "--by", "Ann")
    assert said.code == code, said.err
    assert f"{amended[1]}, attempt 1: needs approval" in said.err
    assert "  documentation version 2 " in said.err
    assert decisions(database_url, waiting) == ([("Build", "Ann")] if code == 0 else [])
