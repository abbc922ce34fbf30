"""The command line's way to storage: settings once, a view to read, a unit of work to write.

Reads load psycopg and the records, nothing more: no Prefect, no SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from botarmy.errors import BotArmyError
from botarmy.overview import Snapshot, error_of

if TYPE_CHECKING:
    from botarmy.records import ArtifactVersion, Attempt, AuditEvent, GateRequest, Project
    from botarmy.settings import Settings
    from storage.database import Database
    from storage.reads.view import ReadView
    from storage.unit import UnitOfWork

Result = TypeVar("Result")
EXPORTED = "project exported"
"""The audit action that remembers where a project was exported to."""


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's coroutine to its end."""
    import asyncio

    return asyncio.run(coroutine)


@cache
def settings() -> Settings:
    """Read the settings, once for each process.

    Raises:
        SettingsError: one is wrong.
    """
    from botarmy.settings import load_settings

    return load_settings()


async def address() -> str:
    """Return the address of the database that the settings name, starting the embedded server where it is that one.

    Raises:
        Unavailable: it cannot be started.
    """
    given = settings().database_url
    if given is not None:
        return given.get_secret_value()
    from storage.embedded import start_embedded

    return (await start_embedded(settings().botarmy_home)).url


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    """Open the database that the settings name, and close it.

    Raises:
        Unavailable: it cannot be reached or started.
    """
    from storage.connect import open_database
    from storage.options import options_of

    given = settings().database_url
    options = options_of(settings(), connect_wait_s=2.0)
    # The embedded server is ours to keep up to date; somebody else's is changed by `run` and `db upgrade` alone.
    opened = await open_database(
        given.get_secret_value() if given else None, settings().botarmy_home, options=options, migrate=given is None
    )
    try:
        yield opened.database
    finally:
        await opened.database.close()


@asynccontextmanager
async def reading() -> AsyncIterator[ReadView]:
    """Open the database to read; all that is read belongs to one moment."""
    async with database() as opened, opened.read() as view:
        yield view


@asynccontextmanager
async def working() -> AsyncIterator[UnitOfWork]:
    """Open the database for one transaction."""
    async with database() as opened, opened.work() as work:
        yield work


async def fetch_snapshot(view: ReadView | UnitOfWork, name: str) -> Snapshot:
    """Read everything that is told about a project.

    Raises:
        UnknownName: there is no such project.
    """
    project = await view.projects.get(name)
    events = await view.audit.of_project(project.id)
    return Snapshot(
        project=project,
        phases=project_phases(project),
        attempts=await view.attempts.list(project.id),
        heads=await view.artifacts.summaries(project.id),
        evidence=await view.evidence.of_project(project.id),
        gates=await view.gates.of_project(project.id),
        runs=await view.executions.of_project(project.id),
        spending=await view.calls.spent(project.id),
        export=_last_export(events),
        error=error_of(project, events),
    )


async def fetch_heads_and_gates(
    view: ReadView | UnitOfWork, name: str
) -> tuple[Project, dict[str, ArtifactVersion], tuple[GateRequest, ...]]:
    """Read a project's current artifacts with their content, and its gates.

    Raises:
        UnknownName: there is no such project.
    """
    project = await view.projects.get(name)
    return project, await view.artifacts.heads(project.id), await view.gates.of_project(project.id)


def _last_export(events: Sequence[AuditEvent]) -> str | None:
    """Return where the project was exported to last, if that is still there."""
    places = [str(event.detail.get("directory", "")) for event in events if event.action == EXPORTED]
    return still_there(places[-1]) if places else None


def still_there(place: str) -> str | None:
    """Return the directory, or None where it has been moved or removed."""
    return place if Path(place).is_dir() else None


def project_phases(project: Project) -> tuple[tuple[str, str], ...]:
    """Return (phase, agent) in the order of the project's workflow.

    What the project pinned when it was made (`settings["phases"]`: a list of {"name", "agent"}) counts; it also spares
    reading the workflow. Empty where nothing was pinned and the workflow cannot be read any more: a project must be
    shown even after its workflow was renamed or broken, and its attempts tell what was done.
    """
    pinned = project.settings.get("phases")
    if isinstance(pinned, list):
        return tuple((str(each["name"]), str(each["agent"])) for each in pinned)
    from storage.definitions import core_directories, load_core

    try:
        workflow = load_core(*core_directories(None)).workflow(project.workflow)
    except BotArmyError:
        return ()
    return tuple((phase.name, phase.agent) for phase in workflow.phases)


def phase_order(project: Project, attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return the names of the project's phases in order; where its workflow cannot be read, as they were begun."""
    names = tuple(name for name, _ in project_phases(project))
    return names or tuple(dict.fromkeys(attempt.phase for attempt in attempts))
