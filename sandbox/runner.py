"""Running a command on a generated tree, behind walls and within limits."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from botarmy.errors import IsolationMissing
from sandbox import bubblewrap
from sandbox.bubblewrap import Bind
from sandbox.layout import WALLED, Layout, base_environment, open_layout
from sandbox.limits import DEFAULT_LIMITS, Execution, Limits
from sandbox.supervision import ReportPipe, supervise

__all__ = ["Execution", "Limits", "Sandbox"]


class Sandbox:
    """Runs commands on generated trees.

    Attributes:
        unsafe: run without walls where there can be none; the executions say isolation "none".
    """

    def __init__(self, *, unsafe: bool = False, programs: Sequence[Path] | None = None) -> None:
        """Take `programs` in place of the bubblewrap programs that this machine has (for tests)."""
        self.unsafe = unsafe
        self._programs = tuple(bubblewrap.candidates()) if programs is None else tuple(programs)

    def isolation(self) -> str:
        """Return e.g. "bubblewrap 0.11.0", or "none" where no program can build the walls here."""
        found = working_bubblewrap(self._programs)
        return found[1] if found else "none"

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
        found = working_bubblewrap(self._programs)
        if found:
            yield Session(tree, WALLED, found[0], found[1])
            return
        if not self.unsafe:
            raise IsolationMissing(
                "generated code cannot be isolated here: bubblewrap does not work on this machine",
                hint="Install bubblewrap and allow user namespaces, or accept the risk with --unsafe-no-sandbox.",
            )
        scratch = Path(tempfile.mkdtemp(prefix="botarmy-scratch-"))
        try:
            yield Session(tree, open_layout(tree.resolve(), scratch), None, "none")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


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
        with ReportPipe() if report else contextlib.nullcontext() as pipe:
            words = self._command(command, env, limits, writable=writable, extra=extra, pipe=pipe)
            return await supervise(words, limits, self.isolation, stdin=stdin, pipe=pipe)

    def _command(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        limits: Limits,
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


@lru_cache(maxsize=8)
def working_bubblewrap(programs: tuple[Path, ...]) -> tuple[Path, str] | None:
    """Return the first program that builds our walls here, with its version; tried for real, once."""
    for program in programs:
        version = bubblewrap.version_of(program)
        if version and bubblewrap.builds_walls(program):
            return program, version
    return None
