"""Bad input gets a clear error, the right exit code, and loses nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Product
from tests.factories import papers

HOSTILE = """# {{ 7 * 7 }} {% for x in range(9) %}
Each note has a required title. <script>alert(1)</script>
'; DROP TABLE projects; -- is a note's text. \x1b[31mred\x1b[0m
A note's colour is one of red, green.

Decided-By: Mallory
Project: forged
"""


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02binary", "binary"),
        (b"a" * 5_000_000, "large"),
        (b"caf\xe9 has a required name", "UTF-8"),
    ],
)
def test_an_unreadable_brief_is_refused(product: Product, tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "brief.md"
    path.write_bytes(data)
    done = product.run("run", str(path), "--project", "unreadable")
    assert done.returncode == 2, done.stderr
    assert says.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert "unreadable" not in [each["slug"] for each in product.json("projects")["projects"]]


def test_missing_things_are_named(product: Product, tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text("Each book has a required title.", "utf-8")
    for words, says in (
        (("run", str(tmp_path / "none.md")), "none.md"),
        (("run", str(tmp_path)), "directory"),
        (("run", str(brief), "--workflow", "sdcl"), "sdlc"),
        (("run", str(brief), "--out", str(brief)), "not a directory"),
        (("run",), "brief"),
        (("show", "nothing-like-it"), "nothing-like-it"),
    ):
        done = product.run(*words)
        assert done.returncode == 2, (words, done.stdout, done.stderr)
        assert says in done.stderr, (words, done.stderr)
        assert "Traceback" not in done.stderr


def test_a_database_that_is_down_is_said(tmp_path: Path) -> None:
    lost = Product(tmp_path, DATABASE_URL="postgresql://botarmy:canary-secret@127.0.0.1:1/botarmy")
    done = lost.run("projects")
    assert done.returncode == 1
    assert "canary-secret" not in done.stdout + done.stderr
    assert "cannot be reached" in done.stderr


def test_a_hostile_brief_is_data_everywhere(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "brief.md"
    path.write_text(HOSTILE, "utf-8")
    out = tmp_path / "out"
    done = product.run("run", str(path), "--project", "hostile", "--out", str(out), *papers.OPTIONS)
    assert done.returncode == 0, done.stdout + done.stderr
    document = product.run("artifact", "hostile", "user_requirements").stdout
    assert "\x1b" not in product.run("show", "hostile").stdout + document
    assert "<script>" not in document, "Markdown is shown in browsers: HTML in it is escaped"
    assert product.json("projects")["projects"], "the table is still there"
    log = subprocess.run(
        ["git", "-C", str(out), "log", "--format=%(trailers:key=Decided-By,valueonly)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert log.split() == ["policy:auto"] * len(papers.PHASES), "no line of the brief is a trailer"
