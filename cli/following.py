"""`run --gates suspend`: submit a brief to the worker and follow it to its end, or to where nobody goes on with it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botarmy.errors import BotArmyError
from botarmy.records import Status
from cli.reading import run as run_coroutine
from cli.show import ENDED, POLL_S
from cli.terminal import one_line, say

if TYPE_CHECKING:
    from botarmy.settings import Settings
    from cli.show import Followed
    from flows.server import PrefectApi

TURN_OF_UPKEEP_S = 120.0
"""Within so long, beyond the recovery window, upkeep has begun another run for one that broke off: it looks each minute."""


class RunEnded(BotArmyError):
    """A submitted run ended in Prefect, and its project did not, or was never made."""

    code = "run-ended"


def submit_and_follow(settings: Settings, text: str, wish: dict[str, Any], out: Path | None, *, as_json: bool) -> int:
    """Submit, then follow the run until it ends (`run --gates suspend`); return the exit code.

    Args:
        settings: the settings.
        text: the brief, or "".
        wish: what `cli.submit.submit_text` takes beside them.
        out: directory for the finished project, or None.
        as_json: whether the end is told in JSON.

    Raises:
        RunEnded: the run ended without its project.
    """
    from cli.show import followed
    from cli.submit import submit_text
    from flows.api import find_api

    made = submit_text(settings, text, **wish)
    click.echo(f"Submitted as {made['name']}: {made['url']}", err=True)
    click.echo("At a gate: botarmy inbox, or the address above. Ctrl-C ends the following, not the run.", err=True)
    api = find_api(settings.botarmy_home, dict(os.environ))
    watch = Watch(api, settings.recovery_window_s + TURN_OF_UPKEEP_S)
    known, told = followed(made["flow_run_id"]), 0
    while True:
        # The flow run before the project: a run that has ended has written how its project stands.
        ended = watch.look(known.flow_run_id)
        known = followed(made["flow_run_id"])
        for line in known.lines[told:]:
            click.echo(line, err=True)
        told = len(known.lines)
        if known.project is not None and known.project.status in ENDED:
            return _finish(known, out, as_json=as_json)
        if ended is not None:
            watch.see_goes_on(ended, known)
        time.sleep(POLL_S)


def _finish(known: Followed, out: Path | None, *, as_json: bool) -> int:
    from cli.export import export_project
    from cli.run import EXIT_CODES, next_command
    from cli.show import write_project

    project = known.project
    if project is None:  # for the type checker: only a project that has ended comes here
        return 1
    if out is not None and project.status is Status.completed:
        run_coroutine(export_project(project.slug, out, replace_other=True))
    write_project(project.slug, as_json=as_json)
    if not as_json:
        say(next_command(project, out))
    return EXIT_CODES.get(project.status, 1)


class Watch:
    """Looks in Prefect whether the run that is followed is still to come or to go on.

    Args:
        api: the Prefect API.
        patience_s: how long upkeep may take to begin another run for one that broke off.
    """

    def __init__(self, api: PrefectApi, patience_s: float) -> None:
        self._api = api
        self._patience_s = patience_s
        self._ended: tuple[str, float] | None = None

    def look(self, flow_run_id: str) -> dict[str, Any] | None:
        """Return the flow run where it has ended in Prefect or is not there any more; None where it lives.

        What Prefect does not answer is not known: then our own tables alone are followed.
        """
        from flows.api import TERMINAL, read_flow_run

        try:
            found = read_flow_run(self._api, flow_run_id)
        except BotArmyError:
            return None
        if found is None:
            return {"id": flow_run_id, "name": "?", "state_type": "", "state": {"message": "Prefect has it no more."}}
        return found if found["state_type"] in TERMINAL else None

    def see_goes_on(self, ended: dict[str, Any], known: Followed) -> None:
        """See whether somebody goes on after a run that has ended, as upkeep does with one that broke off.

        Raises:
            RunEnded: nobody does, or nobody did in the time that upkeep has.
        """
        broke_off = ended["state_type"] == "CRASHED" or (known.project is not None and not known.turned_away)
        if self._ended is None or self._ended[0] != ended["id"]:
            self._ended = (ended["id"], time.monotonic())
            if broke_off and known.flow_run_id == ended["id"]:
                click.echo(f"{_said(ended)} Upkeep begins another run for it.", err=True)
        if known.flow_run_id != ended["id"]:
            return  # it has begun one
        if broke_off and time.monotonic() - self._ended[1] < self._patience_s:
            return
        slug = known.project.slug if known.project is not None else ""
        raise RunEnded(
            _said(ended),
            hint=f"botarmy show {slug} tells how the project stands; go on with: botarmy submit --project {slug}"
            if slug
            else f"No project was made. The run's log: {self._api.run_url(ended['id'])}",
        )


def _said(run: dict[str, Any]) -> str:
    message = one_line((run["state"] or {}).get("message") or "Prefect says no more of it.", 1000)
    state = run["state_type"].lower() or "gone"
    return f"The flow run {run['name']} is {state} in Prefect. {message}"
