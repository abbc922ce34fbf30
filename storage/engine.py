"""The pool of connections behind units of work."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage.address import sqlalchemy_url
from storage.options import Options, session_options


def make_engine(url: str, options: Options) -> AsyncEngine:
    """Return an engine; a connection is tried before it is lent, so that a restarted server is not noticed."""
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=options.pool_size,
        max_overflow=0,
        pool_timeout=options.pool_wait_s,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 10,
            "application_name": "botarmy",
            "options": session_options(options),
        },
    )
