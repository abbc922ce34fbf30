"""What took a run from the command is told as an error of ours, and only that."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from botarmy.errors import Fenced, Held, Unavailable
from cli.lost import lost_prefect, taken_by_another, without_storage
from flows.sdlc import HELD, TAKEN_OVER

URL = "http://127.0.0.1:4200/api"


def wrapped(error: Exception) -> Exception:
    outer = RuntimeError("the engine gave up")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("All connection attempts failed"),
        httpx.ReadTimeout(""),
        httpx.RemoteProtocolError("Server disconnected"),
        wrapped(httpx.ConnectError("All connection attempts failed")),
    ],
)
def test_failures_of_prefects_client_are_a_lost_prefect(error: Exception) -> None:
    lost = lost_prefect(error, URL, "shelf")
    assert lost is not None
    assert lost.message.startswith(f"The Prefect API at {URL} was lost in the middle of the run. ")
    assert lost.hint.endswith("botarmy run --project shelf")


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError("no space"), wrapped(ValueError("a defect"))])
def test_other_failures_are_not(error: Exception) -> None:
    assert lost_prefect(error, URL, "shelf") is None


@pytest.mark.parametrize(("name", "kind"), [(HELD, Held), (TAKEN_OVER, Fenced), ("Completed", None), ("Stopped", None)])
def test_a_project_of_anothers_is_told_by_the_states_name(name: str, kind: type[Exception] | None) -> None:
    found = taken_by_another(SimpleNamespace(name=name, message="Project shelf is held by Ann."), "shelf")
    assert (type(found) if found else None) is kind
    assert found is None or "botarmy show shelf" in found.hint


def test_a_lost_storage_says_how_to_go_on() -> None:
    told = without_storage(Unavailable("Postgres is away.", hint="Start it."), "shelf")
    assert (told.message, told.hint) == ("Postgres is away.", "Start it. Then go on with: botarmy run --project shelf")
