"""What a database can be told: limits and waits, with the settings that change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botarmy.errors import TooLarge

if TYPE_CHECKING:
    from botarmy.settings import Settings


@dataclass(frozen=True)
class Options:
    """Limits of one Database.

    Attributes:
        max_artifact_bytes: most bytes of one artifact version, and of one model's answer (BOTARMY_MAX_ARTIFACT_BYTES).
        max_log_bytes: most bytes of one evidence log (BOTARMY_MAX_LOG_BYTES).
        pool_size: most connections of this process (BOTARMY_DB_POOL_SIZE).
        pool_wait_s: how long a unit of work waits for one of them.
        connect_wait_s: how long an unreachable server is tried again, with backoff.
        lock_wait_s: how long a statement waits for a row that another transaction holds.
        idle_limit_s: after how long Postgres ends an idle transaction, so that a stopped process blocks nobody.
        hold_limit_s: after how long without a sign of life a hold is given up by Postgres (BOTARMY_HOLD_LIMIT_S).
    """

    max_artifact_bytes: int = 8_000_000
    max_log_bytes: int = 200_000
    pool_size: int = 10
    pool_wait_s: float = 15.0
    connect_wait_s: float = 10.0
    lock_wait_s: float = 30.0
    idle_limit_s: float = 60.0
    hold_limit_s: float = 60.0


def options_of(settings: Settings, *, connect_wait_s: float = 10.0) -> Options:
    """Return the limits that the settings give; a stopped process gives up its lock and its open transaction alike."""
    return Options(
        max_artifact_bytes=settings.max_artifact_bytes,
        max_log_bytes=settings.max_log_bytes,
        pool_size=settings.db_pool_size,
        connect_wait_s=connect_wait_s,
        hold_limit_s=settings.hold_limit_s,
        idle_limit_s=settings.hold_limit_s,
    )


def session_options(options: Options) -> str:
    """Return libpq's `options` for a session that cannot block others for ever."""
    return (
        f"-c lock_timeout={int(options.lock_wait_s * 1000)} "
        f"-c idle_in_transaction_session_timeout={int(options.idle_limit_s * 1000)}"
    )


def refuse_larger(what: str, size: int, limit: int, setting: str) -> None:
    """Raise TooLarge where `size` bytes pass the limit that `setting` gives."""
    if size > limit:
        raise TooLarge(
            f"{what} has {size:,} bytes; the limit is {limit:,}.",
            hint=f"Make it smaller, or raise {setting}.",
        )
