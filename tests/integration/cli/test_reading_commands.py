"""The commands that read, against a real database; some as people run them, in a process of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from botarmy.records import Decision, Status, Verdict
from storage.database import Database

ROOT = Path(__file__).resolve().parents[3]
READS = [
    ["projects"],
    ["show", "books"],
    ["show", "books", "--json"],
    ["trace", "books"],
    ["audit", "books"],
    ["artifacts", "books"],
    ["artifact", "books", "source_code"],
    ["inbox"],
]


def test_nothing_yet_says_what_to_do(botarmy):
    assert botarmy("projects").out == "No projects yet; `botarmy run BRIEF` starts one.\n"
    assert botarmy("projects", "--json").json == {"projects": []}
    assert botarmy("inbox").out == "Nothing waits for you.\n"


def test_projects_are_listed(botarmy, finished):
    assert "books" in botarmy("projects").out
    entry = botarmy("projects", "--json").json["projects"][0]
    assert (entry["slug"], entry["status"], entry["id"]) == ("books", "completed", str(finished.id))


def test_a_page_behind_the_last_says_how_many_there_are(botarmy, finished):
    said = botarmy("projects", "--offset", "100")
    assert (said.code, said.out) == (0, "None from 100 on; projects in all: 1.\n")


def test_show_tells_the_whole_project(botarmy, finished):
    document = botarmy("show", "books", "--json").json
    assert document["project"]["slug"] == "books"
    assert document["project"]["note"] == "scaffold, no model"
    names = [phase["name"] for phase in document["phases"]]
    assert names == ["Discovery", "Plan", "Design", "Build", "Validate", "Launch"]
    build = document["phases"][3]
    assert (build["status"], build["attempt"], build["verdict"]) == ("completed", 1, "pass")
    assert {made["kind"] for made in build["artifacts"]} == {"source_code", "documentation"}
    assert build["evidence"][0]["command"] == ["python", "-m", "unittest"]
    assert (document["cost_usd"], document["tokens"]["input"], document["export"]) == (0, 0, None)
    text = botarmy("show", str(finished.id)).out
    assert "completed (scaffold, no model)" in text
    assert "tests=3" in text


def test_show_tells_what_waits(botarmy, waiting):
    text = botarmy("show", "books").out
    entry = botarmy("inbox", "--json").json["gates"][0]
    assert entry["address"] == f"books/Build@{entry['id'][:8]}"
    assert f"Build waits for a decision: `botarmy approve {entry['address']}`" in text
    assert botarmy("show", "books", "--json").json["phases"][3]["gate"]["address"] == entry["address"]
    assert (entry["project"], entry["phase"], entry["verdict"]["decision"]) == ("books", "Build", "needs approval")
    assert f"decide with `botarmy approve {entry['address']}`" in botarmy("inbox").out


def test_a_gate_is_shown_with_all_that_a_decision_binds(botarmy, waiting):
    text = botarmy("inbox", "books/build").out
    assert "books/Build, attempt 1: needs approval" in text
    assert "fix the tests" in text
    assert "botarmy artifact books source_code" in text
    assert "\x1b" not in text
    entry = botarmy("inbox", "books", "--json").json
    assert f"Decide: `botarmy approve {entry['address']}`" in text
    assert botarmy("inbox", entry["address"]).out == text
    assert (entry["phase"], entry["kind"], sorted(entry["hashes"])) == (
        "Build",
        "approval",
        ["documentation", "source_code"],
    )
    botarmy("approve", "books", "--by", "Ada")
    assert "approved by Ada at" in botarmy("inbox", "books/Build").out


def test_a_long_inbox_says_how_many_more_wait(botarmy, waiting, database_url):
    asyncio.run(more_gates(database_url, waiting))
    assert "1 more wait; --limit shows more." in botarmy("inbox", "--limit", "1").out
    assert botarmy("inbox", "--limit", "1", "--json").json["total"] == 2


async def more_gates(url, project):
    database = Database(url)
    async with database.work() as work:
        attempt = await work.attempts.current(project.id, "Build")
        verdict = Verdict(decision=Decision.needs_approval, reasons=("the budget is reached",))
        await work.gates.open(project.id, attempt.id, "Build", 1, verdict, {}, kind="budget", ask=2)
    await database.close()


def test_follow_ends_when_the_project_has_ended(botarmy, finished):
    said = botarmy("show", "books", "--follow", "--json")
    assert said.code == 0
    assert len(said.out.splitlines()) == 1


def test_follow_ends_quietly_on_ctrl_c(waiting, database_url, home):
    async def run_again():
        database = Database(database_url)
        async with database.work() as work:
            await work.projects.set_status(waiting.id, Status.running)
        await database.close()

    asyncio.run(run_again())
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url}
    words = [sys.executable, "-u", "-m", "cli.main", "show", "books", "--follow", "--json"]
    process = subprocess.Popen(
        words, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert '"running"' in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")


def test_trace_shows_one_requirement_or_all(botarmy, finished):
    assert "R1" in botarmy("trace", "books").out
    rows = botarmy("trace", "books", "--json").json["requirements"]
    assert (rows[0]["id"], rows[0]["features"], rows[0]["files"]) == ("R1", ["F1"], ["app/__init__.py"])
    assert "app/__init__.py" in botarmy("trace", "books", "--requirement", "r1").out
    unknown = botarmy("trace", "books", "--requirement", "R9")
    assert unknown.code == 2
    assert "It has R1 to R1." in unknown.err


def test_the_audit_trail_is_whole(botarmy, finished):
    said = botarmy("audit", "books", "--json").json
    assert said["check"]["whole"] is True
    assert "gate approved" in {event["action"] for event in said["events"]}
    assert "none changed, removed or inserted" in botarmy("audit", "books").out


def test_artifacts_and_their_versions(botarmy, finished):
    listed = botarmy("artifacts", "books", "--json").json["artifacts"]
    assert {each["kind"] for each in listed} >= {"project_plan", "user_requirements", "source_code"}
    assert botarmy("artifact", "books", "project_plan").out == "# project_plan\n\nfor [2JDiscovery\n\n"
    whole = botarmy("artifact", "books", "project_plan", "--json").json
    assert whole["content"]["title"] == "Book shelf"
    assert whole["provenance"]["agent"] == "analyst"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["show", "boks"], "Did you mean books?"),
        (["artifact", "books", "project_pln"], "project_plan"),
        (["artifact", "books", "project_plan", "--version", "7"], "versions 1 to 1"),
        (["audit", str(uuid4())], "botarmy projects"),
    ],
)
def test_an_unknown_name_is_answered_with_a_near_one(botarmy, finished, words, hint):
    said = botarmy(*words)
    assert said.code == 2
    assert hint in said.err
    assert botarmy(*words, "--json").json["error"]["code"] == "unknown-name"


def test_reads_load_nothing_heavy_and_print_nothing_that_acts_on_a_terminal(finished, database_url, home):
    code = (
        "import sys\nfrom cli.failures import run_guarded\nfrom cli.main import botarmy\n"
        f"codes = [run_guarded(botarmy, words) for words in {READS!r}]\n"
        "heavy = [name for name in ('prefect', 'sqlalchemy', 'alembic', 'rich', 'openai') if name in sys.modules]\n"
        "sys.exit(f'{codes} {heavy}' if any(codes) or heavy else 0)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "FORCE_COLOR": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Book" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_database_that_is_down_is_said(botarmy):
    said = botarmy("projects", url="postgresql://nobody:secret@127.0.0.1:1/none")
    assert said.code == 1
    assert "secret" not in said.err + said.out
    assert "error:" in said.err
    assert "fix:" in said.err


def test_a_database_without_schema_names_the_upgrade(botarmy, empty_url):
    said = botarmy("projects", url=empty_url)
    assert said.code == 1
    assert "botarmy db upgrade" in said.err


def test_a_wrong_setting_is_bad_input(botarmy):
    said = botarmy("projects", url="mysql://x")
    assert said.code == 2
    assert "DATABASE_URL" in said.err


def test_a_broken_pipe_is_quiet(botarmy, finished, database_url, home):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url}
    command = f"{sys.executable} -m cli.main audit books --json | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "{"
    assert done.stdout.splitlines()[-1] in {"0", "141"}
