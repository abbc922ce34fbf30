"""botarmy export against a real database and a real git."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from botarmy.records import Status
from storage.database import Database


def git(root, *words):
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


def test_a_repository_with_one_commit_for_each_completed_phase(botarmy, finished, home):
    said = botarmy("export", "books", "out", "--json").json
    out = home / "out"
    assert said["directory"] == str(out)
    assert (said["commits"], git(out, "rev-parse", "HEAD").strip()) == (2, said["head"])
    assert git(out, "log", "--reverse", "--format=%an <%ae>").splitlines() == [
        "BotArmy analyst <analyst@botarmy.invalid>",
        "BotArmy coder <coder@botarmy.invalid>",
    ]
    assert git(out, "log", "--reverse", "--format=%(trailers:key=Decided-By)").split("\n\n")[:2] == [
        "Decided-By: policy:auto",
        "Decided-By: Ada Decided-By: Eve",
    ]
    assert git(out, "status", "--porcelain") == ""
    run = subprocess.run([sys.executable, "-m", "app"], cwd=out, capture_output=True, text=True, check=True)
    assert run.stdout == "books\n"
    assert "Status: completed (scaffold, no model)." in (out / "README.md").read_text()
    assert (out / "docs" / "project_plan.md").exists()
    assert "python -m unittest" in (out / "docs" / "evidence.md").read_text()
    assert "R1" in (out / "TRACEABILITY.md").read_text()
    assert (out / "BRIEF.md").read_text().startswith("# Book shelf")


def test_the_same_project_gives_the_same_commits_and_is_replaced(botarmy, finished, home):
    first = botarmy("export", "books", "a", "--json").json["head"]
    assert botarmy("export", "books", "b", "--json").json["head"] == first
    assert botarmy("export", "books", "a", "--json").json["head"] == first


def test_show_knows_where_it_was_exported(botarmy, finished, home):
    botarmy("export", "books", "out")
    assert botarmy("show", "books", "--json").json["export"] == str(home / "out")
    assert "project exported" in botarmy("audit", "books").out


def test_work_of_the_user_is_never_overwritten(botarmy, finished, home):
    botarmy("export", "books", "out")
    (home / "out" / "README.md").write_text("mine")
    said = botarmy("export", "books", "out")
    assert said.code == 2
    assert "README.md" in said.err
    assert (home / "out" / "README.md").read_text() == "mine"


def test_looking_at_an_export_with_git_changes_nothing(botarmy, finished, home):
    botarmy("export", "books", "out")
    for words in (("status",), ("log",), ("gc", "--quiet")):
        git(home / "out", *words)
    assert botarmy("export", "books", "out").code == 0


def test_commits_of_the_user_are_never_overwritten(botarmy, finished, home):
    botarmy("export", "books", "out")
    git(home / "out", "-c", "user.name=Ada", "-c", "user.email=a@b.c", "commit", "--allow-empty", "-m", "mine")
    said = botarmy("export", "books", "out")
    assert said.code == 2
    assert "commits that BotArmy did not make" in said.err


@pytest.mark.parametrize("setting", ["core.fsmonitor", "core.sshCommand", "filter.x.clean", "core.pager"])
def test_nothing_that_the_destination_names_is_run(botarmy, finished, home, setting):
    botarmy("export", "books", "out")
    script, ran = home / "script", home / "ran"
    script.write_text(f"#!/bin/sh\ntouch {ran}\n")
    script.chmod(0o755)
    git(home / "out", "config", setting, str(script))
    (home / "out" / ".git" / "info").mkdir(exist_ok=True)
    (home / "out" / ".git" / "info" / "attributes").write_text("* filter=x\n")
    os.utime(home / "out" / "README.md", (1, 1))
    assert botarmy("export", "books", "out").code == 2
    assert not ran.exists()


def test_other_directories_and_files_are_refused(botarmy, finished, home):
    (home / "mine").mkdir()
    (home / "mine" / "x").write_text("")
    (home / "file").write_text("")
    assert botarmy("export", "books", "mine").code == 2
    assert botarmy("export", "books", "file").code == 2
    deep = botarmy("export", "books", "file/out")
    assert deep.code == 1
    assert "Cannot export to" in deep.err


def test_only_completed_phases_are_exported(botarmy, waiting, home):
    assert botarmy("export", "books", "out", "--json").json["commits"] == 1
    assert not (home / "out" / "app").exists()
    assert "Status: waiting." in (home / "out" / "README.md").read_text()


def test_without_git_nothing_is_written(botarmy, finished, home):
    said = botarmy("export", "books", "out", PATH=str(home))
    assert said.code == 1
    assert "Install git" in said.err
    assert not (home / "out").exists()


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", ".git/hooks/post-checkout", "a/../../b", "CON"])
def test_a_generated_path_cannot_leave_the_tree(botarmy, waiting, database_url, home, path):
    async def poison():
        database = Database(database_url)
        async with database.work() as work:
            attempt = await work.attempts.current(waiting.id, "Build")
            head = await work.artifacts.head(waiting.id, "source_code")
            content = {"files": [{"path": path, "content": "evil"}], "start": ["x"]}
            await work.artifacts.save(waiting.id, "source_code", content, "", head.provenance, [])
            await work.attempts.finish(attempt.id, Status.completed, None, None)
        await database.close()

    asyncio.run(poison())
    said = botarmy("export", "books", "out", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "unsafe-path"
    assert list(home.iterdir()) == []
