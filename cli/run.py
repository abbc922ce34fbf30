"""`botarmy run`: a brief becomes finished, tested software, in this process."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import logging
import os
import socket
import sys
from decimal import Decimal
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from botarmy.errors import BotArmyError, BriefError, InputError, PrefectLost, TakenByAnother, Unavailable
from botarmy.records import Execution, Project, Status
from cli.amount import UsdAmount, warn_of_late_budget
from cli.definition_options import definition_options
from cli.failures import warn
from cli.lost import lost_prefect, taken_by_another, without_storage
from cli.progress import shown
from cli.terminal import clean, say

if TYPE_CHECKING:
    from botarmy.progress import Report
    from botarmy.settings import Settings
    from storage.hold import Hold
    from tasks.runtime import Runtime

EXIT_CODES = {Status.completed: 0, Status.waiting: 3, Status.stopped: 4, Status.cancelled: 4}
"""Project status -> exit code; any other status is a failure, 1."""

LAST_LOGS_S = 10.0
"""How long the end of a run waits for Prefect to take its last log lines."""


@click.command()
@click.argument("brief", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--project", "project_name", default="", help="Name of the new project, or the project that goes on.")
@definition_options
@click.option(
    "--gates",
    type=click.Choice(["auto", "ask", "suspend"]),
    default="auto",
    show_default=True,
    help="auto: the evidence decides, an open gate ends the run with exit 3. ask: this terminal asks at every gate. "
    "suspend: submit to the worker and follow.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Export the finished project to this directory.")
@click.option("--budget", type=UsdAmount(), help="Spending limit of the project in USD.")
@click.option(
    "--provider",
    help='Who serves all roles in this run, as "provider" or "provider/model": offline, recorded, openai/gpt-5.2. '
    "Not kept: a later run, and the worker, ask whom the settings name.",
)
@click.option("--unsafe-no-sandbox", is_flag=True, help="Run generated code without isolation where there is none.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run(
    brief: Path | None,
    project_name: str,
    definitions: dict[str, Any],
    gates: str,
    out: Path | None,
    budget: Decimal | None,
    provider: str | None,
    unsafe_no_sandbox: bool,
    as_json: bool,
) -> int:
    """Take BRIEF (a text file, or - for standard input) to finished, tested software.

    Without BRIEF, --project names a project that goes on where it stopped.
    """
    from botarmy.settings import load_settings

    settings = load_settings()
    text = read_input(brief, settings) if brief is not None else ""
    if not text and not project_name:
        raise BriefError(
            "There is neither a brief nor a project.", hint="botarmy run BRIEF, or botarmy run --project NAME"
        )
    if gates == "ask" and not sys.stdin.isatty():
        raise InputError(
            "--gates ask needs a terminal to ask in.", hint="Use --gates auto, or botarmy inbox and approve."
        )
    _check_out(out)
    if gates == "suspend":
        from cli.following import submit_and_follow

        _see_for_this_process(provider, unsafe_no_sandbox)
        wish = {"project_name": project_name, "definitions": definitions, "budget_usd": budget}
        return submit_and_follow(settings, text, wish, out, as_json=as_json)
    options = {"definitions": definitions, "gates": gates, "budget_usd": budget, "unsafe": unsafe_no_sandbox}
    options["provider"] = provider
    with shown(quiet=as_json, plain=gates == "ask") as report:
        project, error = asyncio.run(_run(settings, text, project_name, options, report))
    return _finish(project, error, out, provider, as_json=as_json)


def _see_for_this_process(provider: str | None, unsafe: bool) -> None:
    """Refuse what only a run in this process can have, where the worker is to do it.

    Raises:
        InputError: --provider or --unsafe-no-sandbox was given with --gates suspend.
    """
    if provider is not None:
        raise InputError(
            "--provider serves a run in this process; a submitted run asks whom the worker's settings name.",
            hint="Leave --gates suspend out, or name the provider where `botarmy up` runs (.env, or the environment, of "
            "ANALYST_AGENT_PROVIDER and its like), then botarmy down and up.",
        )
    if unsafe:
        raise InputError(
            "--unsafe-no-sandbox serves a run in this process; the worker isolates what it runs.",
            hint="Leave --gates suspend out.",
        )


def read_input(path: Path, settings: Settings) -> str:
    """Read the brief from a file or standard input.

    Raises:
        BriefError: the file is missing, unreadable, not text, empty or too large.
    """
    from botarmy.brief import read_brief

    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(settings.max_brief_bytes + 1)
        else:
            with path.open("rb") as file:
                data = file.read(settings.max_brief_bytes + 1)
    except OSError as error:
        raise BriefError(
            f"The brief {path} cannot be read. {error.strerror}.", hint="Name a text file, or - for standard input."
        ) from None
    return read_brief(data, settings.max_brief_bytes)


def _check_out(out: Path | None) -> None:
    """Refuse an unusable --out before anything is done.

    Raises:
        InputError: it is a file or lies below one, or holds something that is not an untouched export.
        ExportError: git is missing.
    """
    if out is None:
        return
    from cli.export import see_free

    for part in (out, *out.absolute().parents):
        if part.exists():
            if not part.is_dir():
                raise InputError(
                    f"--out {out} cannot be written. {part} is not a directory.", hint="Name another directory."
                )
            if not os.access(part, os.W_OK):
                raise InputError(f"--out {out} cannot be written. There is no permission to write in {part}.")
            break
    see_free(out)


async def _run(
    settings: Settings, text: str, project_name: str, options: dict[str, Any], report: Report
) -> tuple[Project, BotArmyError | None]:
    from botarmy.progress import Progress
    from flows.keeping import kept
    from flows.server import prefect_for
    from tasks.runtime import installed, open_runtime
    from tasks.selection import Selection

    async with (
        open_runtime(
            settings, report=report, unsafe_no_sandbox=options["unsafe"], provider=options["provider"]
        ) as opened,
        contextlib.AsyncExitStack() as grip,
    ):
        if opened.started_postgres:
            report(Progress(step="postgres", text="started; it runs on for the next command, until `botarmy down`"))
        project, hold = await _take_up(opened, grip, text, project_name, options)
        runtime = await opened.holding(hold, "").serving(Selection.of(project))
        await _announce(runtime, project, report)
        with prefect_for(settings.botarmy_home, runtime.prefect_url) as api:
            os.environ.update(api.environment() | quiet_prefect())
            embedded = settings.database_url is None
            home, url = settings.botarmy_home, runtime.prefect_url
            async with kept(home, embedded=embedded, api=api, prefect_url=url, report=report):
                runs_before = await _runs(runtime, project)
                with installed(runtime):
                    error = await _deliver(project, options["gates"], api.url)
                await grip.aclose()  # who comes next need not wait until the server is stopped
        if isinstance(error, Unavailable):
            raise without_storage(error, project.slug)
        if isinstance(error, PrefectLost) and await _ended_since(runtime, project, runs_before):
            warn(f"{error.message} The run itself had ended: our own tables say how; Prefect may show it otherwise.")
            error = None
        async with runtime.database.work() as work:
            return await work.projects.get(str(project.id)), error


async def _runs(runtime: Runtime, project: Project) -> tuple[Execution, ...]:
    async with runtime.database.work() as work:
        return await work.executions.of_project(project.id)


async def _ended_since(runtime: Runtime, project: Project, before: tuple[Execution, ...]) -> bool:
    """Tell whether this process's run came to its end in our tables."""
    now = await _runs(runtime, project)
    return len(now) > len(before) and now[-1].status in EXIT_CODES


async def _take_up(
    runtime: Runtime, grip: contextlib.AsyncExitStack, text: str, name: str, options: dict[str, Any]
) -> tuple[Project, Hold]:
    """Return the project to carry on, and the hold on it that `grip` keeps; see tasks.carry_on."""
    from tasks.carry_on import Wish, take_up

    budget: Decimal | None = options["budget_usd"]
    by = "" if budget is None else runtime.settings.botarmy_by or getpass.getuser()
    wish = Wish(brief=text, name=name, given=options["definitions"], budget_usd=budget, by=by)
    taken = await take_up(runtime, grip, wish, f"botarmy run (process {os.getpid()} on {socket.gethostname()})")
    slug = taken.project.slug
    if taken.broke_off:
        click.echo(f"{slug}: this brief's earlier run broke off; it goes on where it stopped.", err=True)
    warn_of_late_budget(taken.project, budget)
    return taken.project, taken.hold


async def _announce(runtime: Runtime, project: Project, report: Report) -> None:
    """Say, before the first call, which model works for which role and what this brief can be expected to cost."""
    from botarmy.progress import Progress
    from tasks.forecast import expected_costs, role_lines

    report(Progress(step="project", text=f"{project.slug} (workflow {project.workflow})"))
    core = runtime.core
    workflow = core.workflow(project.workflow)
    expected = await expected_costs(project.brief, workflow, core.template, runtime.roles, runtime.prices)
    for line in role_lines(expected, runtime.roles):
        report(Progress(step="role", text=line))
    for line in await _changed_hands(runtime, project):
        report(Progress(step="role", text=line))
    report(Progress(step="prefect", text="connecting; our own server is started where none is up"))


async def _changed_hands(runtime: Runtime, project: Project) -> list[str]:
    """Say where another provider than now made a role's documents: --provider and settings are not kept with a project."""
    async with runtime.database.read() as view:
        heads = await view.artifacts.summaries(project.id)
    last = {made.provenance.agent: made.provenance for made in heads}
    return [
        f"{role}: its documents so far were made by {last[role].provider}/{last[role].model}; "
        f"this run asks {served[0].name}/{served[0].model}"
        for role, served in runtime.roles.items()
        # The provider alone is compared: many answer under a model's full name, which is another than was asked for.
        if role in last and last[role].provider not in {each.name for each in served}
    ]


def quiet_prefect() -> dict[str, str]:
    """Return the settings that leave the terminal to us; Prefect's own log of the run stays in its server."""
    return {
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # A server that lost its database for a moment answers 500; Prefect's client gives such answers up at once.
        "PREFECT_CLIENT_RETRY_EXTRA_CODES": os.environ.get("PREFECT_CLIENT_RETRY_EXTRA_CODES", "500"),
    }


async def _deliver(project: Project, gates: str, api_url: str) -> BotArmyError | None:
    """Run the flow in this process; return the error that ended it, if one did."""
    from prefect.logging.handlers import APILogHandler

    from cli.asking import ask_at_terminal
    from flows.people import person_at_terminal
    from flows.sdlc import deliver

    # Python's own way to keep a log that cannot be written (Prefect's, while its server is away) out of the terminal.
    logging.raiseExceptions = False
    token = person_at_terminal.set(ask_at_terminal)
    approval = "always" if gates == "ask" else "workflow"
    try:
        state = await deliver(project=project.slug, gates=gates, approval=approval, return_state=True)
    except Exception as error:
        if (lost := lost_prefect(error, api_url, project.slug)) is None:
            raise
        return lost
    finally:
        person_at_terminal.reset(token)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(APILogHandler.aflush(), LAST_LOGS_S)  # before our server is stopped
    return taken_by_another(state, project.slug) or await _error_of(state, api_url, project.slug)


async def _error_of(state: Any, api_url: str, slug: str) -> BotArmyError | None:
    """Return the error that the flow ended with, if it is one of ours or Prefect's; raise it where it is a defect."""
    outcome: Any = await state.aresult(raise_on_failure=False)
    if isinstance(outcome, BotArmyError):
        return outcome
    if isinstance(outcome, Exception) and not state.is_completed() and state.name != "Stopped":
        if (lost := lost_prefect(outcome, api_url, slug)) is None:
            raise outcome
        return lost
    return None


def _finish(
    project: Project, error: BotArmyError | None, out: Path | None, provider: str | None, *, as_json: bool
) -> int:
    from cli.export import export_project
    from cli.reading import run as read
    from cli.show import write_project

    if error is not None and (project.status not in EXIT_CODES or _did_nothing(project, error)):
        raise error
    if out is not None and project.status is Status.completed:
        read(export_project(project.slug, out, replace_other=True))

    write_project(project.slug, as_json=as_json)
    if not as_json:
        say(clean(next_command(project, out, provider)))
    return EXIT_CODES.get(project.status, 1)


def _did_nothing(project: Project, error: BotArmyError) -> bool:
    """Tell whether how the project stands is not this run's doing."""
    return isinstance(error, TakenByAnother | PrefectLost) and project.status is not Status.cancelled


def next_command(project: Project, out: Path | None, provider: str | None = None) -> str:
    """Return the lines that say what to do next; provider and directory of this run must be named again for the next."""
    slug = project.slug
    again = f"botarmy run --project {slug}" + (f" --provider {provider}" if provider else "")
    again += f" --out {quote(str(out))}" if out else ""
    unwritten = f"\n{out} is not written yet: it is when the project is completed, by: {again}" if out else ""
    if project.status is Status.completed:
        where = (
            f"The software is in {out}; its README says how to run it."
            if out
            else f"Take it out: botarmy export {slug} DIR"
        )
        return f"{where}\nWhat proves it: botarmy show {slug}"
    if project.status is Status.waiting:
        return f"It waits for a decision: botarmy inbox {slug} shows it and how to decide, then {again}{unwritten}"
    if project.status is Status.stopped:
        return f"It was stopped: botarmy show {slug} says why; botarmy rerun {slug} --from PHASE takes it up again, with --comment TEXT for what must be different.{unwritten}"
    return f"What went wrong: botarmy show {slug}; go on with: {again}{unwritten}"
