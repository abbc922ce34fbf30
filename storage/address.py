"""Database addresses: one form in, the forms that psycopg, SQLAlchemy and asyncpg want out."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from botarmy.errors import SettingsError

_SCHEME = re.compile(r"^postgres(ql)?(\+\w+)?$")


def libpq_url(url: str) -> str:
    """Return the address as libpq reads it (`postgresql://…`).

    Raises:
        SettingsError: it is not the address of a PostgreSQL database.
    """
    return _with_scheme(url, "postgresql")


def sqlalchemy_url(url: str) -> str:
    """Return the address with SQLAlchemy's psycopg dialect (`postgresql+psycopg://…`)."""
    return _with_scheme(url, "postgresql+psycopg")


def with_database(url: str, database: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database, safe='')}"))


def redacted(url: str) -> str:
    """Return the address without password and parameters, fit for messages."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{netloc}{parts.path}"


def socket_url(user: str, password: str, database: str, folder: str, *, driver: str = "") -> str:
    """Return the address of a database behind a socket folder; `driver` is "" or e.g. "+asyncpg"."""
    # The port is part of the socket's file name; named here so that no PGPORT of the environment changes it.
    query = urlencode({"host": folder, "port": 5432})
    return f"postgresql{driver}://{quote(user, safe='')}:{quote(password, safe='')}@/{quote(database, safe='')}?{query}"


def _with_scheme(url: str, scheme: str) -> str:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise SettingsError("DATABASE_URL cannot be read as an address.", hint=_FORM) from error
    if not _SCHEME.match(parts.scheme):
        raise SettingsError(
            f"DATABASE_URL begins with {parts.scheme or 'no scheme'!r}; BotArmy stores in PostgreSQL only.", hint=_FORM
        )
    if not parts.path.strip("/"):
        raise SettingsError("DATABASE_URL names no database.", hint=_FORM)
    return f"{scheme}://" + url.strip().partition("://")[2]


_FORM = "Use the form postgresql://user:password@host:5432/database, or unset DATABASE_URL to use the embedded server."
