"""`botarmy lint`: every problem of a .bmad-core directory in one run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from providers.registry import known_providers
from storage.definitions import core_directories, load_core


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--strict", is_flag=True, help="Fail on warnings as well.")
@click.option("--alone", is_flag=True, help="Check DIRECTORY without our defaults below it.")
def lint(directory: Path | None, as_json: bool, strict: bool, alone: bool) -> None:
    """Report every problem in DIRECTORY: code, file, line, column, and how to mend it.

    DIRECTORY is a .bmad-core directory or the one above it. It is checked as a run would see it: over the project's own
    .bmad-core and over our defaults. Without DIRECTORY, those are checked. docs/lint-codes.md explains the codes.
    """
    directories = (directory,) if alone and directory is not None else core_directories(directory)
    report = load_core(*directories).lint(known_providers())
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        for one in report.diagnostics:
            click.echo(one.render())
        click.echo(f"{report.files} files: {len(report.errors)} errors, {len(report.warnings)} warnings.")
    if report.errors or (strict and report.warnings):
        raise SystemExit(2)
