"""What a runtime has opened is closed however the run ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from botarmy.settings import Settings
from storage.database import Database
from tasks.roles import RoleMap
from tasks.runtime import open_runtime


class Broke(Exception):
    """The run, or closing a provider, went wrong."""


class Closes(RoleMap):
    """A role map that notes that it was closed."""

    def __init__(self, noted: list[str], name: str, *, fails: bool = False) -> None:
        super().__init__({})
        self._noted, self._name, self._fails = noted, name, fails

    async def aclose(self) -> None:
        self._noted.append(self._name)
        if self._fails:
            raise Broke(self._name)


def run(*, fails: bool) -> None:
    if fails:
        raise Broke("run")


@pytest.mark.parametrize(("run_fails", "closing_fails"), [(False, False), (True, False), (True, True), (False, True)])
async def test_providers_and_database_are_closed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_fails: bool, closing_fails: bool
) -> None:
    closed: list[str] = []
    close = Database.close

    async def noted(self: Database) -> None:
        closed.append("database")
        await close(self)

    monkeypatch.setattr(Database, "close", noted)
    settings = Settings(database_url=SecretStr(database_url), botarmy_home=tmp_path, _env_file=None)
    failed = False
    try:
        async with open_runtime(settings) as runtime:
            runtime.opened.extend([Closes(closed, "first"), Closes(closed, "second", fails=closing_fails)])
            run(fails=run_fails)
    except Broke:
        failed = True
    assert failed is (run_fails or closing_fails)
    assert closed == ["second", "first", "database"]
