"""Gates: one decision wins, it binds what was shown, and the wish to resume commits with it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from botarmy.errors import BotArmyError, Duplicate, InputError, Stale, StorageError, UnknownName
from botarmy.records import Attempt, GateRequest, Project, Status, Verdict
from storage.database import Database


@pytest.fixture
async def attempt(database: Database, project: Project) -> Attempt:
    async with database.work() as work:
        return await work.attempts.open(project.id, "Discovery", "analyst")


@pytest.fixture
async def gate(database: Database, project: Project, attempt: Attempt, made_by: Any, verdict: Verdict) -> GateRequest:
    async with database.work() as work:
        saved = await work.artifacts.save(project.id, "project_plan", {"n": 1}, "", made_by())
        hashes = {"project_plan": saved.sha256}
        return await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, hashes, payload={"summary": "s"})


async def decide(
    database: Database, gate: GateRequest, decision: str = "approve", by: str = "ada", **more: Any
) -> GateRequest:
    async with database.work() as work:
        return await work.gates.decide(gate.id, decision, by, **more)


async def test_the_same_question_is_asked_once(
    database: Database, project: Project, attempt: Attempt, gate: GateRequest, verdict: Verdict
) -> None:
    async with database.work() as work:
        same = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, gate.hashes)
        second = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, gate.hashes, ask=2)
        questions = await work.gates.open(
            project.id,
            attempt.id,
            "Discovery",
            1,
            verdict,
            gate.hashes,
            kind="questions",
            payload={"questions": ["q?"]},
        )
    assert same == gate
    assert len({gate.id, second.id, questions.id}) == 3
    async with database.read() as view:
        assert await view.gates.open_for(project.id) == (gate, second, questions)
        assert await view.gates.of_attempt(attempt.id) == (gate, questions, second), "in the order of the asks"
        assert await view.gates.list_open(limit=2) == (gate, second)
        assert await view.gates.list_open(limit=2, offset=2) == (questions,)
        assert await view.gates.count_open() == 3


async def test_questions_asked_at_once_become_one(
    database: Database, project: Project, attempt: Attempt, verdict: Verdict
) -> None:
    async def ask() -> GateRequest:
        async with database.work() as work:
            return await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {})

    assert len({gate.id for gate in await asyncio.gather(*(ask() for _ in range(8)))}) == 1


async def test_decision_commits_with_the_wish_to_resume(
    database: Database, project: Project, gate: GateRequest
) -> None:
    async with database.work() as work:
        await work.gates.shown(gate.id, "flow-run-7")
    decided = await decide(database, gate, comment="good", hashes=gate.hashes, answers={"q": "a"})
    assert (decided.status, decided.decision, decided.decided_by) == (Status.approved, "approve", "ada")
    assert (decided.comment, decided.answers, decided.flow_run_id) == ("good", {"q": "a"}, "flow-run-7")
    assert decided.resume_wanted
    async with database.read() as view:
        assert await view.gates.pending_resumes() == (decided,)
        assert await view.gates.pending_resumes(timedelta(hours=1)) == ()
    async with database.work() as work:
        resumed = await work.gates.mark_resumed(gate.id)
        assert resumed == await work.gates.mark_resumed(gate.id)
        assert await work.gates.pending_resumes() == ()
    assert resumed.resumed_at is not None
    async with database.read() as view:
        events = await view.audit.of_project(project.id)
        assert (await view.audit.verify(project.id)).whole
    wanted = ["gate opened", "gate shown", "gate approved", "gate resumed"]
    assert [e.action for e in events if e.action.startswith("gate")] == wanted
    assert [e.actor for e in events if e.action == "gate approved"] == ["ada"]


async def test_policy_and_the_waiting_run_itself_want_no_resume(database: Database, gate: GateRequest) -> None:
    decided = await decide(database, gate, "reject", "policy:auto", policy=True)
    assert (decided.decided_by, decided.resume_wanted) == ("policy:auto", False)


async def test_nobody_but_the_policy_signs_as_one(database: Database, gate: GateRequest) -> None:
    for name, words in (
        ("policy:auto", {}),
        ("Policy:x", {}),
        ("ada", {"policy": True}),
        ("ada\u202e", {}),
        ("a\nb", {}),
    ):
        with pytest.raises(InputError):
            await decide(database, gate, "reject", name, comment="no", **words)
    async with database.read() as view:
        assert (await view.gates.get(gate.id)).status is Status.waiting


async def test_fifty_answers_one_wins_the_others_hear_who(database: Database, gate: GateRequest) -> None:
    async def answer(number: int) -> GateRequest | BotArmyError:
        decision = "approve" if number % 2 else "reject"
        try:
            return await decide(database, gate, decision, f"person {number}", comment="c")
        except Duplicate as error:
            return error

    answers = await asyncio.gather(*(answer(number) for number in range(50)))
    won = [a for a in answers if isinstance(a, GateRequest)]
    assert len(won) == 1
    told = [a.message for a in answers if isinstance(a, Duplicate)]
    assert len(told) == 49
    assert all(f"by {won[0].decided_by} at " in message for message in told)
    async with database.read() as view:
        assert await view.gates.get(gate.id) == won[0]


async def test_changed_artifact_voids_the_gate(
    database: Database, project: Project, attempt: Attempt, gate: GateRequest, made_by: Any, verdict: Verdict
) -> None:
    async with database.work() as work:
        newer = await work.artifacts.save(project.id, "project_plan", {"n": 2}, "", made_by())
    with pytest.raises(Stale, match="project_plan changed after the gate was opened"):
        await decide(database, gate)
    async with database.read() as view:
        void = await view.gates.get(gate.id)
        assert (void.status, void.decision) == (Status.cancelled, None)
        last = (await view.audit.of_project(project.id))[-1]
        assert (last.action, last.detail["reason"]) == (
            "gate cancelled",
            "project_plan changed after the gate was opened",
        )
    with pytest.raises(Stale, match="is void"):
        await decide(database, gate)
    async with database.work() as work:
        again = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, {"project_plan": newer.sha256})
        # And back to the first version: the voided gate does not stand in the way of asking again.
        await work.artifacts.point(project.id, "project_plan", 1)
        third = await work.gates.open(project.id, attempt.id, "Discovery", 1, verdict, gate.hashes)
    assert len({gate.id, again.id, third.id}) == 3
    assert (await decide(database, third)).status is Status.approved


async def test_nothing_else_survives_a_stale_decision(
    database: Database, project: Project, gate: GateRequest, made_by: Any
) -> None:
    async with database.work() as work:
        await work.artifacts.save(project.id, "project_plan", {"n": 2}, "", made_by())
    with pytest.raises(Stale):
        async with database.work() as work:
            await work.projects.set_status(project.id, Status.failed)
            await work.gates.decide(gate.id, "approve", "ada")
    async with database.read() as view:
        assert (await view.projects.get(project.id)).status is Status.pending
        assert (await view.gates.get(gate.id)).status is Status.cancelled


async def test_decision_on_other_versions_than_shown_does_not_count(database: Database, gate: GateRequest) -> None:
    with pytest.raises(Stale, match="about other versions"):
        await decide(database, gate, hashes={"project_plan": "0" * 64})
    async with database.read() as view:
        assert (await view.gates.get(gate.id)).status is Status.waiting  # what the gate is about is still current


@pytest.mark.parametrize(
    ("decision", "by", "comment", "said"),
    [
        ("maybe", "ada", "", "no decision"),
        ("approve", " ", "", "needs the name"),
        ("reject", "ada", " ", "needs a comment"),
    ],
)
async def test_incomplete_decisions_are_refused(
    database: Database, gate: GateRequest, decision: str, by: str, comment: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        await decide(database, gate, decision, by, comment=comment)
    async with database.read() as view:
        assert (await view.gates.get(gate.id)).status is Status.waiting


async def test_a_decision_cannot_be_rewritten_by_sql(database: Database, gate: GateRequest) -> None:
    await decide(database, gate)
    with psycopg.connect(database.url) as connection, pytest.raises(psycopg.Error, match=r"decision of gate .* stands"):
        connection.execute("UPDATE hitl_requests SET decision = 'reject', status = 'rejected'")


async def test_gate_is_found_by_the_start_of_its_id(database: Database, gate: GateRequest) -> None:
    async with database.read() as view:
        assert await view.gates.get(str(gate.id)[:8]) == gate
        assert await view.gates.get(str(gate.id).upper()) == gate
        for wrong in ("", "%", "abc", "zzzzzzzz", "00000000-0000-4000-8000-000000000000"):
            with pytest.raises(UnknownName):
                await view.gates.get(wrong)


async def test_expired_gates_are_found_and_cancelled(
    database: Database, project: Project, attempt: Attempt, verdict: Verdict
) -> None:
    async with database.work() as work:
        late = await work.gates.open(
            project.id, attempt.id, "Discovery", 1, verdict, {}, expires_after=timedelta(minutes=-1)
        )
        await work.gates.open(
            project.id,
            attempt.id,
            "Discovery",
            1,
            verdict,
            {},
            ask=2,
            expires_after=timedelta(hours=1),
        )
    async with database.work() as work:
        assert [g.id for g in await work.gates.expired()] == [late.id]
        await work.gates.cancel(late.id, "its time is over")
        assert await work.gates.expired() == ()


async def test_inbox_uses_its_index_with_ten_thousand_projects(database: Database, database_url: str) -> None:
    fill = """
    WITH p AS (
        INSERT INTO projects (id, name, slug, brief, brief_sha256, workflow)
        SELECT gen_random_uuid(), 'p' || n, 'p-' || n, 'b', '', 'sdlc' FROM generate_series(1, 10000) n RETURNING id
    ), t AS (
        INSERT INTO tasks (id, project_id, phase, agent_type, attempt, status)
        SELECT gen_random_uuid(), id, 'Discovery', 'analyst', 1, 'waiting' FROM p RETURNING id, project_id
    )
    INSERT INTO hitl_requests (id, project_id, task_id, phase, attempt, status, verdict, hashes_sha256,
                               decision, decided_by, decided_at)
    SELECT gen_random_uuid(), project_id, id, 'Discovery', 1, s, '{"decision": "needs approval"}', s,
           CASE s WHEN 'approved' THEN 'approve' END, CASE s WHEN 'approved' THEN 'x' END,
           CASE s WHEN 'approved' THEN now() END
    FROM t, unnest(ARRAY['waiting', 'approved']) s
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(fill)
        connection.execute("ANALYZE")
        plan = "\n".join(
            row[0]
            for row in connection.execute(
                "EXPLAIN SELECT * FROM hitl_requests WHERE status = 'waiting' ORDER BY created_at, id LIMIT 50 OFFSET 100"
            )
        )
    assert "ix_hitl_requests_inbox" in plan
    assert "Sort" not in plan
    async with database.read() as view:
        began = asyncio.get_running_loop().time()
        assert len(await view.gates.list_open(limit=50, offset=9_900)) == 50
        assert asyncio.get_running_loop().time() - began < 0.5
        assert await view.gates.count_open() == 10_000


async def test_an_amendment_that_was_overtaken_is_refused(
    database: Database, project: Project, gate: GateRequest, made_by: Any
) -> None:
    async def see(seen: dict[str, str]) -> GateRequest:
        async with database.work() as work:
            return await work.gates.see_amendable(gate.id, seen)

    assert await see(gate.hashes) == gate
    async with database.work() as work:
        saved = await work.artifacts.save(project.id, "user_requirements", {"n": 1}, "", made_by())
    with pytest.raises(Stale, match=r"user_requirements changed while"):
        await see(gate.hashes)
    now = gate.hashes | {"user_requirements": saved.sha256}
    assert await see(now) == gate
    await decide(database, gate, by="bob")
    with pytest.raises(Duplicate, match="approved by bob"):
        await see(now)


async def test_a_void_gate_is_not_amended(database: Database, gate: GateRequest) -> None:
    async with database.work() as work:
        await work.gates.cancel(gate.id, "amended")
    with pytest.raises(Stale, match="void"):
        async with database.work() as work:
            await work.gates.see_amendable(gate.id, gate.hashes)


async def test_unknown_gate_cannot_be_decided(database: Database, project: Project) -> None:
    with pytest.raises(UnknownName, match="no gate"):
        async with database.work() as work:
            await work.gates.decide(project.id, "approve", "ada")


async def test_gate_of_no_attempt_is_refused(database: Database, project: Project, verdict: Verdict) -> None:
    with pytest.raises(StorageError, match="refers to something that does not exist"):
        async with database.work() as work:
            await work.gates.open(project.id, project.id, "Discovery", 1, verdict, {})
