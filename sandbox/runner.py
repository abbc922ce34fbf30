"""Running a command on a generated tree, behind walls and within limits."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from botarmy.errors import IsolationMissing
from sandbox import bubblewrap
from sandbox.bubblewrap import Bind
from sandbox.layout import WALLED, Layout, base_environment, open_layout
from sandbox.limits import DEFAULT_LIMITS, Execution, Limits
from sandbox.supervision import Lifeline, ReportPipe, supervise
from sandbox.workspace import workspace

__all__ = ["Execution", "Limits", "Sandbox"]


class Sandbox:
    """Runs commands on generated trees.

    Attributes:
        unsafe: run without walls where there can be none; the executions say isolation "none".
        programs: the bubblewrap programs to try, in their order.
    """

    def __init__(self, *, unsafe: bool = False, programs: Sequence[Path] | None = None) -> None:
        """Take `programs` in place of the bubblewrap programs that this machine has (for tests)."""
        self.unsafe = unsafe
        self.programs = tuple(bubblewrap.candidates()) if programs is None else tuple(programs)

    def isolation(self) -> str:
        """Return e.g. "bubblewrap 0.11.0", or "none" where no program can build the walls here."""
        return find_bubblewrap(self.programs).isolation

    def require(self) -> None:
        """Make sure that code may be run here.

        Raises:
            IsolationMissing: there are no walls here and `unsafe` is False.
        """
        found = find_bubblewrap(self.programs)
        if found.program is None and not self.unsafe:
            raise IsolationMissing(
                f"generated code cannot be isolated here, so it is not run: {'; '.join(found.faults)}",
                hint="Install bubblewrap, allow user namespaces and let other users read BotArmy's files and its Python; "
                "or accept the risk with --unsafe-no-sandbox.",
            )

    async def run(
        self,
        tree: Path,
        command: Sequence[str],
        *,
        env: Mapping[str, str] = {},
        limits: Limits = DEFAULT_LIMITS,
        writable: bool = False,
    ) -> Execution:
        """Run a command with the tree as working directory.

        Args:
            tree: the generated tree, seen read-only.
            command: words; "python", "python3" and "ruff" are our interpreter and linter.
            env: the variables besides our own; nothing is inherited.
            limits: what the run may use.
            writable: give the run a copy of the tree that it may change.

        Raises:
            IsolationMissing: there are no walls here and `unsafe` is False.
        """
        with self.session(tree) as session:
            return await session.run(command, env=env, limits=limits, writable=writable)

    @contextlib.contextmanager
    def session(self, tree: Path) -> Iterator[Session]:
        """Prepare a run on a tree: its layout is known before the command is made.

        Raises:
            IsolationMissing: there are no walls here and `unsafe` is False.
        """
        self.require()
        found = find_bubblewrap(self.programs)
        if found.program:
            with readable(tree.resolve()) as shown:
                yield Session(shown, WALLED, found.program, found.isolation)
            return
        with workspace() as scratch:
            yield Session(tree, open_layout(tree.resolve(), scratch), None, "none")


class Session:
    """One prepared run.

    Attributes:
        layout: where things lie for the command.
        isolation: e.g. "bubblewrap 0.11.0", or "none".
    """

    def __init__(self, tree: Path, layout: Layout, bwrap: Path | None, isolation: str) -> None:
        self.tree = tree.resolve()
        self.layout = layout
        self.isolation = isolation
        self._bwrap = bwrap

    async def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] = {},
        limits: Limits = DEFAULT_LIMITS,
        writable: bool = False,
        extra: Sequence[Bind] = (),
        stdin: bytes = b"",
        report: bool = False,
    ) -> Execution:
        """Run the command; see `Sandbox.run`.

        Args:
            command: words.
            env: the variables besides our own.
            limits: what the run may use.
            writable: give the run a copy of the tree that it may change.
            extra: further read-only mounts (only behind walls).
            stdin: what the command reads.
            report: open a descriptor, known to the command by REPORT_FD, whose text comes back as `report`.
        """
        with Lifeline() as lifeline, ReportPipe() if report else contextlib.nullcontext() as pipe:
            words = self._command(command, env, limits, lifeline, writable=writable, extra=extra, pipe=pipe)
            mark = "" if self._bwrap else self.layout.scratch
            return await supervise(words, limits, self.isolation, lifeline=lifeline, stdin=stdin, pipe=pipe, mark=mark)

    def _command(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        limits: Limits,
        lifeline: Lifeline,
        *,
        writable: bool,
        extra: Sequence[Bind],
        pipe: ReportPipe | None,
    ) -> list[str]:
        layout = self.layout
        own = {"python": layout.python, "python3": layout.python, "ruff": layout.ruff}
        wanted = [own.get(command[0], command[0]), *command[1:]]
        variables = {**base_environment(layout), **env}
        if pipe:
            variables["REPORT_FD"] = str(pipe.writer)
        plan: dict[str, object] = {
            "limits": limits.kernel(processes=self._bwrap is not None),
            "folders": [],
            "copy": None,
            "chdir": layout.app,
            "lifeline": lifeline.reader,
            "tie": self._bwrap is None,
        }
        launch = [layout.python, "-I", "-S", f"{layout.package}/sandbox/launch/limit.py"]
        if self._bwrap is None:
            copy = f"{layout.scratch}/app"
            plan |= {"folders": [variables["TMPDIR"]], "environment": variables}
            plan |= {"copy": [layout.app, copy], "chdir": copy} if writable else {}
            return [*launch, json.dumps(plan), *wanted]
        if writable:
            plan["copy"] = [bubblewrap.SOURCE, layout.app]
        home = bubblewrap.SOURCE if writable else layout.app
        binds = [*bubblewrap.system_binds(), *bubblewrap.tool_binds(), Bind(self.tree, home), *extra]
        outer = [str(self._bwrap)]
        if os.geteuid() == 0:
            outer, binds = bubblewrap.staged(self._bwrap, binds)
        walls = bubblewrap.walls(binds, limits, variables, writable=writable)
        return [*outer, *walls, "--", *launch, json.dumps(plan), *wanted]


@dataclass(frozen=True)
class Found:
    """What the search for a working bubblewrap came to: a program and its version, or the faults of all."""

    program: Path | None
    isolation: str
    faults: tuple[str, ...] = ()


@lru_cache(maxsize=8)
def find_bubblewrap(programs: tuple[Path, ...]) -> Found:
    """Return the first program that builds our walls here; tried for real, once."""
    faults = []
    for program in programs:
        version = bubblewrap.version_of(program)
        fault = bubblewrap.fault_of(program) if version else "it does not start"
        if not fault:
            return Found(program, version)
        faults.append(f"{program}: {fault}")
    return Found(None, "none", tuple(faults) or ("there is no bwrap program",))


@contextlib.contextmanager
def readable(tree: Path) -> Iterator[Path]:
    """Yield the tree, or a copy that any user can read where we are root and the tree is for root alone."""
    if os.geteuid() != 0 or all(_open_to_all(path) for path in (tree, *tree.rglob("*"))):
        yield tree
        return
    with workspace() as folder:
        copy = folder / "tree"
        shutil.copytree(tree, copy, symlinks=True)
        open_to_all(copy)
        yield copy


def _open_to_all(path: Path) -> bool:
    mode = path.lstat().st_mode
    wanted = 0o005 if stat.S_ISDIR(mode) else 0o004
    return stat.S_ISLNK(mode) or mode & wanted == wanted


def open_to_all(root: Path) -> None:
    """Let every user read a tree."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
