"""`botarmy up` and `down`: Postgres, Prefect server with UI, worker and deployments, supervised and stopped as one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from botarmy.errors import BotArmyError, Unavailable
from cli.terminal import say, write_json


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
@click.option("--port", default=0, help="Port of our Prefect server; 0 takes 4200 or a free one.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 16), help="How many workers to keep up."
)
@click.option("--json", "as_json", is_flag=True, help="Print addresses as JSON when healthy.")
def up(detach: bool, which: str, port: int, workers: int, as_json: bool) -> int:
    """Start Postgres, the Prefect server with its UI, and a worker; make the deployments of prefect.yaml."""
    from botarmy.settings import load_settings
    from flows.supervisor import Supervisor, services_of

    settings = load_settings()
    running = services_of(settings.botarmy_home)
    if running is not None:
        _announce(running, as_json=as_json)
        return 0
    if detach:
        _detach(settings.botarmy_home, which, port, workers)
        _announce(_wait_for(settings.botarmy_home), as_json=as_json)
        return 0
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
    from flows.supervisor import stop_services
    from storage.embedded import stop_embedded

    home = load_settings().botarmy_home
    stopped = stop_services(home)
    if postgres and asyncio.run(stop_embedded(home)):
        stopped.append("Postgres")
    say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing of ours was running.")
    return 0


def _detach(home: Path, which: str, port: int, workers: int) -> None:
    home.mkdir(parents=True, exist_ok=True)
    words = ["up", "--prefect", which, "--port", str(port), "--workers", str(workers), "--json"]
    with (home / "up.log").open("w") as log:
        subprocess.Popen(  # noqa: S603 (our own interpreter and words)
            [sys.executable, "-m", "cli.main", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"BOTARMY_HOME": str(home.resolve())},
        )


def _wait_for(home: Path, deadline_s: float = 180.0) -> dict[str, Any]:
    from flows.server import log_tail
    from flows.supervisor import services_of

    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        running = services_of(home)
        if running is not None:
            return running
        tail = log_tail(home / "up.log", 2000)
        if "error:" in tail:
            raise BotArmyError(f"The services did not start. {tail}", hint="Run: botarmy doctor")
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
    say("Hand in a brief:  botarmy submit BRIEF    What waits for you:  botarmy inbox")
