"""What to make of an error that ends a run: infrastructure that comes back, or a failure that is written down."""

from __future__ import annotations

from collections.abc import Iterator

from botarmy.errors import BotArmyError, PrefectLost, TakenByAnother, Unavailable, Unexpected
from botarmy.redact import redact

_OF_THE_API = ("httpx", "httpcore")
"""Prefect's client lets the errors of its HTTP library through; that is not imported here for their names."""


def of_prefects_api(error: BaseException) -> BaseException | None:
    """Return the failure of the Prefect API that is this error or behind it, or None."""
    for each in _with_causes(error):
        if _package(each).startswith(_OF_THE_API) or type(each).__name__ == "PrefectHTTPStatusError":
            return each
    return None


def is_left_to_others(error: Exception) -> bool:
    """Tell whether the project goes on after this error: by another run that has it, or by upkeep.

    Without Postgres or Prefect nothing is known of how the project stands; both come back, and upkeep begins a new run.
    """
    if isinstance(error, BotArmyError):
        return isinstance(error, TakenByAnother | Unavailable | PrefectLost)
    return isinstance(error, OSError) or _package(error) == "prefect" or of_prefects_api(error) is not None


def told(error: Exception) -> BotArmyError:
    """Return the error as it is written down for the project; one that was not foreseen says so."""
    if isinstance(error, BotArmyError):
        return error
    return Unexpected(
        redact(f"unexpected: {type(error).__name__}: {error}"),
        hint="The log of the run has its traceback; report it.",
    )


def _package(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__
