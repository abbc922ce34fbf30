"""The one door to Postgres: units of work, reads, and the hold on a project."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import psycopg

from botarmy.errors import BotArmyError, Unavailable
from storage.address import libpq_url, redacted
from storage.faults import PoolExhausted, translate
from storage.hold import Hold, lock_number, take
from storage.options import Options, session_options
from storage.reads.rows import PlainRows
from storage.reads.view import ReadView

if TYPE_CHECKING:  # SQLAlchemy takes 0.2 s to load; reads do without it
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from storage.transaction import Afterwards, Transaction
    from storage.unit import UnitOfWork

_log = logging.getLogger(__name__)
_Opened = TypeVar("_Opened")
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


class Database:
    """A PostgreSQL database of BotArmy's. Cheap to make; connects when it is used."""

    def __init__(self, url: str, options: Options | None = None) -> None:
        """Take the address, e.g. postgresql://user:password@host/database.

        Raises:
            SettingsError: it is not the address of a PostgreSQL database.
        """
        self.url = libpq_url(url)
        self.options = options or Options()
        self._engine: AsyncEngine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        return f"Database({redacted(self.url)})"

    async def ready(self) -> None:
        """See that the database answers, trying for a while.

        Raises:
            Unavailable: it does not.
        """
        async with self._plain() as connection:
            await connection.execute("SELECT 1")

    @asynccontextmanager
    async def work(self, hold: Hold | None = None, *, actor: str = "botarmy") -> AsyncIterator[UnitOfWork]:
        """Open a unit of work: committed when the block ends, rolled back when it raises.

        Args:
            hold: what this run holds; the project then cannot change hands before the commit.
            actor: who audit events name where a store is not told otherwise.

        Raises:
            Fenced: the hold is not current any more; nothing was written.
            Unavailable: Postgres cannot be reached, or was lost on the way; nothing was written unless the message
                says that this is not known.
            StorageError: Postgres refused; see storage.faults.
        """
        from storage.unit import UnitOfWork

        afterwards: list[Afterwards] = []
        try:
            async with self._transaction(actor, afterwards) as transaction:
                if hold is not None:
                    await transaction.check(hold)
                yield UnitOfWork(transaction)
        finally:
            await self._do(afterwards, actor)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadView]:
        """Open one consistent view for reading only; needs a tenth of the start-up time of a unit of work."""
        async with self._plain() as connection, _translated():
            await connection.set_autocommit(False)
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            yield ReadView(PlainRows(connection))

    def hold(self, project_id: UUID, holder: str) -> AbstractAsyncContextManager[Hold]:
        """Take a project for this run, without waiting; the lock ends with the block or the process.

        Args:
            project_id: the project.
            holder: who takes it, for the message that others get, e.g. "flow run NAME".

        Raises:
            Held: another live run has it; the message says which.
        """
        return take(self.url, project_id, holder, self.options)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for this key's turn: while the block runs, nobody else has it. For moments only.

        Raises:
            StorageError: it did not come for as long as a row is waited for.
        """
        async with self._plain() as connection:
            async with _translated():
                await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
            yield

    async def is_held(self, project_id: UUID) -> bool:
        """Tell whether a live run holds the project, without touching its lock or its fence."""
        number = lock_number(project_id) & 0xFFFF_FFFF_FFFF_FFFF
        async with self._plain() as connection, _translated():
            cursor = await connection.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
                "AND classid = %s::oid AND objid = %s::oid",
                (str(number >> 32), str(number & 0xFFFF_FFFF)),
            )
            row = await cursor.fetchone()
        return bool(row and row[0])

    async def close(self) -> None:
        """Close all connections."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    @asynccontextmanager
    async def _transaction(self, actor: str, afterwards: list[Afterwards]) -> AsyncIterator[Transaction]:
        from storage.transaction import Transaction

        connection = await self._retried(self._borrow)
        try:
            async with _translated():
                transaction = Transaction(connection, self.options, actor, afterwards)
                yield transaction
                await transaction.write_events()
            async with _committing():
                await connection.commit()
        except BaseException:
            with contextlib.suppress(Exception):  # the connection may be gone, and the transaction with it
                await connection.rollback()
            raise
        finally:
            await asyncio.shield(connection.close())

    async def _do(self, afterwards: list[Afterwards], actor: str) -> None:
        """Write what must be written though its unit of work was rolled back, e.g. that a gate is void."""
        for step in afterwards:
            try:
                async with self._transaction(actor, []) as transaction:
                    await step(transaction)
            except BotArmyError as error:  # the reason for the rollback is what the caller must hear
                _log.warning("%s %s", error.message, error.hint)

    def _pool(self) -> AsyncEngine:
        """Return the engine; connections belong to an event loop, so a new loop gets a new pool."""
        loop = asyncio.get_running_loop()
        if self._engine is None or self._loop is not loop:
            from storage.engine import make_engine

            if self._engine is not None:
                self._engine.sync_engine.dispose(close=False)
            self._engine, self._loop = make_engine(self.url, self.options), loop
        return self._engine

    async def _borrow(self) -> AsyncConnection:
        return await self._pool().connect()

    @asynccontextmanager
    async def _plain(self) -> AsyncIterator[psycopg.AsyncConnection]:
        async def connect() -> psycopg.AsyncConnection:
            return await psycopg.AsyncConnection.connect(
                self.url,
                autocommit=True,
                connect_timeout=10,
                application_name="botarmy",
                options=session_options(self.options),
            )

        connection = await self._retried(connect)
        try:
            yield connection
        finally:
            await asyncio.shield(connection.close())

    async def _retried(self, connect: Callable[[], Awaitable[_Opened]]) -> _Opened:
        """Connect, trying an unreachable server again with growing pauses."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + self.options.connect_wait_s, _FIRST_PAUSE_S
        while True:
            try:
                async with _translated():
                    return await connect()
            except PoolExhausted:  # it has waited already
                raise
            except Unavailable as error:
                if loop.time() + pause > deadline:
                    raise Unavailable(
                        f"{redacted(self.url)} cannot be reached: {error.message}", hint=error.hint
                    ) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn what drivers raise into errors of ours."""
    try:
        yield
    except Exception as error:
        ours = translate(error)
        if ours is None or ours is error:
            raise
        raise ours from error


@asynccontextmanager
async def _committing() -> AsyncIterator[None]:
    """Say the truth about a connection that is lost while committing."""
    try:
        async with _translated():
            yield
    except Unavailable as error:
        raise Unavailable(
            f"Postgres was lost while it committed; whether the change was written is not known. {error.message}",
            hint="Do the same again: what was written already is found, not doubled.",
        ) from error
