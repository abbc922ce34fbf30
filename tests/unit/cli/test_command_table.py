from __future__ import annotations

import importlib
from importlib.metadata import version
from importlib.util import find_spec

import click
import pytest
from click.testing import CliRunner

from cli.main import SECTIONS, botarmy

ENTRIES = {name: entry for commands in SECTIONS.values() for name, entry in commands.items()}
PRESENT = {name: entry for name, entry in ENTRIES.items() if find_spec(entry.module) is not None}


def test_help_lists_every_command_that_there_is():
    shown = CliRunner().invoke(botarmy, ["--help"])
    assert shown.exit_code == 0
    for name, entry in ENTRIES.items():
        assert (entry.summary in " ".join(shown.output.split())) is (name in PRESENT), name


@pytest.mark.parametrize("name", PRESENT)
def test_every_entry_is_a_command_with_help(name):
    entry = PRESENT[name]
    command = getattr(importlib.import_module(entry.module), entry.attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help
    assert entry.summary.endswith(".")


def test_an_absent_command_names_its_neighbour():
    shown = CliRunner().invoke(botarmy, ["projcts"])
    assert shown.exit_code == 2
    assert "did you mean `botarmy projects`?" in shown.output


def test_the_version_is_the_packages():
    assert CliRunner().invoke(botarmy, ["--version"]).output == f"botarmy {version('botarmy')}\n"
