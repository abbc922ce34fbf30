"""`botarmy up` and `down`: idempotent, healthy, supervised; stopped is what was started and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.server import PrefectServer, answers, process_started
from storage.embedded import start_embedded
from tests.factories.product import Product, wait_for
from tests.factories.sharing import a_home


@pytest.fixture(scope="module")
def own() -> Iterator[Product]:
    """Services of this module alone: their processes are killed here."""
    with a_home() as home:
        made = Product(home)
        done = made.run("up", "--detach", "--port", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
        made.run("down")


def state(product: Product) -> Any:
    """Return what services.json says."""
    return json.loads((product.home / "services.json").read_text("utf-8"))


def kill(pid: int) -> None:
    """Kill a process that this module's services have started."""
    os.kill(pid, signal.SIGKILL)


def worker_is_online(product: Product) -> bool:
    """Tell whether the Prefect server has a worker that sends heartbeats."""
    return any(w["status"] == "ONLINE" for w in product.api("POST", "/work_pools/botarmy/workers/filter", {}))


def test_up_again_changes_nothing_and_prints_the_addresses(own: Product) -> None:
    before = state(own)
    with ThreadPoolExecutor(2) as pool:
        answered = list(pool.map(lambda _: own.run("up", "--detach"), range(2)))
    assert [done.returncode for done in answered] == [0, 0], answered
    for done in answered:
        assert before["ui"] in done.stdout
        assert before["export"] in done.stdout
    assert state(own) == before
    auth = own.home / "prefect" / "auth"
    assert auth.stat().st_mode & 0o777 == 0o600
    assert auth.read_text("utf-8").split(":")[1] not in answered[0].stdout + json.dumps(before), "only its file has it"
    queues = {each["name"]: each["priority"] for each in own.api("POST", "/work_pools/botarmy/queues/filter", {})}
    assert queues["critical"] < queues["default"] < queues["low"]


def test_a_killed_worker_is_replaced_and_services_json_says_so(own: Product) -> None:
    for _ in range(2):
        before = state(own)["workers"]
        kill(before[0]["pid"])

        def replaced(before: Any = before) -> bool:
            now = state(own)["workers"]
            return now != before and all(process_started(w["pid"]) == w["started"] for w in now)

        wait_for(replaced, "another worker", 90)
    wait_for(lambda: worker_is_online(own), "the worker to show itself", 90)
    own.submit("after-the-worker")
    own.gate("after-the-worker", "Discovery")
    own.run("cancel", "after-the-worker", "--by", "Ann")


def test_a_killed_server_is_replaced_on_its_port(own: Product) -> None:
    before = state(own)
    kill(before["server"])

    def replaced() -> bool:
        now = state(own)
        return bool(now["server"] != before["server"] and answers(now["api"]))

    wait_for(replaced, "another Prefect server", 180)
    now = state(own)
    assert (now["api"], now["workers"]) == (before["api"], before["workers"])


def test_a_killed_postgres_is_started_again(own: Product) -> None:
    pid = int((own.home / "postgres" / "data" / "postmaster.pid").read_text("utf-8").split()[0])
    kill(pid)
    wait_for(lambda: own.run("projects", "--json").returncode == 0, "Postgres", 120)
    log = (own.home / "up.log").read_text("utf-8")
    assert "Postgres ended" in log or process_started(pid) is None
    own.submit("after-postgres")
    own.gate("after-postgres", "Discovery", timeout=180)
    own.run("cancel", "after-postgres", "--by", "Ann")


def test_after_a_killed_supervisor_up_leaves_one_worker_and_down_leaves_nothing(own: Product) -> None:
    before = state(own)
    kill(before["pid"])
    wait_for(lambda: process_started(before["pid"]) is None, "the supervisor to be gone", 30)
    told = own.json("doctor", code=None)["checks"]
    assert [each for each in told if each["name"] == "services" and each["status"] == "warn"], told

    assert own.run("up", "--detach").returncode == 0
    after = state(own)
    assert after["server"] == before["server"], "the server is used again"
    assert all(process_started(w["pid"]) is None for w in before["workers"])

    kill(after["workers"][0]["pid"])  # down must not wait for the pause before its restart
    kill(after["pid"])
    wait_for(lambda: process_started(after["pid"]) is None, "the supervisor to be gone", 30)
    done = own.run("down")
    assert done.returncode == 0, done.stderr
    assert not answers(after["api"])
    assert not (own.home / "services.json").exists()
    for pid in (after["pid"], after["server"], *(w["pid"] for w in after["workers"])):
        assert process_started(pid) is None
    assert "Nothing" in own.run("down").stdout
    assert own.run("up", "--detach").returncode == 0


def test_a_server_and_a_postgres_of_the_users_own_are_used_and_left_alone(own: Product, tmp_path: Path) -> None:
    theirs = state(own)
    auth = PrefectServer(own.home).auth
    url = asyncio.run(start_embedded(own.home)).url
    guest = Product(
        tmp_path,
        PREFECT_API_URL=theirs["api"],
        PREFECT_API_AUTH_STRING=auth,
        DATABASE_URL=url,
        PREFECT_HOME=str(tmp_path / "prefect"),
    )
    try:
        done = guest.run("up", "--detach", "--prefect", "external")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"export PREFECT_API_URL={theirs['api']}" in done.stdout
        guests = state(guest)
        assert (guests["api"], guests["ours"], guests["postgres"]) == (theirs["api"], False, "DATABASE_URL")
        assert not (tmp_path / "postgres").exists()
        made = guest.submit("from-outside")
        assert made["url"].startswith(theirs["ui"])
        guest.gate("from-outside", "Discovery")
        guest.run("cancel", "from-outside", "--by", "Ann")
    finally:
        left = guest.run("down")
    assert left.stdout == "Stopped: supervisor, worker.\n"
    assert answers(theirs["api"])
    assert own.run("projects").returncode == 0


def test_what_cannot_start_says_why(own: Product, tmp_path: Path) -> None:
    taken = state(own)["api"].rsplit(":", 1)[1].split("/")[0]
    with a_home() as home:
        other = Product(home)
        done = other.run("up", "--detach", "--port", taken)
        assert done.returncode == 2, done.stderr
        assert f"Port {taken} is taken" in done.stderr
        other.run("down")
    lost = Product(tmp_path, PREFECT_API_URL="http://127.0.0.1:1/api")
    done = lost.run("up", "--detach", "--prefect", "external")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    lost.run("down")


def test_down_stops_what_up_started_and_leaves_what_others_use(own: Product) -> None:
    before = state(own)
    with PrefectServer(own.home).use("") as api:  # as a `botarmy run` does
        done = own.run("down")
        assert "worker" in done.stdout
        assert "Left running" in done.stdout
        assert all(process_started(w["pid"]) is None for w in before["workers"])
        assert answers(api.url)
    assert not answers(before["api"]), "the last one who used it stops it"
    assert own.run("down").stdout == "Stopped: Postgres.\n"
