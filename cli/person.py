"""Who decides: a name as claimed, never that of a policy."""

from __future__ import annotations

import click

from botarmy.errors import InputError
from cli.reading import settings
from cli.terminal import clean, one_line

_NAME_LIMIT = 100
_POLICY_PREFIX = "policy:"

by_option = click.option(
    "--by", metavar="NAME", help="Who does this, as claimed; default: BOTARMY_BY, else the login name."
)


def person(by: str | None) -> str:
    """Return who decides: as claimed, else BOTARMY_BY, else the login name.

    Raises:
        InputError: the name is empty, too long, has control characters, or poses as a policy.
    """
    name = by if by is not None else (settings().botarmy_by or _login_name())
    if name != clean(name) or "\n" in name or not name.strip() or len(name) > _NAME_LIMIT:
        raise InputError(
            f"The name of the person who decides cannot be used: {one_line(name, 40)!r}.",
            hint=f"Give --by one line of 1 to {_NAME_LIMIT} characters.",
        )
    if name.strip().casefold().startswith(_POLICY_PREFIX):
        raise InputError(
            f'"{name}" is not a person\'s name.', hint="Decisions of a policy are made by the policy alone."
        )
    return name.strip()


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no login name in a container without a user entry
        return ""
