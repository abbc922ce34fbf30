"""The home that test processes share: started by the first, stopped by the last, and then anew."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tests.factories.shared_home import shared_home

USERS = 3


def _use(folder: Path, log: Path, all_there: Barrier) -> None:
    def note(what: str) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{what}\n")

    with shared_home(folder, lambda home: note(f"start {home}"), lambda home: note(f"stop {home}")) as home:
        note(f"use {home}")
        all_there.wait(20)


def test_the_first_starts_the_last_stops_and_all_use_the_same(tmp_path: Path) -> None:
    context, log = multiprocessing.get_context("fork"), tmp_path / "log"
    for _ in range(2):
        log.unlink(missing_ok=True)
        all_there = context.Barrier(USERS)
        users = [context.Process(target=_use, args=(tmp_path / "shared", log, all_there)) for _ in range(USERS)]
        for user in users:
            user.start()
        for user in users:
            user.join(30)
            assert user.exitcode == 0
        (started, home), *used, (stopped, _) = [line.split() for line in log.read_text("utf-8").splitlines()]
        assert (started, stopped) == ("start", "stop")
        assert used == [["use", home]] * USERS
        assert not Path(home).exists()
