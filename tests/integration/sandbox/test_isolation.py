"""Generated code tries to get out: each test runs a program inside that reports how far it came."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.runner import Limits, Sandbox
from tests.factories.processes import carrying, running
from tests.factories.sandboxed import Run

ROOT = Path(__file__).resolve().parents[3]


async def told(run: Run, source: str, **options: Any) -> Any:
    """Return the JSON that a program prints."""
    execution = await run(source, **options)
    assert execution.exit_code == 0, execution.stderr
    return json.loads(execution.stdout)


@pytest.fixture
def host_port() -> Iterator[int]:
    """Return the port of a service of the host."""
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


CONNECT = """
import json, socket
def reach(family, address):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(3)
            one.connect(address)
        return "reached"
    except OSError as error:
        return type(error).__name__
"""


async def test_no_network_but_its_own_loopback(run: Run, host_port: int) -> None:
    with socket.create_connection(("127.0.0.1", host_port), timeout=3):
        pass  # it is there, for us
    source = f"""{CONNECT}
own = socket.create_server(("127.0.0.1", 0))
print(json.dumps({{
    "host": reach(socket.AF_INET, ("127.0.0.1", {host_port})),
    "outside": reach(socket.AF_INET, ("192.0.2.1", 80)),
    "outside6": reach(socket.AF_INET6, ("2001:db8::1", 80)),
    "own": reach(socket.AF_INET, own.getsockname()),
    "interfaces": [name for _, name in socket.if_nameindex()],
}}))"""
    found = await told(run, source)
    assert found["host"] == "ConnectionRefusedError"
    assert found["outside"] == "OSError"
    assert found["outside6"] == "OSError"
    assert found["own"] == "reached"
    assert found["interfaces"] == ["lo"]


async def test_names_do_not_resolve(run: Run) -> None:
    found = await told(
        run,
        """
import json, socket
try:
    socket.getaddrinfo("example.org", 80)
    print(json.dumps("resolved"))
except OSError as error:
    print(json.dumps(type(error).__name__))""",
    )
    assert found == "gaierror"


async def test_no_unix_socket_of_the_host(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    folders = [tmp_path, Path("/tmp"), home / "postgres"]  # noqa: S108
    folders += [path for path in (Path("/run"), Path("/var/run"), Path("/dev/shm")) if os.access(path, os.W_OK)]  # noqa: S108
    (home / "postgres").mkdir(parents=True)
    monkeypatch.setenv("BOTARMY_HOME", str(home))
    servers = []
    places: list[str] = []
    for number, folder in enumerate(folders):
        server = socket.socket(socket.AF_UNIX)
        monkeypatch.chdir(folder)  # the address of a socket is short
        name = f".s.botarmy-test-{os.getpid()}-{number}"
        server.bind(name)
        server.listen()
        servers.append(server)
        places.append(str(folder / name))
    abstract = f"botarmy-test-{os.getpid()}"
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0" + abstract)
    server.listen()
    servers.append(server)
    try:
        source = f"""{CONNECT}
import os, stat
print(json.dumps({{
    "named": [reach(socket.AF_UNIX, place) for place in {places!r} if len(place) < 100],
    "abstract": reach(socket.AF_UNIX, "\\0{abstract}"),
    "seen": [os.path.join(folder, name) for folder, _, names in os.walk("/") if not folder.startswith(("/proc", "/usr"))
             for name in names if stat.S_ISSOCK(os.lstat(os.path.join(folder, name)).st_mode)],
}}))"""
        found = await told(run, source)
    finally:
        for server in servers:
            server.close()
        for place in places:
            os.unlink(place)  # noqa: PTH108 (no loop is held up by it)
    assert set(found["named"]) == {"FileNotFoundError"}
    assert found["abstract"] == "ConnectionRefusedError"
    assert found["seen"] == []


async def test_nothing_of_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-8d1f")
    monkeypatch.setenv("BOTARMY_HOME", "/somewhere/canary-8d1f")
    source = """
import json, os, glob
text = b""
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try:
        text += open(path, "rb").read()
    except OSError:
        pass
print(json.dumps({"names": sorted(os.environ), "all": text.decode("utf-8", "replace"), "home": os.path.expanduser("~")}))
"""
    found = await told(run, source, env={"GIVEN": "yes"})
    assert set(found["names"]) - {"LC_CTYPE", "PWD"} == {
        "GIVEN",
        "LANG",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONNOUSERSITE",
        "PYTHONUNBUFFERED",
        "TMPDIR",
    }
    assert "canary" not in found["all"]
    assert found["home"] == "/scratch"


async def test_an_unprivileged_user_that_cannot_become_more(run: Run) -> None:
    source = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
def tried(call, *arguments):
    try:
        call(*arguments)
        return "done"
    except OSError as error:
        return type(error).__name__
print(json.dumps({
    "uid": os.getuid(), "map": open("/proc/self/uid_map").read().split(),
    "setuid": tried(os.setuid, 0), "chroot": tried(os.chroot, "/scratch"),
    "userns": libc.unshare(0x10000000), "netns": libc.unshare(0x40000000),
    "mount": libc.mount(b"none", b"/scratch", b"tmpfs", 0, None),
    "caps": [line for line in open("/proc/self/status") if line.startswith(("CapEff", "CapPrm", "CapBnd", "NoNewPrivs"))],
}))"""
    found = await told(run, source)
    assert found["uid"] == 1000
    assert found["map"][0::2] == ["1000", "1"]
    assert found["setuid"] == "OSError"  # no such user exists inside
    assert found["chroot"] == "PermissionError"
    assert (found["userns"], found["netns"], found["mount"]) == (-1, -1, -1)
    assert [line.split()[1] for line in found["caps"]] == ["0" * 16] * 3 + ["1"]


async def test_the_host_sees_a_user_without_rights(run: Run) -> None:
    marker = f"who-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import os, sys, time
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, "main.py", "{marker}"])
time.sleep(20)"""
    task = asyncio.create_task(run(source))
    try:
        owners: set[int] = set()
        while not owners:
            await asyncio.sleep(0.05)
            owners = {path.stat().st_uid for path in carrying(marker)}
    finally:
        task.cancel()
    if os.geteuid() == 0:
        assert min(owners) >= 20_000
    else:
        assert owners == {os.geteuid()}


async def test_no_file_of_the_host(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    wanted = [
        str(secret),
        "/etc/shadow",
        "/root/.ssh",
        "/home",
        "/var",
        "/run",
        "/mnt",
        "/sys",
        str(ROOT),
        "/boot",
        "/proc/1/root/etc/shadow",
    ]
    found = await told(
        run, f"import json, os\nprint(json.dumps([path for path in {wanted!r} if os.path.exists(path)]))"
    )
    assert found == []
    listed = await told(run, "import json, os\nprint(json.dumps(sorted(os.listdir('/'))))")
    assert set(listed) <= {
        "bin",
        "dev",
        "etc",
        "lib",
        "lib64",
        "lib32",
        "opt",
        "proc",
        "root",
        "scratch",
        "tmp",
        "usr",
        "work",
    } | set(Path(sys.base_prefix).parts)


@pytest.mark.parametrize("writable", [False, True])
async def test_only_scratch_can_be_written(run: Run, *, writable: bool) -> None:
    source = """
import json, os
written = set()
for folder, _, _ in os.walk("/"):
    if folder.startswith("/proc"):
        continue
    try:
        path = os.path.join(folder, "written-by-test")
        open(path, "w").close()
        os.unlink(path)
        written.add(folder)
    except OSError:
        pass
try:
    open("main.py", "a").write("#")
    changed = True
except OSError:
    changed = False
print(json.dumps({"folders": sorted(written), "changed": changed}))"""
    found = await told(run, source, writable=writable)
    own = ["/work/app"] if writable else []
    assert found["folders"] == ["/dev/shm", "/scratch", "/scratch/tmp", *own]  # noqa: S108
    assert found["changed"] is writable


async def test_a_writable_run_leaves_the_tree_as_it_was(run: Run, tmp_path: Path) -> None:
    await run("import os\nos.unlink('main.py')\nopen('new', 'w').close()", writable=True)
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["main.py"]


async def test_links_in_the_tree_lead_nowhere(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "out").symlink_to(secret)
    (tmp_path / "tree" / "up").symlink_to("../secret")
    found = await told(run, "import json, os\nprint(json.dumps([os.path.exists('out'), os.path.exists('up')]))")
    assert found == [False, False]


async def test_no_process_of_the_host(run: Run) -> None:
    source = """
import json, os, signal
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
try:
    os.kill(-1, 0)
    reach = "some"
except OSError as error:
    reach = type(error).__name__
tried = []
for path in ("/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/1/mem"):
    try:
        open(path, "wb", buffering=0).write(b"x")
        tried.append(path)
    except OSError:
        pass
print(json.dumps({"pids": pids, "ppid": os.getppid(), "written": tried}))"""
    found = await told(run, source)
    assert max(found["pids"]) < 10
    assert os.getpid() not in found["pids"] or os.getpid() < 10
    assert found["written"] == []


async def test_two_runs_do_not_meet(sandbox: Sandbox, tmp_path: Path) -> None:
    source = """
import os, time
open("/scratch/mark", "w").close()
time.sleep(0.3)
print(len([name for name in os.listdir("/proc") if name.isdigit()]), sorted(os.listdir("/scratch")))"""
    (tmp_path / "main.py").write_text(source)
    both = await asyncio.gather(*(sandbox.run(tmp_path, ["python", "main.py"]) for _ in range(2)))
    assert [one.stdout.strip() for one in both] == ["2 ['mark', 'tmp']"] * 2


async def test_a_fork_bomb_is_contained(run: Run) -> None:
    source = """
import os
count = 0
while True:
    try:
        if os.fork() == 0:
            import time
            time.sleep(30)
    except OSError:
        break
    count += 1
print(count)"""
    execution = await run(source, limits=Limits(processes=20, wall_s=10))
    assert execution.exit_code == 0
    assert 10 <= int(execution.stdout) <= 20
    assert execution.duration_s < 5


async def test_a_running_fork_bomb_ends_with_the_time(run: Run) -> None:
    marker = f"bomb-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import os, sys
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, "main.py", "{marker}"])
while True:
    try:
        os.fork()
    except OSError:
        pass"""
    execution = await run(source, limits=Limits(processes=20, wall_s=1.5))
    assert execution.timed_out
    assert execution.stopped == "longer than 1.5 s"
    assert running(marker) == []


async def test_memory_of_one_process(run: Run) -> None:
    execution = await run("x = bytearray(400 << 20)", limits=Limits(memory_mb=128))
    assert execution.exit_code == 1
    assert "MemoryError" in execution.stderr


async def test_memory_of_all_together(run: Run) -> None:
    source = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        x = bytearray(os.urandom(1)) * (100 << 20)
        time.sleep(20)
time.sleep(20)"""
    execution = await run(source, limits=Limits(memory_mb=150, wall_s=15))
    assert execution.stopped == "more than 150 MB of memory"
    assert execution.duration_s < 5


FILL = """
import json, os
def fill(folder):
    total = 0
    try:
        for number in range(1000):
            with open(f"{folder}/fill-{number}", "wb", buffering=0) as stream:
                for _ in range(8):
                    total += stream.write(b"x" * (1 << 20))
    except OSError as error:
        return total >> 20, error.errno
    return total >> 20, 0
"""


async def test_disk_is_limited(run: Run) -> None:
    found = await told(
        run, f'{FILL}\nprint(json.dumps([fill("/scratch"), fill("/dev/shm")]))', limits=Limits(file_mb=20)
    )
    assert found == [[20, 28], [4, 28]]  # 28: no space left


async def test_one_file_is_limited(run: Run) -> None:
    source = """
import signal
try:
    with open("/scratch/one", "wb", buffering=0) as stream:
        for _ in range(64):
            stream.write(b"x" * (1 << 20))
except OSError as error:
    print(error.errno)"""
    execution = await run(source, limits=Limits(file_mb=8))
    assert execution.stdout.strip() in {"27", "28"}  # too large, or no space left


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_endless_output_ends_the_run(run: Run, stream: str) -> None:
    source = f"import sys\nwhile True: sys.{stream}.write('x' * 1000)"
    execution = await run(source, limits=Limits(output_bytes=50_000))
    assert execution.truncated
    assert len(getattr(execution, stream)) == 50_000
    assert execution.exit_code != 0
    assert "50000 bytes" in execution.stopped
    assert execution.duration_s < 5
