"""One live run per project: a lock that dies with its holder, and a fencing number that guards every write.

The lock is Postgres's own (a session-level advisory lock on a connection of its own), so it ends with the process. The
connection must show signs of life, or Postgres ends the session (idle_session_timeout): a process that was stopped, or
whose machine vanished, loses the project to whoever asks next. Since a lock can be lost unseen, each taking raises the
project's fence; a unit of work with a hold reads the fence before it commits and writes nothing when it has moved on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg

from botarmy.errors import BotArmyError, Held, UnknownName
from storage.address import libpq_url
from storage.faults import translate
from storage.options import Options

_log = logging.getLogger(__name__)
_UNLOCK_S = 2.0


class Hold:
    """A project taken by this process.

    Attributes:
        project_id: the project.
        fence: the fencing number of this taking; writes under a lower one than the project's are refused.
        lost: True once the lock is known to be gone and could not be had back. Writes stay guarded by the fence
            either way; a long step may look here to stop early.
    """

    def __init__(self, project_id: UUID, fence: int) -> None:
        self.project_id = project_id
        self.fence = fence
        self.lost = False

    def __repr__(self) -> str:
        return f"Hold({self.project_id}, fence={self.fence}, lost={self.lost})"


def lock_number(project_id: UUID) -> int:
    """Return the advisory lock's key: the first 64 bits of the id, signed."""
    return int.from_bytes(project_id.bytes[:8], "big", signed=True)


@asynccontextmanager
async def take(url: str, project_id: UUID, holder: str, options: Options) -> AsyncIterator[Hold]:
    """Take the project without waiting.

    Raises:
        Held: another live run has it.
        UnknownName: there is no such project.
        Unavailable: Postgres cannot be reached.
    """
    grip = _Grip(url, project_id, holder, options)
    try:
        hold = await grip.take()
    except psycopg.Error as error:
        raise translate(error) or error from error
    beat = asyncio.create_task(grip.keep(hold), name=f"hold {project_id}")
    try:
        yield hold
    finally:
        beat.cancel()
        with suppress(asyncio.CancelledError):
            await beat
        await grip.drop()


class _Grip:
    """The dedicated connection of a hold."""

    def __init__(self, url: str, project_id: UUID, holder: str, options: Options) -> None:
        self._url = libpq_url(url)
        self._project_id = project_id
        self._holder = holder
        self._limit_s = options.hold_limit_s
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def take(self) -> Hold:
        """Lock and raise the fence, in that order: a fence is only ever raised by the lock's owner."""
        try:
            if await self._lock():
                fence = await self._one(
                    "UPDATE projects SET fence = fence + 1, holder = %s, held_since = now() WHERE id = %s "
                    "RETURNING fence",
                    (self._holder, self._project_id),
                )
                if fence is not None:
                    return Hold(self._project_id, int(fence))
                refusal: BotArmyError = UnknownName(
                    f"There is no project {self._project_id}.", hint="`botarmy projects` lists them."
                )
            else:
                refusal = await self._held()
        except BaseException:
            await self.drop()
            raise
        await self.drop()
        raise refusal

    async def keep(self, hold: Hold) -> None:
        """Show signs of life; after a lost connection take the lock again while nobody else has."""
        while not hold.lost:
            await asyncio.sleep(self._limit_s / 6)
            try:
                await self._one("SELECT 1", ())
            except psycopg.Error as error:
                _log.warning("The lock on project %s was lost (%s); taking it again", hold.project_id, error)
                await self._regain(hold)

    async def drop(self) -> None:
        """Free the lock and end the session."""
        if self._connection is not None:
            # Said and answered: that a session was closed, the server may notice later than whoever asks next.
            with suppress(psycopg.Error, TimeoutError):
                await asyncio.wait_for(self._one("SELECT pg_advisory_unlock_all()", ()), _UNLOCK_S)
            with suppress(psycopg.Error):
                await self._connection.close()
            self._connection = None

    async def _regain(self, hold: Hold) -> None:
        try:
            locked = await self._lock()
            fence = await self._one("SELECT fence FROM projects WHERE id = %s", (hold.project_id,))
        except psycopg.Error:  # the server is not back yet: the next beat tries again
            return
        if not locked or fence != hold.fence:
            hold.lost = True
            await self.drop()
            _log.warning("Another run has taken project %s; this one writes no more", hold.project_id)

    async def _lock(self) -> bool:
        await self.drop()
        self._connection = await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=10,
            application_name="botarmy hold",
            options=f"-c idle_session_timeout={int(self._limit_s * 1000)}",
        )
        return bool(await self._one("SELECT pg_try_advisory_lock(%s)", (lock_number(self._project_id),)))

    async def _held(self) -> Held:
        row = await self._row(
            "SELECT holder, to_char(held_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), slug "
            "FROM projects WHERE id = %s",
            (self._project_id,),
        )
        holder, since, slug = row or ("another process", "a while", str(self._project_id))
        return Held(
            f"Project {slug} is held by {holder or 'another process'} since {since} UTC.",
            hint="One run at a time works on a project: wait for it, or cancel it.",
            holder=holder or "",
        )

    async def _one(self, query: str, values: tuple[Any, ...]) -> Any:
        row = await self._row(query, values)
        return row[0] if row else None

    async def _row(self, query: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if self._connection is None:
            raise psycopg.OperationalError("there is no connection")
        cursor = await self._connection.execute(query.encode(), values)
        return await cursor.fetchone()
