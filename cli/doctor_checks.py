"""The checks of `botarmy doctor`: each really tries what it reports on, and none prints a secret."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from botarmy.errors import BotArmyError, SettingsError
from cli.findings import Finding, fail, ok, warn
from cli.reading import settings as read_settings

if TYPE_CHECKING:
    from botarmy.settings import Settings

ROLES = ("analyst", "architect", "coder", "tester", "deployer")
OLDEST_PYTHON = (3, 11)
_GIB = 1024**3
_LEAST_BYTES = _GIB // 4
_WANTED_BYTES = 2 * _GIB
_CHECK_TIMEOUT_S = 60
_HTTP_TIMEOUT_S = 5
_OFFLINE = "offline"

Examination = Callable[["Settings"], Awaitable[list[Finding]]]


async def examine() -> list[Finding]:
    """Run all checks; one that breaks is reported as failed and does not stop the others."""
    findings = [check_python(sys.version_info[:3])]
    try:
        settings = read_settings()
    except BotArmyError as error:
        return [*findings, fail("settings", error.message, error.hint)]
    findings += [ok("settings", "read"), check_git()]
    for name, examination in EXAMINATIONS.items():
        findings += await _guarded(name, examination, settings)
    return findings


async def _guarded(name: str, examination: Examination, settings: Settings) -> list[Finding]:
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            return await examination(settings)
    except BotArmyError as error:
        return [fail(name, error.message, error.hint)]
    except TimeoutError:
        return [fail(name, f"no answer within {_CHECK_TIMEOUT_S} s")]
    except Exception as error:  # noqa: BLE001 - the doctor must survive what it looks for
        return [fail(name, f"{type(error).__name__}: {error}")]


def check_python(version: tuple[int, ...]) -> Finding:
    """Check the interpreter's version."""
    text = f"Python {'.'.join(str(part) for part in version)}"
    if tuple(version[:2]) < OLDEST_PYTHON:
        return fail("python", f"{text} is too old", "Install Python 3.11 or later: make PYTHON=python3.12")
    return ok("python", text)


def check_git() -> Finding:
    """Check that git is there and starts."""
    from cli.git import run_git

    try:
        return ok("git", run_git(Path(tempfile.gettempdir()), "version").strip())
    except BotArmyError as error:
        return fail("git", error.message, error.hint)


async def check_home(settings: Settings) -> list[Finding]:
    """Check that the home can be written, and that its disk has room."""
    home = settings.botarmy_home.expanduser().absolute()
    place = home
    while not place.exists():
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
    except OSError as error:
        mend = "Set BOTARMY_HOME to a directory that you may write to."
        return [fail("home", f"{home} cannot be written: {error.strerror}", mend)]
    text = f"{home} is writable" if home.exists() else f"{home} will be made on first use"
    return [ok("home", text), check_space(home, shutil.disk_usage(place).free)]


def check_space(home: Path, free: int) -> Finding:
    """Check the free bytes of the disk that holds the home."""
    text = f"{free / _GIB:.1f} GiB free for {home}"
    mend = "Free some space, or set BOTARMY_HOME to another disk."
    if free < _LEAST_BYTES:
        return fail("disk", text, mend)
    return warn("disk", text, mend) if free < _WANTED_BYTES else ok("disk", text)


async def check_database(settings: Settings) -> list[Finding]:
    """Look at the embedded server or try DATABASE_URL, then see where the schema stands."""
    if settings.database_url is not None:
        return await check_schema(settings.database_url.get_secret_value(), "DATABASE_URL")
    from storage.embedded import embedded_status, start_embedded

    status = embedded_status(settings.botarmy_home)
    if not status.initialised:
        return [ok("database", "embedded PostgreSQL: made on first use")]
    if not status.running:
        return [ok("database", f"embedded PostgreSQL {status.version}: not running, started by the next command")]
    server = await start_embedded(settings.botarmy_home)
    name = f"embedded PostgreSQL {status.version} (process {status.pid}, runs on until `botarmy down`)"
    return await check_schema(server.url, name)


async def check_schema(url: str, name: str) -> list[Finding]:
    """Connect, and compare the schema's revision with the newest."""
    from storage import migrate

    at = await asyncio.to_thread(migrate.current, url)
    answers = ok("database", f"{name} answers")
    if at == migrate.HEAD:
        return [answers, ok("migrations", f"schema {at}, the newest")]
    if at is not None and at > migrate.HEAD:
        mend = "Use the BotArmy that made it, or a newer one."
        return [answers, fail("migrations", f"schema {at} is newer than this BotArmy ({migrate.HEAD})", mend)]
    state = f"schema {at} is older than {migrate.HEAD}" if at else "the database is empty"
    return [answers, warn("migrations", state, "`botarmy db upgrade`, or the next run, brings it up to date.")]


async def check_sandbox(_settings: Settings) -> list[Finding]:
    """Run `true` in the sandbox."""
    from sandbox.runner import Sandbox

    sandbox = Sandbox()
    with tempfile.TemporaryDirectory(prefix="botarmy-doctor-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        tree.chmod(0o755)  # the sandbox runs as somebody else
        done = await sandbox.run(tree, ("true",))
    if done.exit_code != 0:
        said = (done.stderr or done.stdout).strip()[-300:] or "it said nothing"
        mend = "Allow unprivileged user namespaces, or see docs/sandbox.md; generated code is refused until then."
        return [fail("sandbox", f"`true` ended with {done.exit_code} in the sandbox: {said}", mend)]
    return [ok("sandbox", f"`true` ran isolated by {done.isolation} in {done.duration_s:.2f} s")]


async def check_providers(settings: Settings) -> list[Finding]:
    """Make each role's provider, which needs its package and its key; nothing is sent."""
    return [check_provider(role, settings) for role in ROLES]


def check_provider(role: str, settings: Settings) -> Finding:
    """Make one role's provider."""
    from providers.registry import create_provider

    name = settings.provider_of(role)
    model = getattr(settings, f"{role}_agent_model", None)
    try:
        provider = create_provider(name, model, settings)
    except SettingsError as error:
        return fail(role, error.message, error.hint)
    if name == _OFFLINE:
        switch = f"{role.upper()}_AGENT_PROVIDER names another"
        return ok(role, f"{provider.name}/{provider.model}, a scaffold generator, no model; {switch}")
    return ok(role, f"{provider.name}/{provider.model}, key found (not tried)")


async def check_prefect(settings: Settings) -> list[Finding]:
    """Ask the Prefect API for its health where the user configured one, then look at what `botarmy up` keeps."""
    from cli.doctor_services import look_at_services
    from flows.server import foreign_api

    foreign = foreign_api(os.environ)
    address = foreign.url if foreign else str(settings.prefect_api_url or "")
    if address:
        found = [await asyncio.to_thread(ask_health, address)]
    else:
        found = [ok("prefect", "no PREFECT_API_URL: our own server is started when it is needed")]
    return found + await asyncio.to_thread(look_at_services, settings.botarmy_home.expanduser().absolute())


def ask_health(address: str) -> Finding:
    """Ask for the health of a Prefect API; an answer that wants credentials is an answer."""
    from urllib.error import HTTPError, URLError
    from urllib.parse import urlsplit
    from urllib.request import urlopen

    parts = urlsplit(address)
    shown = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
    mend = "Start it, or unset PREFECT_API_URL to use our own server."
    if parts.scheme not in {"http", "https"}:
        return fail("prefect", f"PREFECT_API_URL is no http address: {shown}", mend)
    try:
        with urlopen(f"{address.rstrip('/')}/health", timeout=_HTTP_TIMEOUT_S) as answer:  # noqa: S310 - http(s) only
            return ok("prefect", f"{shown} answers ({answer.status})")
    except HTTPError as error:
        if error.code in {401, 403}:
            return ok("prefect", f"{shown} answers and wants credentials ({error.code})")
        return fail("prefect", f"{shown} answers {error.code}", mend)
    except (URLError, OSError) as error:
        return fail("prefect", f"{shown} cannot be reached: {getattr(error, 'reason', error)}", mend)


EXAMINATIONS: dict[str, Examination] = {
    "home": check_home,
    "database": check_database,
    "sandbox": check_sandbox,
    "providers": check_providers,
    "prefect": check_prefect,
}
"""In the order they are shown."""
