"""Schema migrations: up, down, and where a database stands. Alembic is loaded only where something has to be done."""

from __future__ import annotations

import logging
from pathlib import Path

import psycopg

from botarmy.errors import InputError, StorageError
from storage.address import libpq_url
from storage.faults import translate

HEAD = "0005"
"""The newest revision; a test holds it equal to the newest file, so that being there can be seen without Alembic."""
_LOCK = 0x626F7461726D79
_MIGRATIONS = Path(__file__).parent / "migrations"


def current(url: str) -> str | None:
    """Return the revision of the database; None where it has no schema yet.

    Raises:
        Unavailable: it cannot be reached.
    """
    try:
        with psycopg.connect(libpq_url(url), autocommit=True, connect_timeout=10) as connection:
            if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    except psycopg.Error as error:
        raise translate(error) or error from error


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to a revision; nothing happens where it is there already.

    Raises:
        InputError: there is no such revision.
        StorageError: the database was made by a newer BotArmy, or refuses.
    """
    at = current(url)
    if at == (HEAD if revision == "head" else revision):
        return
    if at is not None and at > HEAD:
        raise StorageError(
            f"The database has schema {at}; this BotArmy knows schemas up to {HEAD}.",
            hint="Use the BotArmy that made it, or a newer one.",
        )
    _run(url, "upgrade", revision)


def downgrade(url: str, revision: str) -> None:
    """Bring the database down to a revision ("base" for none: every table goes, with all that is in it).

    Raises:
        InputError: there is no such revision.
    """
    _run(url, "downgrade", revision)


def _run(url: str, direction: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    from storage.address import sqlalchemy_url

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            # Two processes that start at once both want to migrate: one does, the other finds it done.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config.attributes["connection"] = connection
            {"upgrade": command.upgrade, "downgrade": command.downgrade}[direction](config, revision)
    except CommandError as error:
        raise InputError(f"There is no schema revision {revision!r}: {error}", hint=f"The newest is {HEAD}.") from error
    except SQLAlchemyError as error:
        raise translate(error) or error from error
