"""`botarmy doctor`: what is wrong on this machine, and how to mend it."""

from __future__ import annotations

import sys

import click

from cli.findings import Finding, Level
from cli.reading import run
from cli.terminal import clean, is_terminal, one_line, say, write_json

_COLOURS = {Level.ok: "green", Level.warn: "yellow", Level.fail: "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Check Python, home, disk, git, database, migrations, sandbox, providers and the Prefect API.

    Exit code 1 if anything fails; a warning is something that works, but not as well as it could.
    """
    from cli.doctor_checks import examine

    findings = run(examine())
    failed = [finding for finding in findings if finding.level is Level.fail]
    if as_json:
        write_json({"ok": not failed, "checks": [_entry(finding) for finding in findings]})
    else:
        _write(findings)
        say()
        say(f"{len(failed)} of {len(findings)} checks failed." if failed else "Everything that is needed works.")
    sys.stdout.flush()
    if failed:
        raise click.exceptions.Exit(1)


def _write(findings: list[Finding]) -> None:
    for finding in findings:
        word = click.style(f"{finding.level.value:<5}", fg=_COLOURS[finding.level] if is_terminal() else None)
        click.echo(f"{word}{clean(finding.name):<12}{one_line(finding.text)}")
        if finding.fix:
            click.echo(f"{'':17}fix: {one_line(finding.fix)}")


def _entry(finding: Finding) -> dict[str, str]:
    return {"name": finding.name, "status": finding.level.value, "message": finding.text, "hint": finding.fix}
