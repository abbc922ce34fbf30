"""What test processes share: started by the first, stopped by the last, and then anew."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tests.factories.sharing import shared

USERS = 3


def _use(folder: Path, log: Path, all_there: Barrier) -> None:
    def note(what: str) -> str:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{what}\n")
        return f"by {os.getpid()}"

    with shared(folder, lambda: note("start"), lambda known: str(note(f"stop, {known}"))) as known:
        note(f"use, {known}")
        all_there.wait(20)


def test_the_first_starts_the_last_stops_and_all_know_the_same(tmp_path: Path) -> None:
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
        started, *used, stopped = log.read_text("utf-8").splitlines()
        known = stopped.removeprefix("stop, ")
        assert int(known.removeprefix("by ")) in [user.pid for user in users]
        assert (started, used) == ("start", [f"use, {known}"] * USERS)
