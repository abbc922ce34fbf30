"""approve, reject, rollback and purge against a real database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from botarmy.errors import Fenced
from botarmy.records import Handoff, Provenance, Status
from storage.database import Database


def read(url, reader):
    async def go():
        database = Database(url)
        try:
            async with database.read() as view:
                return await reader(view)
        finally:
            await database.close()

    return asyncio.run(go())


def gates_of(url, project):
    return read(url, lambda view: view.gates.of_project(project.id))


@pytest.mark.parametrize("address", ["books", "books/Build", "books/build", "ID", "PREFIX", "FULL", "books@PREFIX"])
def test_a_gate_is_approved_by_any_of_its_names(botarmy, waiting, database_url, address):
    gate = gates_of(database_url, waiting)[-1]
    prefix = str(gate.id)[:8]
    address = {"ID": str(gate.id), "FULL": f"books/Build@{prefix}"}.get(address, address).replace("PREFIX", prefix)
    said = botarmy("approve", address, "--by", "Ada", "--comment", "good")
    assert said.code == 0, said.err
    assert "books/Build attempt 1 approved by Ada." in said.out
    assert "botarmy run --project books" in said.out
    decided = gates_of(database_url, waiting)[-1]
    assert (decided.decision, decided.decided_by, decided.comment) == ("approve", "Ada", "good")
    assert decided.resume_wanted


def test_the_answer_as_json_has_the_bound_hashes(botarmy, waiting, database_url):
    said = botarmy("approve", "books", "--json", BOTARMY_BY="Grace").json
    gate = gates_of(database_url, waiting)[-1]
    assert (said["decision"], said["by"], said["hashes"]) == ("approve", "Grace", gate.hashes)


def test_a_rejection_needs_a_comment(botarmy, waiting, database_url):
    assert botarmy("reject", "books").code == 2
    blank = botarmy("reject", "books", "--comment", "  ")
    assert blank.code == 2
    assert "needs a comment" in blank.err
    assert gates_of(database_url, waiting)[-1].decision is None
    said = botarmy("reject", "books", "--comment", "Titles\x1b[2J must be unique.", "--by", "Ada")
    assert said.code == 0
    assert gates_of(database_url, waiting)[-1].comment == "Titles[2J must be unique."


def test_of_many_answers_one_wins_and_the_others_are_told_who(botarmy_process, waiting, database_url):
    with ThreadPoolExecutor(6) as pool:
        said = list(
            pool.map(lambda n: botarmy_process("approve", "books/Build", "--by", f"Person {n}", "--json"), range(6))
        )
    won = [each for each in said if each.code == 0]
    lost = [each for each in said if each.code != 0]
    assert len(won) == 1
    winner = won[0].json["by"]
    assert gates_of(database_url, waiting)[-1].decided_by == winner
    for each in lost:
        assert each.json["error"]["code"] == "duplicate"
        assert winner in each.err


def test_a_decision_on_changed_artifacts_does_not_count(botarmy, waiting, database_url):
    async def change():
        database = Database(database_url)
        async with database.work() as work:
            head = await work.artifacts.head(waiting.id, "documentation")
            await work.artifacts.save(waiting.id, "documentation", {"files": []}, "", head.provenance, [])
        await database.close()

    asyncio.run(change())
    said = botarmy("approve", "books", "--json")
    assert said.code != 0
    assert "documentation changed after the gate was opened" in said.err
    assert all(gate.decided_by != "Ada" for gate in gates_of(database_url, waiting))


@pytest.mark.parametrize(
    "name", ["policy:auto", " Policy:x", "", "  ", "a\nb", "x" * 101, "a\x1bb", "a\u202eb", "a\tb"]
)
def test_a_name_that_is_none_is_refused(botarmy, waiting, database_url, name):
    said = botarmy("approve", "books", "--by", name)
    assert said.code == 2
    assert gates_of(database_url, waiting)[-1].decision is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("boks", "no project 'boks'"),
        ("books/Launch", 'No gate "books/Launch" waits'),
        ("books/Build@deadbeef", 'No gate "books/Build@deadbeef" waits'),
        ("books/Build@dead", 'No gate "books/Build@dead" waits'),
        ("deadbeef", 'Nothing that waits is called "deadbeef"'),
    ],
)
def test_a_wrong_address_is_answered(botarmy, waiting, address, words):
    said = botarmy("approve", address)
    assert said.code == 2
    assert words in said.err


def test_a_project_that_waits_for_nothing_says_who_decided_last(botarmy, finished):
    said = botarmy("approve", "books")
    assert said.code == 2
    assert "waits for no decision" in said.err
    assert "Build, was approved by Ada" in said.err


def test_rollback_sets_later_phases_aside_and_deletes_nothing(botarmy, finished, database_url):
    said = botarmy("rollback", "books", "--to", "discovery", "--by", "Ada", "--json").json
    assert (said["phase"], said["set_aside"]) == ("Discovery", ["Build"])
    assert sorted(said["stale"]) == ["documentation", "source_code"]
    document = botarmy("show", "books", "--json").json
    states = {phase["name"]: phase["status"] for phase in document["phases"]}
    assert (states["Discovery"], states["Build"]) == ("completed", "pending")
    assert document["project"]["status"] == "pending"
    versions = read(database_url, lambda view: view.artifacts.versions(finished.id, "source_code"))
    assert len(versions) == 1
    again = botarmy("rollback", "books", "--to", "Discovery")
    assert "stands there already" in again.out


def test_rollback_brings_an_earlier_attempt_back(botarmy, finished, database_url):
    async def build_again():
        database = Database(database_url)
        async with database.work() as work:
            await work.attempts.supersede(finished.id, ["Build"], "rerun")
            attempt = await work.attempts.open(finished.id, "Build", "coder")
            old = await work.artifacts.head(finished.id, "source_code")
            new = await work.artifacts.save(
                finished.id,
                "source_code",
                {"files": [], "start": []},
                "",
                Provenance.model_validate(old.provenance.model_dump() | {"attempt": attempt.number}),
                [],
            )
            handoff = Handoff(from_phase="Build", to_phase=None, artifacts={"source_code": new.sha256}, summary="")
            await work.attempts.finish(attempt.id, Status.completed, None, handoff)
        await database.close()
        return old

    old = asyncio.run(build_again())
    assert botarmy("show", "books", "--json").json["phases"][3]["attempt"] == 2
    said = botarmy("rollback", "books", "--to", "Build", "--attempt", "1", "--json").json
    assert said["repointed"] == {"source_code": old.sha256}
    build = botarmy("show", "books", "--json").json["phases"][3]
    assert build["attempt"] == 1
    assert {"kind": "source_code", "version": 1, "sha256": old.sha256, "stale": False} in build["artifacts"]


async def all_again(database_url, project):
    """Do Discovery and Build anew, the one from the other; return the hash of each new version."""
    database, made = Database(database_url), {}
    async with database.work() as work:
        await work.attempts.supersede(project.id, ["Discovery", "Build"], "rerun")
        for phase, kind in (("Discovery", "project_plan"), ("Build", "source_code")):
            attempt = await work.attempts.open(project.id, phase, "agent")
            old = (await work.artifacts.head(project.id, kind)).provenance.model_dump()
            new = Provenance.model_validate(old | {"attempt": attempt.number, "inputs": tuple(made.values())})
            saved = await work.artifacts.save(project.id, kind, {"attempt": attempt.number, "of": kind}, "", new)
            made[kind] = saved.sha256
            handoff = Handoff(from_phase=phase, to_phase=None, artifacts={kind: saved.sha256}, summary="")
            await work.attempts.finish(attempt.id, Status.completed, None, handoff)
        await work.projects.set_status(project.id, Status.completed)
    await database.close()
    return made


def test_rollback_never_mixes_versions_that_did_not_belong_together(botarmy, finished, database_url):
    second = asyncio.run(all_again(database_url, finished))
    asyncio.run(all_again(database_url, finished))
    before = read(database_url, lambda view: view.artifacts.summaries(finished.id))
    said = botarmy("rollback", "books", "--to", "Build", "--attempt", "2")
    assert said.code == 2
    assert "Attempt 2 at Build was made from attempt 2 at Discovery" in said.err
    assert "--to Discovery --attempt 2" in said.err
    assert read(database_url, lambda view: view.artifacts.summaries(finished.id)) == before
    assert botarmy("rollback", "books", "--to", "Discovery", "--attempt", "2").code == 0
    assert botarmy("rollback", "books", "--to", "Build", "--attempt", "2").code == 0
    hashes = read(database_url, lambda view: view.artifacts.hashes(finished.id))
    assert {kind: hashes[kind] for kind in second} == second


def test_rollback_names_the_phases_there_are(botarmy, finished):
    said = botarmy("rollback", "books", "--to", "Deploy")
    assert said.code == 2
    assert "Discovery, Plan, Design, Build, Validate, Launch" in said.err
    assert "was never completed" in botarmy("rollback", "books", "--to", "Launch").err


def test_a_project_that_runs_is_not_rolled_back_or_purged(botarmy, finished, database_url):
    async def held():
        database = Database(database_url)
        async with database.hold(finished.id, "flow run busy-bee"):
            loop = asyncio.get_running_loop()
            back = await loop.run_in_executor(None, lambda: botarmy("rollback", "books", "--to", "Discovery"))
            gone = await loop.run_in_executor(None, lambda: botarmy("purge", "books", "--yes", "books"))
        await database.close()
        return back, gone

    for said in asyncio.run(held()):
        assert said.code != 0
        assert "busy-bee" in said.err
    assert botarmy("show", "books", "--json").json["project"]["status"] == "completed"


def test_purge_needs_the_slug_again(botarmy, finished):
    assert botarmy("purge", "books").code == 2
    wrong = botarmy("purge", "books", "--yes", "book")
    assert wrong.code == 2
    assert "was not deleted" in wrong.err
    assert botarmy("show", "books").code == 0


def test_purge_deletes_the_project_and_keeps_its_audit_trail(botarmy, finished):
    said = botarmy("purge", "books", "--yes", "books", "--by", "Ada")
    assert said.code == 0, said.err
    assert botarmy("show", "books").code == 2
    trail = botarmy("audit", str(finished.id), "--json").json
    assert trail["events"][-1]["action"] == "project purged"
    assert trail["events"][-1]["actor"] == "Ada"
    assert trail["check"]["whole"] is True


def test_rerun_does_the_phases_again_from_one_on(botarmy, finished, database_url):
    said = botarmy("rerun", "books", "--from", "build", "--by", "Ada", "--json").json
    assert said["set_aside"] == ["Build"]
    document = botarmy("show", "books", "--json").json
    states = {phase["name"]: phase["status"] for phase in document["phases"]}
    assert (states["Discovery"], states["Build"], document["project"]["status"]) == ("completed", "pending", "pending")
    again = botarmy("rerun", "books", "--from", "Build")
    assert (again.code, "Build is set aside already" in again.err) == (2, True)
    assert "Launch was never begun" in botarmy("rerun", "books", "--from", "Launch").err
    assert botarmy("rerun", "books", "--from", "Nowhere").code == 2
    back = botarmy("rollback", "books", "--to", "Build", "--json").json
    assert back["attempt"] == 1
    assert botarmy("show", "books", "--json").json["phases"][3]["status"] == "completed"


def test_rerun_hands_comments_on_to_the_phase_that_it_begins_with(botarmy, waiting, database_url):
    assert botarmy("reject", "books", "--comment", "Titles must be unique.", "--by", "Ada").code == 0
    words = ("rerun", "books", "--from", "Discovery", "--comment", "A book has a \x1byear.", "--by", "Bea")
    said = botarmy(*words, "--json").json
    told = ["Ada rejected this: Titles must be unique.", "Bea rejected this: A book has a year."]
    assert said["told"] == told
    attempt = read(database_url, lambda view: view.attempts.current(waiting.id, "Discovery"))
    assert (attempt.status, list(attempt.feedback), attempt.superseded) == (Status.pending, told, False)
    document = botarmy("show", "books", "--json").json
    assert (document["project"]["status"], document["phases"][0]["status"]) == ("pending", "pending")
    events = botarmy("audit", "books", "--json").json["events"]
    (event,) = [one for one in events if one["action"] == "comments handed on"]
    assert (event["actor"], event["detail"]["told"]) == ("Bea", told)

    again = botarmy("rerun", "books", "--from", "Discovery", "--comment", "More.", "--by", "Cy")
    assert (again.code, again.out.count("Discovery is told: ")) == (0, 3)
    only = botarmy(
        "rerun", "books", "--from", "Discovery", "--comment", "Less.", "--forget", "--by", "Cy", "--json"
    ).json
    assert only["told"] == ["Cy rejected this: Less."]
    assert botarmy("rerun", "books", "--from", "Discovery", "--forget", "--json").json["told"] == []
    late = botarmy("rerun", "books", "--from", "Discovery", "--comment", "After all.", "--by", "Cy", "--json").json
    assert late["told"] == ["Cy rejected this: After all."]
    attempt = read(database_url, lambda view: view.attempts.current(waiting.id, "Discovery"))
    assert attempt.feedback == ("Cy rejected this: After all.",)
    assert botarmy("audit", "books", "--json").json["check"]["whole"] is True


def test_cancel_takes_the_project_from_its_run(botarmy, waiting, database_url):
    async def cancelled_while_held():
        database = Database(database_url)
        loop = asyncio.get_running_loop()
        async with database.hold(waiting.id, "flow run busy-bee") as hold:
            said = await loop.run_in_executor(None, lambda: botarmy("cancel", "books", "--by", "Ada"))
            with pytest.raises(Fenced, match="cancel by Ada"):
                async with database.work(hold) as work:
                    await work.projects.set_status(waiting.id, Status.running)
        await database.close()
        return said

    said = asyncio.run(cancelled_while_held())
    assert said.code == 0, said.err
    document = botarmy("show", "books", "--json").json
    assert document["project"]["status"] == "cancelled"
    assert botarmy("inbox", "--json").json["gates"] == []
    late = botarmy("approve", "books")
    assert late.code == 2
    assert '"books" waits for no decision: it was cancelled' in late.err
    assert "approved by" not in late.err
    again = botarmy("cancel", "books")
    assert again.code == 2
    assert "cancelled already" in again.err
    assert botarmy("rerun", "books", "--from", "Build").code == 0
    assert botarmy("show", "books", "--json").json["project"]["status"] == "pending"


def test_a_finished_project_cannot_be_cancelled(botarmy, finished):
    said = botarmy("cancel", "books")
    assert said.code == 2
    assert "completed already" in said.err
