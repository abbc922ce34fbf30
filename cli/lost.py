"""What can take a run in this process from the command: another run has its project, or the Prefect API is lost."""

from __future__ import annotations

from typing import Any

from botarmy.errors import BotArmyError, Fenced, Held, PrefectLost, Unavailable


def taken_by_another(state: Any, slug: str) -> BotArmyError | None:
    """Return the error of a run that ended because its project is another's, or None.

    Args:
        state: the final state of the flow.
        slug: the project.
    """
    from flows.sdlc import HELD, TAKEN_OVER

    look = f"Look at it with: botarmy show {slug}"
    if state.name == HELD:
        return Held(state.message, hint=f"One run at a time works on a project: wait for it, or cancel it. {look}")
    if state.name == TAKEN_OVER:
        return Fenced(state.message, hint=f"Nothing to mend: the other run goes on with the project. {look}")
    return None


def lost_prefect(error: BaseException, api_url: str, slug: str) -> PrefectLost | None:
    """Return our error where a failure of the Prefect API is behind this one, or None.

    Args:
        error: what the flow ended with.
        api_url: the address of the API.
        slug: the project.
    """
    from flows.failure import of_prefects_api

    failure = of_prefects_api(error)
    if failure is None:
        return None
    said = " ".join(str(failure).split())[:300] or type(failure).__name__
    return PrefectLost(
        f"The Prefect API at {api_url} was lost in the middle of the run. {said}",
        hint=f"What was committed is kept. When it answers again, go on with: botarmy run --project {slug}",
    )


def without_storage(error: Unavailable, slug: str) -> Unavailable:
    """Return the error of a run that lost Postgres, with how to go on; nothing can be read to show more."""
    return Unavailable(error.message, hint=f"{error.hint} Then go on with: botarmy run --project {slug}".strip())
