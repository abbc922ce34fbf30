"""A workflow of documents alone, for tests that look at how a project goes on and not at what it makes."""

from __future__ import annotations

from pathlib import Path

DIRECTORY = Path(__file__).with_name("bmad")
"""A .bmad-core directory with the workflow `papers`: the documents of three phases, which no check has to execute."""

PHASES = ("Discovery", "Plan", "Design")
GIVEN = {"workflow": "papers", "bmad": str(DIRECTORY)}
"""As parameters of the flow."""

OPTIONS = ("--workflow", "papers", "--bmad", str(DIRECTORY))
"""As options of `run` and `submit`."""
