"""A brief that Prefect would refuse as a parameter is stored first; Prefect counts it as it is written in JSON."""

from __future__ import annotations

import pytest
from prefect.server.schemas.actions import DeploymentFlowRunCreate

import flows.api
from botarmy.settings import Settings
from cli import submit
from cli.submit import MAX_PARAMETER, submit_text


class Api:
    def run_url(self, run_id: str) -> str:
        return run_id


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Return the parameters of the runs that were created; what the server would refuse is refused."""
    made: list[dict[str, object]] = []

    def create_run(_api: Api, _deployment: str, parameters: dict[str, object], **_: object) -> dict[str, str]:
        made.append(DeploymentFlowRunCreate(parameters=parameters).parameters)
        return {"id": "1", "name": "n"}

    async def store(*_: object) -> str:
        return "stored"

    async def likely_slug(*_: object) -> str:
        return "n"

    monkeypatch.setattr(submit, "_likely_slug", likely_slug)
    monkeypatch.setattr(flows.api, "find_api", lambda *_: Api())
    monkeypatch.setattr(flows.api, "submit", create_run)
    monkeypatch.setattr(submit, "_store", store)
    return made


@pytest.mark.parametrize(
    ("letter", "times", "stored"),
    [
        ("a", MAX_PARAMETER - 2, False),
        ("a", MAX_PARAMETER - 1, True),
        ("ж", 185_000, True),
        ("ж", 60_000, False),
        ("🐾", 90_000, True),
        ('"', 250_000, True),
    ],
)
def test_a_brief_travels_only_where_prefect_takes_it(
    sent: list[dict[str, object]], letter: str, times: int, stored: bool
) -> None:
    text = letter * times
    submit_text(Settings(_env_file=None), text, definitions={})
    assert (sent[0].get("project"), sent[0].get("brief")) == (("stored", None) if stored else (None, text))
