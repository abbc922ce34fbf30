"""A planned history becomes a real repository, whatever git's settings, hooks and environment say."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from botarmy.checks import FileText
from botarmy.errors import ExportError
from botarmy.export import Commit
from cli.git import run_git, write_history


def commit(phase: str, files: dict[str, str], minute: int = 0) -> Commit:
    return Commit(
        phase=phase,
        author="BotArmy coder",
        email="coder@botarmy.invalid",
        when=datetime(2026, 1, 2, 3, minute, tzinfo=UTC),
        message=f"{phase}: things\n\nProject: p\nPhase: {phase}\nDecided-By: Zoë\n",
        files=tuple(FileText(path=path, content=content) for path, content in files.items()),
    )


def repository(root: Path, commits: list[Commit]) -> str:
    root.mkdir()
    for file in commits[-1].files:
        target = root / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content.encode())
    return write_history(root, commits)


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


COMMITS = [
    commit("Discovery", {"docs/a.md": "a\n", "gone.md": "x"}, 0),
    commit("Build", {"docs/a.md": "a\n", 'app/ü "q".py': "print('é')\r\n", ".gitignore": "*\n", "empty": ""}, 1),
]


def test_the_history_is_what_was_planned(tmp_path):
    head = repository(tmp_path / "r", COMMITS)
    assert git(tmp_path / "r", "rev-parse", "main").strip() == head
    assert git(tmp_path / "r", "log", "--reverse", "--format=%s|%an|%ae|%cI").splitlines() == [
        "Discovery: things|BotArmy coder|coder@botarmy.invalid|2026-01-02T03:00:00+00:00",
        "Build: things|BotArmy coder|coder@botarmy.invalid|2026-01-02T03:01:00+00:00",
    ]
    assert git(tmp_path / "r", "status", "--porcelain") == ""
    names = git(tmp_path / "r", "-c", "core.quotePath=false", "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
    assert sorted(names) == ["", ".gitignore", 'app/ü "q".py', "docs/a.md", "empty"]
    assert git(tmp_path / "r", "log", "-1", "--format=%(trailers:key=Decided-By,valueonly)").strip() == "Zoë"
    git(tmp_path / "r", "fsck", "--strict")


def test_the_same_commits_give_the_same_hash(tmp_path):
    elsewhere = [
        each.model_copy(update={"when": each.when.astimezone(timezone(timedelta(hours=5)))}) for each in COMMITS
    ]
    assert repository(tmp_path / "a", COMMITS) == repository(tmp_path / "b", elsewhere)


def test_configuration_hooks_and_environment_of_others_have_no_say(tmp_path, monkeypatch):
    plain = repository(tmp_path / "plain", COMMITS)
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {home}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\nhooksPath={hooks}\nautocrlf=true\n[init]\ndefaultBranch=evil\n[user]\nname=Eve\n[i18n]\ncommitEncoding=latin1\n"
    )
    monkeypatch.setenv("HOME", str(home))
    for name, value in {"GIT_DIR": "/nowhere", "GIT_AUTHOR_NAME": "Eve", "GIT_INDEX_FILE": "/nowhere/i"}.items():
        monkeypatch.setenv(name, value)
    assert repository(tmp_path / "other", COMMITS) == plain
    assert not (home / "ran").exists()


def test_git_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExportError, match="git was not found") as raised:
        run_git(tmp_path, "version")
    assert "Install git" in raised.value.hint


def test_a_failing_git_is_told_with_its_last_words(tmp_path):
    run_git(tmp_path, "init", "--quiet")
    with pytest.raises(ExportError, match=r"git cat-file failed .* It said: fatal: .*nothing"):
        run_git(tmp_path, "cat-file", "-p", "nothing")
