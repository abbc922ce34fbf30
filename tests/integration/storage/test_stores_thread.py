"""The stores along one project's way: every noun is written, read back the same, and audited."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botarmy.errors import Duplicate, InputError, StorageError, TooLarge, UnknownName
from botarmy.records import Decision, Evidence, Handoff, Project, Status, Verdict, canonical_json, digest
from storage.database import Database
from storage.jsonb import plain
from storage.options import Options


async def test_project_is_made_and_found(database: Database) -> None:
    async with database.work() as work:
        made = await work.projects.create("Lend & borrow", "lend", "Lend books.", "sdlc", {"gates": "auto"})
    async with database.read() as view:
        assert await view.projects.get("lend") == made
        assert await view.projects.get(str(made.id)) == made
        assert await view.projects.get(made.id) == made
        assert await view.projects.with_brief(digest("Lend books.")) == (made,)
    assert made.status is Status.pending
    assert made.settings == {"gates": "auto"}


async def test_slugs_count_up(database: Database) -> None:
    slugs = []
    for base in ("lend", "lend", "lend", "lend-2", "lend", "lend.x"):
        async with database.read() as view:
            free = await view.projects.free_slug(base)
        async with database.work() as work:
            slugs.append((await work.projects.create("n", base, "b", "sdlc")).slug)
        assert free == slugs[-1], "submit tells it before the project is made"
    assert slugs == ["lend", "lend-2", "lend-3", "lend-2-2", "lend-4", "lend.x"]


async def test_unknown_project_names_near_ones(database: Database, project: Project) -> None:
    async with database.read() as view:
        with pytest.raises(UnknownName, match="no project 'libary'") as caught:
            await view.projects.get("libary")
    assert "library" in caught.value.hint


async def test_projects_are_listed_newest_first(database: Database) -> None:
    for number in range(5):
        async with database.work() as work:
            await work.projects.create(f"p{number}", f"p{number}", "b", "sdlc")
    async with database.read() as view:
        assert [p.slug for p in await view.projects.list(limit=2)] == ["p4", "p3"]
        assert [p.slug for p in await view.projects.list(limit=2, offset=3)] == ["p1", "p0"]
        assert await view.projects.count() == 5


async def test_status_changes_are_audited_once(database: Database, project: Project) -> None:
    async with database.work(actor="flow run x") as work:
        await work.projects.set_status(project.id, Status.running)
        await work.projects.set_status(project.id, Status.running)
        await work.projects.set_status(project.id, Status.completed)
    async with database.read() as view:
        events = await view.audit.of_project(project.id)
        assert (await view.projects.get(project.id)).status is Status.completed
        assert [p.slug for p in await view.projects.with_status(Status.completed)] == ["library"]
    assert [(e.actor, e.action, e.detail) for e in events[1:]] == [
        ("flow run x", "project running", {"from": "pending"}),
        ("flow run x", "project completed", {"from": "running"}),
    ]


async def test_open_attempt_is_gone_on_with(database: Database, project: Project) -> None:
    async with database.work() as work:
        first = await work.attempts.open(project.id, "Discovery", "analyst")
    async with database.work() as work:
        again = await work.attempts.open(project.id, "Discovery", "analyst", ["ignored: it is open"])
        assert again == first
        await work.attempts.set_status(first.id, Status.waiting)
        assert (await work.attempts.open(project.id, "Discovery", "analyst")).id == first.id
        verdict = Verdict(decision=Decision.reject, reasons=("criteria are not measurable",))
        rejected = await work.attempts.finish(first.id, Status.rejected, verdict)
        second = await work.attempts.open(project.id, "Discovery", "analyst", verdict.reasons)
    assert rejected.verdict == verdict
    assert rejected.finished_at is not None
    assert (second.number, second.feedback, second.status) == (2, verdict.reasons, Status.running)
    async with database.read() as view:
        assert [a.number for a in await view.attempts.list(project.id)] == [1, 2]
        assert (await view.attempts.current(project.id, "Discovery")) == second


async def test_finished_attempt_stays_finished(database: Database, project: Project) -> None:
    handoff = Handoff(
        from_phase="Discovery",
        to_phase="Plan",
        artifacts={"project_plan": "a" * 64},
        summary="s",
        open_questions=("q?",),
    )
    async with database.work() as work:
        attempt = await work.attempts.open(project.id, "Discovery", "analyst")
        done = await work.attempts.finish(attempt.id, Status.completed, None, handoff)
        assert done == await work.attempts.finish(attempt.id, Status.completed, None, handoff)
    assert done.handoff == handoff
    with pytest.raises(Duplicate, match="is completed; it cannot become rejected"):
        async with database.work() as work:
            await work.attempts.finish(attempt.id, Status.rejected)


async def test_superseded_attempts_leave_room_for_new_ones(database: Database, project: Project, verdict: Any) -> None:
    async with database.work() as work:
        done = await work.attempts.open(project.id, "Plan", "analyst")
        await work.attempts.finish(done.id, Status.completed)
        open_one = await work.attempts.open(project.id, "Design", "architect")
        gate = await work.gates.open(project.id, open_one.id, "Design", 1, verdict, {})
    async with database.work() as work:
        aside = await work.attempts.supersede(project.id, ["Plan", "Design"], "rerun from Plan", by="ada")
        fresh = await work.attempts.open(project.id, "Plan", "analyst")
    assert {(a.phase, a.status, a.superseded) for a in aside} == {
        ("Plan", Status.completed, True),
        ("Design", Status.cancelled, True),
    }
    assert fresh.number == 2
    async with database.read() as view:
        assert (await view.gates.get(gate.id)).status is Status.cancelled
        assert await view.attempts.current(project.id, "Design") is None


async def test_reinstated_attempt_counts_alone(database: Database, project: Project) -> None:
    async with database.work() as work:
        first = await work.attempts.open(project.id, "Plan", "analyst")
        assert await work.attempts.reinstate(first.id, "it counts already") == first
        await work.attempts.finish(first.id, Status.completed)
        await work.attempts.supersede(project.id, ["Plan"], "rerun")
        second = await work.attempts.open(project.id, "Plan", "analyst")
        back = await work.attempts.reinstate(first.id, "rollback", by="ada")
    assert (back.id, back.superseded, back.status) == (first.id, False, Status.completed)
    async with database.read() as view:
        assert (await view.attempts.get(second.id)).status is Status.cancelled
        assert await view.attempts.current(project.id, "Plan") == back
        assert [e.action for e in await view.audit.of_project(project.id)][-1] == "attempt reinstated"


async def test_unknown_things_are_told_by_their_noun(database: Database, project: Project, made_by: Any) -> None:
    nothing = uuid4()
    for noun, ask in (
        ("attempt", lambda work: work.attempts.get(nothing)),
        ("attempt", lambda work: work.attempts.finish(nothing, Status.failed)),
        ("project", lambda work: work.attempts.open(nothing, "Plan", "analyst")),
        ("project", lambda work: work.projects.set_status(nothing, Status.failed)),
        ("project", lambda work: work.artifacts.save(nothing, "project_plan", {}, "", made_by())),
        ("run", lambda work: work.executions.advance(nothing, "Plan", 1)),
        ("conflict", lambda work: work.conflicts.settle(nothing, "resolved", "ada")),
        ("artifact", lambda work: work.artifacts.get(project.id, "project_plan")),
    ):
        with pytest.raises(UnknownName, match=noun):
            async with database.work() as work:
                await ask(work)


async def test_artifact_versions_grow_and_are_never_doubled(database: Database, project: Project, made_by: Any) -> None:
    async with database.work() as work:
        one = await work.artifacts.save(project.id, "project_plan", {"title": "A"}, "# A", made_by())
        same = await work.artifacts.save(project.id, "project_plan", {"title": "A"}, "# A", made_by())
        other = await work.artifacts.save(project.id, "project_plan", {"title": "A"}, "# A", made_by(attempt=2))
        two = await work.artifacts.save(project.id, "project_plan", {"title": "B"}, "# B", made_by(attempt=2))
    assert same == one
    assert (one.version, other.version, two.version) == (1, 2, 3)
    assert one.sha256 == other.sha256 == digest({"title": "A"})
    async with database.read() as view:
        assert await view.artifacts.head(project.id, "project_plan") == two
        assert [v.version for v in await view.artifacts.versions(project.id, "project_plan")] == [1, 2, 3]
        assert await view.artifacts.get(project.id, "project_plan", 1) == one
        assert await view.artifacts.heads(project.id) == {"project_plan": two}
        assert await view.artifacts.hashes(project.id) == {"project_plan": two.sha256}


async def test_links_tell_what_was_made_from_what(database: Database, project: Project, made_by: Any) -> None:
    async with database.work() as work:
        plan = await work.artifacts.save(project.id, "project_plan", {"n": 1}, "", made_by())
        features = await work.artifacts.save(
            project.id, "feature_breakdown", {"n": 2}, "", made_by(phase="Plan", inputs=(plan.sha256,)), [plan.sha256]
        )
    async with database.read() as view:
        assert await view.artifacts.made_from(features.id) == (plan,)
        assert await view.artifacts.made_into(plan.id) == (features,)
    with pytest.raises(UnknownName, match="no such version"):
        async with database.work() as work:
            await work.artifacts.save(project.id, "data_models", {}, "", made_by(), ["f" * 64])
    async with database.read() as view:
        assert await view.artifacts.head(project.id, "data_models") is None


async def test_rollback_repoints_and_marks_stale(database: Database, project: Project, made_by: Any) -> None:
    async with database.work() as work:
        for number in (1, 2):
            await work.artifacts.save(project.id, "project_plan", {"n": number}, "", made_by(attempt=number))
        await work.artifacts.save(project.id, "feature_breakdown", {}, "", made_by(phase="Plan"))
    async with database.work() as work:
        await work.artifacts.point(project.id, "project_plan", 1, by="ada")
        await work.artifacts.mark_stale(project.id, ["feature_breakdown"], by="ada")
    async with database.read() as view:
        heads = {head.kind: (head.version, head.stale) for head in await view.artifacts.summaries(project.id)}
        assert heads == {"project_plan": (1, False), "feature_breakdown": (1, True)}
        assert await view.artifacts.stale(project.id) == {"feature_breakdown"}
        assert len(await view.artifacts.versions(project.id, "project_plan")) == 2
    async with database.work() as work:
        third = await work.artifacts.save(project.id, "project_plan", {"n": 3}, "", made_by(attempt=3))
        await work.artifacts.save(project.id, "feature_breakdown", {}, "", made_by(phase="Plan"))
        await work.artifacts.unpoint(project.id, ["project_plan"])
        assert await work.artifacts.head(project.id, "project_plan") is None
        assert await work.artifacts.stale(project.id) == frozenset()
    assert third.version == 3


async def test_unknown_artifact_says_what_there_is(database: Database, project: Project, made_by: Any) -> None:
    async with database.work() as work:
        await work.artifacts.save(project.id, "project_plan", {}, "", made_by())
    async with database.read() as view:
        with pytest.raises(UnknownName, match="no artifact 'project_pla'") as caught:
            await view.artifacts.get(project.id, "project_pla")
        assert "project_plan" in caught.value.hint
        with pytest.raises(UnknownName, match="no version 7") as caught:
            await view.artifacts.get(project.id, "project_plan", 7)
        assert "1 to 1" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    [1e22, -0.0, 1e-7, 0.1, 1e300, 12345678901234567890, "\u2028 é 漢 😀", {"b": 1, "a": [1.0, None, True]}, 1.5e16],
)
async def test_hash_is_of_what_is_read_back(database: Database, project: Project, made_by: Any, value: Any) -> None:
    async with database.work() as work:
        saved = await work.artifacts.save(project.id, "project_plan", {"v": value}, "", made_by())
    async with database.read() as view:
        read = await view.artifacts.get(project.id, "project_plan")
    assert read == saved
    assert digest(read.content) == read.sha256


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_any_json_is_read_back_as_it_was_hashed(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:

        @settings(max_examples=300, deadline=None)
        @given(value=JSON)
        def check(value: object) -> None:
            try:
                stored = plain(value)
                digest(stored).encode()
                canonical_json(stored).encode()
            except (InputError, UnicodeEncodeError):
                return  # NUL characters and lone surrogates: refused before they reach the database
            row = connection.execute("SELECT %s::jsonb", (canonical_json(stored),)).fetchone()
            assert row is not None
            assert row[0] == stored
            assert digest(row[0]) == digest(stored)

        check()


@pytest.mark.parametrize("value", ["a\0b", float("nan"), float("inf"), {"k\0": 1}, object()])
async def test_what_jsonb_cannot_hold_is_refused(
    database: Database, project: Project, made_by: Any, value: Any
) -> None:
    with pytest.raises(InputError):
        async with database.work() as work:
            await work.artifacts.save(project.id, "project_plan", {"v": value}, "", made_by())


async def test_lone_surrogates_and_nul_in_plain_text_are_refused(database: Database) -> None:
    for brief in ("a\ud800b", "a\0b"):
        with pytest.raises(InputError):
            async with database.work() as work:
                await work.projects.create("n", "s", brief, "sdlc")


async def test_evidence_is_stored_with_its_hash(database: Database, project: Project) -> None:
    evidence = Evidence(
        check="tests",
        command=("python", "-m", "unittest"),
        exit_code=0,
        outcome="passed",
        tool_version="unittest 3.11",
        log="ok\0 \ud800",
        figures={"passed": 12, "coverage": 0.91},
        reasons=("all good",),
        duration_s=1.25,
    )
    async with database.work() as work:
        attempt = await work.attempts.open(project.id, "Build", "coder")
        first = await work.evidence.add(attempt.id, evidence)
        second = await work.evidence.add(
            attempt.id, evidence.model_copy(update={"outcome": "unverified", "exit_code": None})
        )
    assert first.log == "ok\ufffd ?"
    assert first.log_sha256 == digest(first.log)
    async with database.read() as view:
        assert await view.evidence.of_attempt(attempt.id) == (first, second)
        assert await view.evidence.of_project(project.id) == {attempt.id: (first, second)}


async def test_size_limits_name_limit_and_setting(database_url: str, made_by: Any) -> None:
    small = Database(database_url, Options(max_artifact_bytes=100, max_log_bytes=10))
    async with small.work() as work:
        project = await work.projects.create("n", "s", "b", "sdlc")
        attempt = await work.attempts.open(project.id, "Build", "coder")
    for content, markdown in (({"t": "é" * 60}, ""), ({}, "x" * 101)):
        with pytest.raises(TooLarge, match="limit is 100") as caught:
            async with small.work() as work:
                await work.artifacts.save(project.id, "project_plan", content, markdown, made_by())
        assert "BOTARMY_MAX_ARTIFACT_BYTES" in caught.value.hint
    log = Evidence(check="lint", command=("ruff",), exit_code=0, outcome="passed", log="x" * 11)
    with pytest.raises(TooLarge, match="limit is 10") as caught:
        async with small.work() as work:
            await work.evidence.add(attempt.id, log)
    assert "BOTARMY_MAX_LOG_BYTES" in caught.value.hint
    await small.close()


async def test_unit_of_work_is_all_or_nothing(database: Database, project: Project, made_by: Any) -> None:
    with pytest.raises(RuntimeError):
        async with database.work() as work:
            await work.artifacts.save(project.id, "project_plan", {}, "", made_by())
            await work.attempts.open(project.id, "Discovery", "analyst")
            raise RuntimeError("the process dies here")
    async with database.read() as view:
        assert await view.artifacts.heads(project.id) == {}
        assert await view.attempts.list(project.id) == ()
        assert len(await view.audit.of_project(project.id)) == 1


async def test_executions_keep_their_flow_run(database: Database, project: Project) -> None:
    async with database.work() as work:
        run = await work.executions.start(project.id, "sdlc", "run-1")
        await work.executions.advance(run, "Discovery", 1)
        await work.executions.finish(run, Status.waiting)
    async with database.work() as work:
        assert await work.executions.start(project.id, "sdlc", "run-1") == run
        await work.executions.advance(run, "Discovery", 1)
        await work.executions.leave(run, "Discovery", 1, Status.completed)
        await work.executions.leave(run, "Discovery", 1, Status.rejected)  # says nothing new
        await work.executions.advance(run, "Plan", 2)
        assert [e.id for e in await work.executions.live()] == [run]
        await work.executions.finish(run, Status.completed)
        other = await work.executions.start(project.id, "sdlc", "")
        another = await work.executions.start(project.id, "sdlc", "")
        assert len({run, other, another}) == 3
        first = (await work.executions.of_project(project.id))[0]
    assert (first.status, first.current_phase) == (Status.completed, "Plan")
    assert [(each.phase, each.attempt, each.status) for each in first.phase_history] == [
        ("Discovery", 1, Status.completed),
        ("Plan", 2, Status.completed),  # nobody left it: it ended with the run
    ]
    assert all(each.ended_at and each.started_at <= each.ended_at for each in first.phase_history)


async def test_conflicts_are_recorded_and_settled(database: Database, project: Project) -> None:
    async with database.work() as work:
        conflict = await work.conflicts.open(project.id, ["analyst", "architect"], "they differ", ["a" * 64, "b" * 64])
        assert (
            await work.conflicts.open(project.id, ["analyst", "architect"], "they differ", ["a" * 64, "b" * 64])
            == conflict
        )
        await work.conflicts.attempted(conflict.id, {"confidence": 0.4})
        escalated = await work.conflicts.settle(conflict.id, "escalated", "policy:auto")
        assert await work.conflicts.open_for(project.id) == (escalated,)
        settled = await work.conflicts.settle(conflict.id, "resolved", "ada")
        assert await work.conflicts.open_for(project.id) == ()
        with pytest.raises(InputError, match="settles no conflict"):
            await work.conflicts.settle(conflict.id, "open", "ada")
    assert escalated.resolved_at is None
    assert (settled.status, settled.resolved_by, settled.attempts) == ("resolved", "ada", ({"confidence": 0.4},))


async def test_provider_configuration_is_kept(database: Database) -> None:
    async with database.work() as work:
        await work.provider_configs.set("coder", "openai", "model-a")
        await work.provider_configs.set("coder", "anthropic", "model-b", {"temperature": 0})
        await work.provider_configs.set("analyst", "offline", "scaffold-1")
    async with database.read() as view:
        known = await view.provider_configs.list()
        assert [(c.agent, c.provider, c.model, c.configuration) for c in known] == [
            ("analyst", "offline", "scaffold-1", {}),
            ("coder", "anthropic", "model-b", {"temperature": 0}),
        ]
        assert len(await view.audit.of_project(None)) == 3
    async with database.work() as work:
        await work.provider_configs.remove("coder")
        assert [c.agent for c in await work.provider_configs.list()] == ["analyst"]


async def test_ledger_row_keeps_every_field(database: Database, project: Project, make_call: Any) -> None:
    call = make_call(
        project.id, cost="0.0000123456789", text='{"a":1}', stop_reason="stop", input_tokens=10**10, output_tokens=2,
        cached_tokens=3, reasoning_tokens=4, price_version="v1", latency_s=0.5, request_id="r", confidence=0.75,
    )  # fmt: skip
    async with database.work() as work:
        stored = await work.calls.record(call)
    async with database.read() as view:
        found = await view.calls.find(call.key)
        assert found == stored
        assert await view.calls.of_project(project.id) == (stored,)
        assert await view.calls.find("other") is None
        assert (await view.calls.spent(project.id)).known_usd == Decimal("0.0000123456789")
    changed = {"created_at", "settled_at"}
    assert stored.model_dump(exclude=changed) == call.model_dump(exclude=changed)


async def test_same_row_twice_is_a_duplicate(database: Database, project: Project, make_call: Any) -> None:
    call = make_call(project.id, outcome="rate-limited")
    async with database.work() as work:
        await work.calls.record(call)
    with pytest.raises(Duplicate, match="exists already"):
        async with database.work() as work:
            await work.calls.record(call)


async def test_missing_schema_says_what_to_run(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(StorageError, match="not complete") as caught:
        async with database.read() as view:
            await view.projects.list()
    assert "botarmy db upgrade" in caught.value.hint
    with pytest.raises(StorageError, match="not complete"):
        async with database.work() as work:
            await work.projects.create("n", "s", "b", "sdlc")
    await database.close()
