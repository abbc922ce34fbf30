"""How long people wait at gates: from a submitted brief to the first phase, from an approval to the next phase.

    python benchmarks/gates.py [--runs 5] [--gates 200] [--projects 10000] [--start forked|engine|prefect]
        [--all-authorities] [--json]

Starts services of its own (`botarmy up` with a home in a temporary folder) and stops them. Times of runs are from the start
of the command, or of the HTTP request, to `started_at` of the phase in Postgres; medians and 95th percentiles in ms. What
the services take while nothing is to be done is measured over a minute.
--start says how the worker starts a run: as `up` sets it up (forked), with Prefect's engine at once, or as Prefect does if
nothing is said. --all-authorities lets Prefect's clients load all certificate authorities, as they do if nothing is said.
With one of these only the times at gates are measured.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import certifi
import psutil
import psycopg

from botarmy.records import Decision, Verdict, digest
from flows.api import call, find_api, read_flow_run, resume, submit
from flows.server import TRUST, PrefectApi
from storage.database import Database
from storage.embedded import start_embedded
from tests.factories.environ import without_settings

BRIEF = "# Books\nEach book has a required title.\nA book's state is one of draft, printed.\n"
PATIENCE_S = 180.0
SETTLED_S, IDLE_S = 15.0, 60.0
"""As long as upkeep pauses, so that one is in it."""


class Services:
    """The services under measurement and a look into their tables."""

    def __init__(self, home: Path, *, all_authorities: bool = False) -> None:
        self.environ = without_settings(os.environ) | {"BOTARMY_HOME": str(home)}
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        if all_authorities:
            self.environ[TRUST] = certifi.where()
        self.home = home
        self.url = ""
        self.api = PrefectApi(url="")

    def botarmy(self, *words: str) -> str:
        """Run a command to its end and return what it printed."""
        command = [sys.executable, "-m", "cli.main", *words]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            sys.exit(f"botarmy {' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def ask(self, query: str, *values: object) -> Any:
        """Return the first value that a query finds, or None."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query, values).fetchone()
        return None if row is None else row[0]

    def started(self, project: str, phase: str) -> float:
        """Wait until the phase's newest attempt has started; return when (seconds since the epoch)."""
        query = (
            "SELECT extract(epoch FROM t.started_at)::float8 FROM tasks t JOIN projects p ON p.id = t.project_id "
            "WHERE p.slug = %s AND t.phase = %s ORDER BY t.attempt DESC LIMIT 1"
        )
        return float(wait(lambda: self.ask(query, project, phase), f"{project}/{phase} to start"))

    def suspended(self, project: str, phase: str) -> str:
        """Wait until the run is suspended at the phase's gate; return the flow run's id."""
        query = (
            "SELECT h.flow_run_id FROM hitl_requests h JOIN projects p ON p.id = h.project_id "
            "WHERE p.slug = %s AND h.phase = %s AND h.status = 'waiting' AND h.flow_run_id <> ''"
        )
        run = str(wait(lambda: self.ask(query, project, phase), f"the gate {project}/{phase}"))

        def paused() -> bool:
            found = read_flow_run(self.api, run)
            return found is not None and found["state_type"] == "PAUSED"

        wait(paused, f"{project} to be suspended")
        return run


def wait(look: Callable[[], Any], what: str) -> Any:
    """Look every 20 ms until there is something."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    sys.exit(f"waited {PATIENCE_S:.0f} s in vain for {what}")


@contextlib.contextmanager
def services(*, all_authorities: bool) -> Iterator[Services]:
    """Start everything in a home of its own, and stop and remove it."""
    home = Path(tempfile.mkdtemp(prefix="botarmy-bench-"))
    home.chmod(0o755)
    made = Services(home, all_authorities=all_authorities)
    try:
        made.botarmy("up", "--detach")
        made.url = asyncio.run(start_embedded(home)).url
        made.api = find_api(home, {})
        yield made
    finally:
        made.botarmy("down")
        shutil.rmtree(home, ignore_errors=True)


def start_runs(at: Services, how: str) -> None:
    """Let the worker start runs in this way; see STARTS."""
    deployment = call(at.api, "GET", "/deployments/name/sdlc/default")
    variables = {name: value for name, value in deployment["job_variables"].items() if name != "command"} | STARTS[how]
    call(at.api, "PATCH", f"/deployments/{deployment['id']}", {"job_variables": variables})


STARTS = {"engine": {"command": f"{sys.executable} -m prefect.engine"}, "prefect": {}}
"""How a worker starts a run -> the deployment's job variables."""


def measure_gates(at: Services, runs: int) -> dict[str, list[float]]:
    """Carry projects through two gates: one approved by the command, one by REST as the web interface does."""
    brief = at.home / "brief.md"
    brief.write_text(BRIEF, "utf-8")
    times: dict[str, list[float]] = {"submit → first phase": [], "approve (command) → next phase": []}
    times["approve (REST) → next phase"] = []
    times |= {part: [] for part in PARTS}
    for number in range(runs):
        project = f"gated-{number}"
        begun = time.time()
        at.botarmy("submit", str(brief), "--project", project)
        times["submit → first phase"].append(at.started(project, "Discovery") - begun)
        at.suspended(project, "Discovery")
        begun = time.time()
        at.botarmy("approve", project, "--by", "Ann")
        times["approve (command) → next phase"].append(at.started(project, "Plan") - begun)
        run = at.suspended(project, "Plan")
        begun = wait(lambda: answered(at.api, run), "Prefect to take the answer")  # noqa: B023 (called at once)
        started = at.started(project, "Design")
        times["approve (REST) → next phase"].append(started - begun)
        taken, running = entered(at.api, run, "PENDING", begun), entered(at.api, run, "RUNNING", begun)
        times[PARTS[0]].append(taken - begun)
        times[PARTS[1]].append(running - taken)
        times[PARTS[2]].append(started - running)
        at.suspended(project, "Design")
        at.botarmy("cancel", project, "--by", "Ann")
    return times


PARTS = (
    "  of it: until the worker takes the run",
    "  of it: until its process has started and Prefect runs the flow",
    "  of it: until our tables are open, the decision is carried out",
)


def entered(api: PrefectApi, run: str, state: str, after: float) -> float:
    """Return when the run entered a state after a moment (seconds since the epoch, by the Prefect server's clock)."""
    states = call(api, "GET", f"/flow_run_states/?flow_run_id={run}")
    times = [datetime.fromisoformat(each["timestamp"]).timestamp() for each in states if each["type"] == state]
    return min(each for each in times if each >= after)


def answered(api: PrefectApi, run: str) -> float | None:
    """Answer the form; return when the answer that Prefect took was sent. It refuses until it has saved the form."""
    begun = time.time()
    return begun if resume(api, run, {"decision": "approve", "reviewer": "Ann"}) else None


def measure_phases(at: Services, runs: int) -> dict[str, list[float]]:
    """Let the evidence decide: from the end of a phase's attempt to the start of the next, within one process."""
    query = (
        "SELECT extract(epoch FROM b.started_at - a.finished_at)::float8 FROM tasks a JOIN tasks b USING (project_id) "
        "JOIN projects p ON p.id = a.project_id WHERE p.slug = %s AND a.phase = %s AND b.phase = %s"
    )
    gaps = []
    for number in range(runs):
        project = f"flowing-{number}"
        parameters = {"brief": BRIEF, "name": project, "gates": "suspend", "approval": "when_needed"}
        submit(at.api, "sdlc/default", parameters, name=project)
        at.started(project, "Build")
        gaps += [float(at.ask(query, project, *pair)) for pair in (("Discovery", "Plan"), ("Plan", "Design"))]
        at.botarmy("cancel", project, "--by", "Ann")
    return {"phase → phase, no person": gaps}


async def measure_creation(url: str, gates: int) -> dict[str, list[float]]:
    """Open gates in our tables, each in a transaction of its own with its audit event."""
    database = Database(url)
    verdict = Verdict(decision=Decision.needs_approval, reasons=("the workflow asks for a person",))
    async with database.work() as work:
        project = await work.projects.create("Many gates", "many-gates", BRIEF, "sdlc", {})
        attempt = await work.attempts.open(project.id, "Discovery", "analyst", ())
    times = []
    for number in range(1, gates + 1):
        begun = time.perf_counter()
        async with database.work() as work:
            await work.gates.open(
                project.id, attempt.id, "Discovery", 1, verdict, {"project_plan": digest("plan")}, ask=number
            )
        times.append(time.perf_counter() - begun)
    async with database.work() as work:
        for gate in await work.gates.open_for(project.id):
            await work.gates.cancel(gate.id, "measured", by="benchmark")
    await database.close()
    return {"gate creation (transaction)": times}


FILL = (
    "INSERT INTO projects (id, name, slug, status, brief, brief_sha256, workflow) "
    "SELECT gen_random_uuid(), 'Filled ' || n, 'filled-' || n, 'waiting', 'A brief.', md5(n::text), 'sdlc' "
    "FROM generate_series(1, %(count)s) n",
    "INSERT INTO tasks (id, project_id, phase, agent_type, attempt, status) "
    "SELECT gen_random_uuid(), id, 'Discovery', 'analyst', 1, 'waiting' FROM projects WHERE slug LIKE 'filled-%%'",
    "INSERT INTO hitl_requests (id, project_id, task_id, phase, attempt, status, verdict, hashes_sha256) "
    "SELECT gen_random_uuid(), p.id, t.id, t.phase, 1, 'waiting', "
    """'{"decision": "needs approval", "reasons": ["the workflow asks for a person"]}', md5(p.slug) """
    "FROM projects p JOIN tasks t ON t.project_id = p.id WHERE p.slug LIKE 'filled-%%'",
)


def measure_inbox(at: Services, projects: int, runs: int) -> dict[str, list[float]]:
    """Fill the tables with waiting projects by SQL, then list them as a person does: whole processes."""
    with psycopg.connect(at.url) as connection:
        for statement in FILL:
            connection.execute(statement, {"count": projects})
    with psycopg.connect(at.url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    times: dict[str, list[float]] = {}
    for words in (("inbox",), ("inbox", "--limit", "10000", "--json")):
        name = f"botarmy {' '.join(words)}, {projects:,} waiting"
        times[name] = []
        at.botarmy(*words)
        for _ in range(max(runs, 5)):
            begun = time.perf_counter()
            at.botarmy(*words)
            times[name].append(time.perf_counter() - begun)
    return times


def measure_idle(at: Services) -> float:
    """Return how much of one processor the services take while nothing is to be done, in percent."""
    services = json.loads((at.home / "services.json").read_text("utf-8"))
    postmaster = int((at.home / "postgres" / "data" / "postmaster.pid").read_text("utf-8").split()[0])
    roots = [psutil.Process(pid) for pid in (services["pid"], services["server"], postmaster)]

    def spent() -> float:
        total = 0.0
        for each in {process for root in roots for process in (root, *root.children(recursive=True))}:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])  # its own and that of its children that have ended
        return total

    time.sleep(SETTLED_S)
    before = spent()
    time.sleep(IDLE_S)
    return 100 * (spent() - before) / IDLE_S


def figures(times: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Return median and 95th percentile of each, in ms."""
    rows = []
    for name, seconds in times.items():
        ordered = sorted(seconds)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        row = {"what": name, "times": len(ordered), "median_ms": round(statistics.median(ordered) * 1000, 1)}
        rows.append(row | {"p95_ms": round(p95 * 1000, 1)})
    return rows


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--gates", type=int, default=200)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--start", choices=["forked", *STARTS], default="forked")
    parser.add_argument("--all-authorities", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with services(all_authorities=given.all_authorities) as at:
        if given.start != "forked":
            start_runs(at, given.start)
        compared = given.start != "forked" or given.all_authorities
        idle = None if compared else measure_idle(at)
        times = measure_gates(at, given.runs)
        if not compared:
            times |= measure_phases(at, given.runs)
            times |= asyncio.run(measure_creation(at.url, given.gates))
            times |= measure_inbox(at, given.projects, given.runs)
    machine = f"{os.cpu_count()} cores, {platform.platform(terse=True)}, Python {platform.python_version()}"
    machine += f", load {os.getloadavg()[0]:.1f}"
    if given.json:
        told = {"machine": machine, "idle_percent": idle, "figures": figures(times)}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    print(machine)
    print(f"{'':<64}{'times':>6}{'median ms':>11}{'p95 ms':>10}")
    for row in figures(times):
        print(f"{row['what']:<64}{row['times']:>6}{row['median_ms']:>11}{row['p95_ms']:>10}")
    if idle is not None:
        print(f"services with nothing to do: {idle:.0f} % of a processor over {IDLE_S:.0f} s")


if __name__ == "__main__":
    main()
