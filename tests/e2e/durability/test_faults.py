"""What a run needs is ill: a Prefect server that is slow, answers 500 or is gone; a full disk. Said, survived, mended."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from botarmy.crashpoints import KILLED
from flows.server import PrefectServer
from storage.embedded import embedded_status, start_embedded, stop_embedded
from tests.e2e.durability.conftest import Life, Scene, ended, stopped, until
from tests.factories import papers
from tests.factories.ill_server import IllServer, ill_server

pytestmark = pytest.mark.asyncio(loop_scope="session")
DISK_BYTES = 200_000_000
LITTLE_BYTES = 20_000


@pytest.fixture
def prefect(scene: Scene) -> Iterator[IllServer]:
    with ill_server(scene.site.api.url) as proxy:
        yield proxy


async def asked(scene: Scene, life: Life, project: str, purpose: str) -> None:
    """Wait until the project's run has asked the model for this."""

    def so() -> bool:
        assert not life.exit.done(), life.log.read_text("utf-8")
        return any((name, what) == (project, purpose) for name, _, _, what in scene.site.model.log)

    await until(so, purpose)


async def test_a_prefect_server_that_is_lost_is_told_and_what_it_misses_is_not(
    scene: Scene, prefect: IllServer
) -> None:
    """At the beginning of a run nothing can be done without it; after its end nothing is lost by its absence."""
    impatient = {"PREFECT_API_URL": prefect.url, "PREFECT_CLIENT_MAX_RETRIES": "0"}
    prefect.fail(but_health=True)  # healthy by its own word, and nothing works
    code, text = await ended(await scene.run("lost", **impatient))
    assert code == 1, text
    assert f"error: The Prefect API at {prefect.url} was lost in the middle of the run." in text
    assert "500" in text
    assert "fix: What was committed is kept. When it answers again, go on with: botarmy run --project lost" in text
    assert "did not foresee" not in text

    prefect.fail(False)
    life = await scene.run("lost", crash="run.ended.after=stop", **impatient)
    await stopped(life)
    prefect.go()
    await life.kill(signal.SIGCONT)
    code, text = await ended(life)
    assert code == 0, text
    assert "was lost in the middle of the run" in text
    assert "The run itself had ended: our own tables say how" in text
    assert await scene.attempts("lost") == [(phase, 1, "completed") for phase in papers.PHASES]


async def test_a_slow_a_failing_and_a_vanished_prefect_server_are_waited_for(scene: Scene, prefect: IllServer) -> None:
    patient = {"PREFECT_API_URL": prefect.url, "PREFECT_CLIENT_MAX_RETRIES": "3"}  # up to 14 s, by default a minute
    prefect.slow(0.1)
    life = await scene.run("outlives", **patient)
    await asked(scene, life, "outlives", "project_plan")
    prefect.slow(0)
    prefect.fail()
    await until(lambda: prefect.refused or life.exit.done(), "an answer of 500")
    prefect.fail(False)
    await asked(scene, life, "outlives", "technical_architecture")
    prefect.go()
    await asyncio.sleep(1.5)
    prefect.come_back()
    code, text = await ended(life)
    assert code == 0, text
    assert "lost" not in text
    assert prefect.refused
    assert await scene.attempts("outlives") == [(phase, 1, "completed") for phase in papers.PHASES]
    assert scene.site.model.repeats("outlives") == {}


async def test_services_of_ours_that_are_killed_under_a_run_are_started_again(scene: Scene) -> None:
    """Nobody else looks after them: `botarmy up` does not run here."""
    log = scene.site.home / "kept.log"
    environ = scene.site.environ | {"BOTARMY_CRASH_AT": "save.after@Discovery=stop", "OPENAI_API_KEY": "kept.1"}
    del environ["PREFECT_API_URL"]  # our own server is used as our own
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", "run", str(scene.brief), "--project", "kept", *papers.OPTIONS),
            env=environ,
            stdout=output,
            stderr=output,
        )
    run = psutil.Process(process.pid)
    await until(lambda: run.status() == psutil.STATUS_STOPPED, "the end of Discovery")
    server, postgres = PrefectServer(scene.site.home).running(), embedded_status(scene.site.home).pid
    assert server is not None
    assert postgres is not None
    os.kill(server.pid, signal.SIGKILL)
    os.kill(postgres, signal.SIGQUIT)
    process.send_signal(signal.SIGCONT)
    code = await asyncio.wait_for(process.wait(), 180)
    text = log.read_text("utf-8")
    assert code == 0, text
    assert "Postgres had ended" in text
    assert "the Prefect server had ended" in text
    assert await scene.attempts("kept") == [(phase, 1, "completed") for phase in papers.PHASES]
    assert scene.site.model.repeats("kept") == {}
    again = PrefectServer(scene.site.home).running()
    assert again is not None
    assert again.url == server.url


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own with little room, in memory."""
    folder = Path(tempfile.mkdtemp(prefix="badisk-"))
    folder.chmod(0o755)
    options = f"size={DISK_BYTES},mode=0755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def fill(disk: Path, left: int) -> Path:
    """Put a file on the disk that leaves so many bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - left)
    return ballast


async def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(scene: Scene, small_disk: Path) -> None:
    home = small_disk / "home"
    await start_embedded(home)
    try:
        words = ["run", str(scene.brief), "--project", "full"]
        here = {"BOTARMY_HOME": str(home)}
        life = await scene.start("cli", "full", *words, crash="save.after@Discovery=stop", **here)
        await stopped(life)
        ballast = fill(small_disk, LITTLE_BYTES)
        await life.kill(signal.SIGCONT)
        code, text = await ended(life)
        assert code == 1, text
        assert "disk is full" in text
        ballast.unlink()
        # A phase or two further is far enough to see that it goes on.
        words = ["run", "--project", "full"]
        code, text = await ended(await scene.start("cli", "full", *words, crash="save.after@Design", **here))
        assert code == KILLED, text
        assert "ended at the crash point save.after@Design" in text
        assert "Discovery (analyst, attempt 1): asked" not in text, "what was committed is not done again"
        assert scene.site.model.repeats("full") == {}
    finally:
        await stop_embedded(home)
