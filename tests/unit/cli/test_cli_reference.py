"""docs/cli.md says what --help says: every command, argument and option, and none that is not there."""

from __future__ import annotations

import importlib
import re
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from cli.main import SECTIONS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## botarmy (.+)$", re.MULTILINE)
UNIVERSAL = {"--help"}
ELSEWHERE = {"costs", "lint", "explain"}
"""Commands that have pages of their own; where docs/cli.md names them, it must be right about them too."""


def commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for entries in SECTIONS.values():
        for name, entry in entries.items():
            if find_spec(entry.module) is not None:
                command = getattr(importlib.import_module(entry.module), entry.attribute)
                if isinstance(command, click.Group):
                    found |= {f"{name} {sub}": each for sub, each in command.commands.items()}
                else:
                    found[name] = command
    return found


def sections() -> dict[str, str]:
    parts = HEADING.split(TEXT)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


COMMANDS = commands()
SECTION_OF = {re.sub(r"( [A-Z]+)+$", "", heading): (heading, body) for heading, body in sections().items()}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ELSEWHERE or name in SECTION_OF])
def test_every_command_is_documented_with_its_arguments_and_options(name):
    heading, body = SECTION_OF[name]
    arguments = [p.human_readable_name.upper() for p in COMMANDS[name].params if isinstance(p, click.Argument)]
    assert heading == " ".join([name, *arguments])
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in body, f"{name} {parameter.opts[0]}"


@pytest.mark.parametrize("name", SECTION_OF)
def test_nothing_is_documented_that_is_not_there(name):
    if name in ELSEWHERE and name not in COMMANDS:
        pytest.skip(f"`{name}` is not in this version")
    options = {opt for each in COMMANDS[name].params for opt in (*each.opts, *each.secondary_opts)}
    named = set(re.findall(r"`(--[a-z-]+)", SECTION_OF[name][1])) - UNIVERSAL
    assert named <= options


def test_every_exit_code_is_documented():
    for code in (0, 1, 2, 3, 4, 130, 141):
        assert f"| {code} |" in TEXT
