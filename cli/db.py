"""`botarmy db`: the schema up and down, backup and restore."""

from __future__ import annotations

from pathlib import Path

import click

from botarmy.errors import InputError
from cli.reading import address, run
from cli.terminal import one_line, say, write_json

_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group()
def db() -> None:
    """Upgrade, downgrade, back up or restore the database that the settings name."""


@db.command()
@click.option("--to", "revision", default="head", show_default=True, help="Which revision.")
@_json
def upgrade(revision: str, as_json: bool) -> None:
    """Bring the schema up to date; nothing happens where it is."""
    from storage import migrate

    url = run(address())
    before = migrate.current(url)
    migrate.upgrade(url, revision)
    _tell(before, migrate.current(url), as_json)


@db.command()
@click.option("--to", "revision", required=True, help='Which revision; "base" removes every table with its content.')
@click.option("--yes", is_flag=True, help="Do it without asking, though content may be lost.")
@_json
def downgrade(revision: str, yes: bool, as_json: bool) -> None:
    """Take the schema back to an earlier revision; what only later schemas can hold is lost."""
    from storage import migrate

    url = run(address())
    before = migrate.current(url)
    warning = "A downgrade removes what the older schema cannot hold; `botarmy db backup FILE` keeps it."
    if not (yes or _confirmed(warning)):
        raise InputError(f"Nothing was changed. {warning}", hint="Give --yes to do it without being asked.")
    migrate.downgrade(url, revision)
    _tell(before, migrate.current(url), as_json)


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@_json
def backup(file: Path, as_json: bool) -> None:
    """Write the whole database to FILE; an existing FILE is replaced only by a complete one."""
    from storage.backup import backup as write_backup

    size = write_backup(run(address()), file.absolute())
    if as_json:
        write_json({"file": str(file), "bytes": size})
    else:
        say(f"{one_line(str(file))}: {size:,} bytes")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Replace the projects that the database holds, without asking.")
@_json
def restore(file: Path, yes: bool, as_json: bool) -> None:
    """Bring the content of FILE into the database, in one transaction, and bring its schema up to date.

    A database that holds projects is refused unless it is confirmed that they are replaced.
    """
    from storage import migrate
    from storage.backup import restore as read_backup

    url = run(address())
    read_backup(
        url, file.absolute(), replace=yes or _confirmed("Everything in the database is replaced by the backup.")
    )
    before = migrate.current(url)
    migrate.upgrade(url)
    if as_json:
        write_json({"file": str(file), "from": before, "schema": migrate.current(url)})
    else:
        say(f"Restored from {one_line(str(file))}; schema {migrate.current(url)}.")


def _confirmed(warning: str) -> bool:
    """Ask, where somebody is there to answer; nobody's silence is consent."""
    import sys

    if not sys.stdin.isatty():
        return False
    return click.confirm(f"{warning} Go on?", abort=True, err=True)


def _tell(before: str | None, after: str | None, as_json: bool) -> None:
    if as_json:
        write_json({"from": before, "schema": after})
    elif before == after:
        say(f"The schema is at {after or 'nothing'} already.")
    else:
        say(f"The schema went from {before or 'nothing'} to {after or 'nothing'}.")
