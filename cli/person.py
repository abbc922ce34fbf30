"""Who decides, on the command line: as claimed, else as set, else whoever is logged in."""

from __future__ import annotations

import click

from botarmy.person import person_name
from cli.reading import settings

by_option = click.option(
    "--by", metavar="NAME", help="Who does this, as claimed; default: BOTARMY_BY, else the login name."
)


def person(by: str | None) -> str:
    """Return who decides: as claimed, else BOTARMY_BY, else the login name.

    Raises:
        InputError: the name cannot be a person's.
    """
    return person_name(by if by is not None else (settings().botarmy_by or _login_name()))


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no login name in a container without a user entry
        return ""
