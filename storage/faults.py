"""What Postgres and its drivers raise, as errors of ours: what happened, why, how to mend it. No password in any."""

from __future__ import annotations

from collections.abc import Callable

from botarmy.errors import BotArmyError, Duplicate, InputError, StorageError, Unavailable

APPEND_ONLY = "BA001"
"""SQLSTATE of our triggers that guard append-only rows."""


class PoolExhausted(Unavailable):
    """Every connection of this process is in use."""


_START = "See `botarmy doctor`; the embedded server is started by the next command, your own by you."
_RETRY = "Nothing was written; do the same again."

_BY_STATE: dict[str, Callable[[str], BotArmyError]] = {
    APPEND_ONLY: lambda why: StorageError(
        f"The database refused to change a record: {why}", hint="Records of what happened are append-only."
    ),
    "23505": lambda why: Duplicate(f"That exists already: {why}", hint="Read it instead of writing it again."),
    "23503": lambda why: StorageError(f"It refers to something that does not exist: {why}", hint=_RETRY),
    "23514": lambda why: InputError(f"The database refuses the value: {why}"),
    "28P01": lambda why: StorageError(f"Postgres refused the password: {why}", hint="Correct DATABASE_URL."),
    "28000": lambda why: StorageError(f"Postgres refused the login: {why}", hint="Correct DATABASE_URL."),
    "3D000": lambda why: StorageError(
        f"Postgres has no such database or role: {why}", hint="Create it, or correct DATABASE_URL."
    ),
    "42501": lambda why: StorageError(
        f"Postgres forbids it: {why}", hint="Give the role of DATABASE_URL all rights on its database."
    ),
    "42P01": lambda why: StorageError(
        f"The database's schema is not complete: {why}", hint="Run `botarmy db upgrade`."
    ),
    "42703": lambda why: StorageError(
        f"The database's schema is not complete: {why}", hint="Run `botarmy db upgrade`."
    ),
    "53100": lambda why: StorageError(
        f"The database's disk is full: {why}", hint="Free some space, then do the same again; nothing was written."
    ),
    "53300": lambda why: Unavailable(
        f"Postgres takes no more connections: {why}",
        hint="Raise its max_connections, or lower BOTARMY_DB_POOL_SIZE of the processes that share it.",
    ),
    "25P03": lambda why: Unavailable(
        f"This process was silent for too long in the middle of a change, and Postgres gave it up: {why}", hint=_RETRY
    ),
    "40P01": lambda why: Unavailable(f"Two writers waited for each other: {why}", hint=_RETRY),
    "40001": lambda why: Unavailable(f"Another writer was first: {why}", hint=_RETRY),
    "55P03": lambda why: Unavailable(f"Another writer held the row for too long: {why}", hint=_RETRY),
    "22021": lambda why: InputError(f"The text has characters that Postgres cannot store: {why}"),
    "22P05": lambda why: InputError(f"The text has characters that Postgres cannot store: {why}"),
}


_AT_LOGIN = {
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "no pg_hba.conf entry": "28000",
    "too many clients": "53300",
    "too many connections": "53300",
    "remaining connection slots": "53300",
}
"""What a refused login says; libpq gives no SQLSTATE for it. Other languages fall to the general message."""


def translate(error: BaseException) -> BotArmyError | None:
    """Return our error for what a driver raised, or None where it is not the database's.

    SQLAlchemy's wrappers carry the driver's error as `orig`; it is not imported here.
    """
    if isinstance(error, BotArmyError):
        return error
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, UnicodeEncodeError):
        return InputError("The text has characters that no encoding can store (lone surrogates).")
    if type(error).__module__.startswith("sqlalchemy.exc") and type(error).__name__ == "TimeoutError":
        return PoolExhausted(
            "Every connection of this process to Postgres is in use, and none came free in time.",
            hint="Raise BOTARMY_DB_POOL_SIZE, or run fewer things at once in one process.",
        )
    if not type(cause).__module__.startswith("psycopg"):
        return None
    return _of_driver(cause)


def _of_driver(cause: BaseException) -> BotArmyError:
    why = " ".join(str(cause).split()) or type(cause).__name__
    state = getattr(cause, "sqlstate", None) or ""
    if state in _BY_STATE:
        return _BY_STATE[state](why)
    for said, kind in _AT_LOGIN.items():
        if not state and said in why:
            return _BY_STATE[kind](why)
    if not state and _no_such(why):
        return _BY_STATE["3D000"](why)
    if _lost(cause, state):
        return Unavailable(f"The connection to Postgres failed: {why}", hint=_START)
    if "NUL" in why:
        return InputError("The text has a NUL character, which Postgres cannot store.")
    return StorageError(f"Postgres refused: {why}")


def _no_such(why: str) -> bool:
    return "does not exist" in why and ("database" in why or "role" in why)


def _lost(cause: BaseException, state: str) -> bool:
    if state[:2] in {"08", "57", "58"}:
        return True
    names = {kind.__name__ for kind in type(cause).__mro__}
    return not state and bool(names & {"OperationalError", "InterfaceError"})
