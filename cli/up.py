"""`botarmy up` and `down`: Postgres, Prefect server with UI, worker and deployments, supervised and stopped as one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botarmy.errors import BotArmyError, InputError, Unavailable
from cli.terminal import say, write_json

if TYPE_CHECKING:
    from botarmy.settings import Settings


@click.command()
@click.option("--detach", is_flag=True, help="Return when all is healthy; `botarmy down` stops it.")
@click.option(
    "--prefect",
    "which",
    type=click.Choice(["auto", "own", "external"]),
    default="auto",
    show_default=True,
    help="external: only the server that PREFECT_API_URL or the active profile names; own: only ours.",
)
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65_535),
    help="Port of our Prefect server; 0 takes 4200 or a free one. Not looked at where it runs already.",
)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 16), help="How many workers to keep up."
)
@click.option("--json", "as_json", is_flag=True, help="Print addresses as JSON when healthy.")
def up(detach: bool, which: str, port: int, workers: int, as_json: bool) -> int:
    """Start Postgres, the Prefect server with its UI, and a worker; make the deployments of prefect.yaml."""
    from botarmy.settings import load_settings
    from flows.services import only_supervisor, services_of

    settings = load_settings()
    home = settings.botarmy_home
    running = services_of(home)
    if running is None and detach:
        running = _detach(home, which, port, workers)
    if running is not None:
        _announce(running, as_json=as_json)
        return 0
    with only_supervisor(home) as alone:
        if alone:
            return _supervise(settings, which=which, port=port, workers=workers, as_json=as_json)
    _announce(_wait_for(home), as_json=as_json)  # another `up` began a moment ago
    return 0


def _supervise(settings: Settings, *, which: str, port: int, workers: int, as_json: bool) -> int:
    from flows.supervisor import Supervisor

    with Supervisor(settings, which=which, port=port, workers=workers) as supervisor:
        _announce(supervisor.services, as_json=as_json)
        if not as_json:
            say("Stop with Ctrl-C.")
        return supervisor.watch()


@click.command()
@click.option("--postgres/--keep-postgres", default=True, show_default=True, help="Also stop the embedded Postgres.")
def down(postgres: bool) -> int:
    """Stop what `up` started, and nothing else."""
    import asyncio

    from botarmy.settings import load_settings
    from flows.services import stop_services
    from storage.embedded import stop_embedded

    home = load_settings().botarmy_home
    done = stop_services(home)
    stopped = list(done.stopped)
    if postgres and not done.in_use and asyncio.run(stop_embedded(home)):
        stopped.append("Postgres")
    say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing of ours was running.")
    if done.in_use:
        say("Left running: Prefect server and Postgres; a `botarmy run` uses them. Say `botarmy down` again after it.")
    return 0


def _detach(home: Path, which: str, port: int, workers: int) -> dict[str, Any]:
    """Start a supervisor that outlives this command, and wait until it is healthy."""
    home.mkdir(parents=True, exist_ok=True)
    words = ["up", "--prefect", which, "--port", str(port), "--workers", str(workers), "--json"]
    with (home / "up.log").open("a") as log:
        before = log.tell()
        child = subprocess.Popen(  # noqa: S603 (our own interpreter and words)
            [sys.executable, "-m", "cli.main", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"BOTARMY_HOME": str(home.resolve())},
        )

    def ended() -> None:
        if child.poll() is not None:
            with (home / "up.log").open("rb") as log:
                log.seek(before)
                _fail_as(child.returncode, log.read().decode("utf-8", "replace"))

    return _wait_for(home, ended)


def _fail_as(exit_code: int, said: str) -> None:
    """Raise what the supervisor ended with; it was asked to say it in JSON.

    Args:
        exit_code: of the supervisor; 0 where another one was faster.
        said: what it printed.
    """
    if exit_code == 0:
        return
    kind = InputError if exit_code == InputError.exit_code else BotArmyError
    try:
        error = json.loads(said[said.rindex('{\n  "error"') :])["error"]
    except ValueError:
        raise kind(f"The services did not start. {said.strip()[-2000:]}", hint="Run: botarmy doctor") from None
    raise kind(error["message"], hint=error["hint"])


def _wait_for(home: Path, see: Callable[[], None] = lambda: None, deadline_s: float = 180.0) -> dict[str, Any]:
    from flows.services import services_of

    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        running = services_of(home)
        if running is not None:
            return running
        see()
        time.sleep(0.2)
    raise Unavailable(f"The services were not healthy within {deadline_s:.0f} s.", hint=f"Read {home / 'up.log'}")


def _announce(services: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json({key: value for key, value in services.items() if key != "auth"})
        return
    say(f"Prefect UI        {services['ui']}")
    if services["auth_file"]:
        say(f"sign in with      the words in {services['auth_file']}")
    say(f"Postgres          {services['postgres']}")
    say(f"worker            pool {services['pool']}, queues critical, default, low")
    say("For plain `prefect` commands in this shell:")
    say(f"  {services['export']}")
    say("Hand in a brief:  botarmy submit BRIEF    What waits for you:  botarmy inbox    Stop it all:  botarmy down")
