"""Briefs in, software out: three different ones through a real Prefect server, and what must not pass by itself."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.conftest import ROOT, Product
from tests.factories import papers

PARKING = """We run a small car park. Each space has a unique code and a level between 1 and 5.
A ticket belongs to a space. A ticket has a required plate. A ticket can be opened, and an open ticket can be paid.
"""
TICKETS = """# Help desk
- Each ticket has a required subject of at most 120 characters.
- The priority of a ticket is one of low, normal, high.
- An agent has a unique email.
- A ticket belongs to an agent.
"""
KINDS_OF_PAPERS = 10


def _git(tree: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(tree), *words], capture_output=True, text=True, check=True)
    return done.stdout


def test_on_a_machine_where_nothing_runs_a_brief_becomes_software(bare_product: Product, tmp_path: Path) -> None:
    _becomes_software(bare_product, ROOT / "examples" / "briefs" / "library.md", tmp_path / "out")
    assert not (bare_product.home / "prefect" / "server.json").exists(), "the server it started is stopped at the end"


def test_prose_becomes_software(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "brief.md"
    path.write_text(PARKING, "utf-8")
    _becomes_software(product, path, tmp_path / "out")


def test_a_list_becomes_software(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "brief.md"
    path.write_text(TICKETS, "utf-8")
    _becomes_software(product, path, tmp_path / "out")


def test_the_same_brief_is_another_project_with_the_same_documents(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "brief.md"
    path.write_text("# Twice\nEach book has a required title.\n", "utf-8")
    first, second = (product.json("run", str(path), *papers.OPTIONS) for _ in range(2))
    assert [each["project"]["slug"] for each in (first, second)] == ["twice", "twice-2"]
    assert len(_hashes(first)) == KINDS_OF_PAPERS
    assert _hashes(first) == _hashes(second)


def _becomes_software(product: Product, brief: Path, out: Path) -> Any:
    """Run a brief; look at the evidence, the repository and the software; return what the run printed."""
    document = product.json("run", str(brief), "--out", str(out))
    assert document["project"]["status"] == "completed"
    assert [phase["status"] for phase in document["phases"]] == ["completed"] * 6
    for phase in document["phases"]:
        assert phase["evidence"], f"{phase['name']} is completed without evidence"
        assert phase["artifacts"]
    ran = {
        found["command"][0] for phase in document["phases"] for found in phase["evidence"] if found["exit_code"] == 0
    }
    assert ran, "no process was executed"
    assert "scaffold" in (out / "README.md").read_text("utf-8")
    _own_tests_pass(out)
    authors = _git(out, "log", "--reverse", "--format=%an").split("\n")[:6]
    assert [author.split()[-1] for author in authors] == [
        "analyst",
        "analyst",
        "architect",
        "coder",
        "tester",
        "deployer",
    ]
    assert "Decided-By: policy:auto" in _git(out, "log", "-1", "--format=%B")
    return document


def _own_tests_pass(out: Path) -> None:
    """Run the first command of the README that runs tests, as it stands there, in the exported tree."""
    readme = (out / "README.md").read_text("utf-8")
    command = next(line for line in readme.splitlines() if line.startswith("python -m unittest"))
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]],
        cwd=out,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (out / "tests_acceptance" / "test_rules.py").is_file()


def _hashes(document: Any) -> list[tuple[str, str]]:
    """Return what was written."""
    return [(one["kind"], one["sha256"]) for phase in document["phases"] for one in phase["artifacts"]]


def test_an_uncovered_must_waits_for_a_person(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "brief.md"
    path.write_text(
        "# Letters\nEach letter has a required title.\nEvery letter must be sent by email at noon.\n", "utf-8"
    )
    done = product.run("run", str(path), "--project", "e2e-letters")
    assert done.returncode == 3, done.stdout + done.stderr
    asked = []
    while done.returncode == 3:
        document = product.show("e2e-letters")
        assert document["project"]["status"] == "waiting"
        (phase,) = [phase for phase in document["phases"] if phase["status"] == "waiting"]
        asked.append(phase["name"])
        approved = product.run("approve", phase["gate"]["address"], "--by", "Ann")
        assert approved.returncode == 0, approved.stderr
        done = product.run("run", "--project", "e2e-letters")
    assert done.returncode == 0, done.stdout + done.stderr
    assert asked[-1] == "Launch", "an uncovered must does not pass Launch by itself"
    assert len(asked) == len(set(asked)), "an answered gate is not asked again"
    assert product.show("e2e-letters")["project"]["status"] == "completed"
