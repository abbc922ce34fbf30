"""Which Prefect server a user has configured: the environment, then .env, then the active profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.server import PrefectApi, foreign_api

PROFILES = 'active = "work"\n[profiles.work]\nPREFECT_API_URL = "http://profile/api"\nPREFECT_API_KEY = "pnu_1"\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_is_configured(place: Path) -> None:
    assert foreign_api({"PREFECT_HOME": str(place)}) is None
    (place / ".env").write_text("PREFECT_API_URL=\n", "utf-8")
    assert foreign_api({"PREFECT_HOME": str(place)}) is None


def test_the_environment_wins_over_the_file_and_the_file_over_the_profile(place: Path) -> None:
    environ = {"PREFECT_HOME": str(place)}
    (place / "profiles.toml").write_text(PROFILES, "utf-8")
    assert foreign_api(environ) == PrefectApi(url="http://profile/api", key="pnu_1")
    (place / ".env").write_text("PREFECT_API_URL=http://file/api\nPREFECT_API_AUTH_STRING=a:b\n", "utf-8")
    assert foreign_api(environ) == PrefectApi(url="http://file/api", auth="a:b")
    assert foreign_api(environ | {"PREFECT_API_URL": "http://shell/api"}) == PrefectApi(url="http://shell/api")


def test_workers_get_the_address_and_its_credentials() -> None:
    api = PrefectApi(url="http://cloud/api", key="pnu_1")
    assert api.environment() == {"PREFECT_API_URL": "http://cloud/api", "PREFECT_API_KEY": "pnu_1"}
