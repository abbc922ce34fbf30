"""Reads .bmad-core directories, layer over layer. What the files mean is decided in botarmy.definitions."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from botarmy.definitions.compile import Compiled
from botarmy.definitions.explain import Explanation, explain
from botarmy.definitions.library import Layer, Library, classify
from botarmy.definitions.limits import LIMITS, Limits
from botarmy.definitions.lint import LintReport, lint
from botarmy.definitions.models import TeamMember, Template
from botarmy.definitions.resolve import resolve_sequence, resolve_team, resolve_template, resolve_workflow
from botarmy.errors import BotArmyError, DefinitionError, SettingsError
from botarmy.records import Workflow

SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"})
INSIDE = (".bmad-core", "bmad-core")
"""Where the definitions lie when somebody names the directory above them."""

Signature = tuple[int, int, int, int]


def default_directory() -> Path:
    """Return the directory of the definitions that come with BotArmy."""
    return Path(__file__).resolve().parents[1] / ".bmad-core"


def parse_flags(words: Collection[str]) -> dict[str, bool]:
    """Return decided conditions: "NAME" holds, "NAME=no" does not.

    Raises:
        SettingsError: the word after "=" is neither yes nor no.
    """
    found: dict[str, bool] = {}
    for word in words:
        name, _, value = word.partition("=")
        if value.casefold() not in {"", "yes", "true", "no", "false"} or not name:
            raise SettingsError(f'"{word}" decides no condition.', hint="Write NAME, NAME=yes or NAME=no.")
        found[name] = value.casefold() not in {"no", "false"}
    return found


def core_directories(bmad: Path | None = None, project: Path | None = None) -> tuple[Path, ...]:
    """Return the directories in force, lowest first: our defaults, the project's .bmad-core, the one that was named.

    Args:
        bmad: the directory named by the user, if any.
        project: where the project's own .bmad-core may lie; the working directory unless given.
    """
    found = [default_directory()]
    own = (project or Path.cwd()) / ".bmad-core"
    for directory in (own if own.is_dir() else None, bmad):
        if directory is not None and not any(_same(directory, one) for one in found):
            found.append(directory)
    return tuple(found)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


class _Directory:
    """The files of one directory; a file is read again only when its times, size or inode changed."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self._read: dict[str, tuple[Signature, bytes]] = {}
        self._refused: dict[str, tuple[str, str]] = {}

    def refresh(self) -> bool:
        """Read what changed; say whether anything did."""
        found: dict[str, tuple[Signature, bytes]] = {}
        refused: dict[str, tuple[str, str]] = {}
        for name, path in self._paths(refused):
            try:
                status = path.stat()
                signature = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
                known = self._read.get(name)
                data = known[1] if known and known[0] == signature else self._content(path, status)
                found[name] = (signature, data)
            except OSError as error:
                refused[name] = ("unreadable-file", f"The file cannot be read: {error.strerror}.")
        changed = found != self._read or refused != self._refused
        self._read, self._refused = found, refused
        return changed

    def _content(self, path: Path, status: os.stat_result) -> bytes:
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is no regular file")
        with path.open("rb") as file:
            return file.read(self.limits.file_bytes + 1)

    def _paths(self, refused: dict[str, tuple[str, str]]) -> list[tuple[str, Path]]:
        root = self.path.resolve()
        found: list[tuple[str, Path]] = []
        for folder, folders, files in os.walk(self.path):
            linked = [one for one in folders if Path(folder, one).is_symlink()]
            folders[:] = sorted(one for one in folders if one not in SKIPPED and one not in linked)
            for name in sorted([*files, *linked]):
                path = Path(folder, name)
                relative = path.relative_to(self.path).as_posix()
                if path.is_symlink() and not path.resolve().is_relative_to(root):
                    refused[relative] = ("outside-link", "The link leads out of the directory; it is not followed.")
                elif not path.is_dir():
                    found.append((relative, path))
                if len(found) > self.limits.files:
                    refused[""] = ("too-many-files", f"The directory holds more than {self.limits.files} files.")
                    return found[: self.limits.files]
        return found

    def layer(self, name: str) -> Layer:
        """Return the files as a layer."""
        files = {relative: data for relative, (_, data) in self._read.items()}
        return Layer(name, str(self.path), files, dict(self._refused))


class _Layers:
    """The files of some directories, layer over layer, and what has been made of them so far."""

    def __init__(self, directories: tuple[Path, ...], limits: Limits) -> None:
        self._limits = limits
        self._parts = [_Directory(path, limits) for path in directories]
        self._library: Library | None = None

    def library(self) -> Library:
        """Return the library of all layers as the files are now."""
        changed = [part.refresh() for part in self._parts]
        if self._library is None or any(changed):
            layers = [part.layer(str(part.path)) for part in self._parts]
            self._library = Library(tuple(layers), self._limits, before=self._library)
        return self._library


_read_ahead: dict[tuple[Path, ...], _Layers] = {}


def read_ahead() -> None:
    """Read the definitions that come with BotArmy and check them, so that processes forked from this one need not.

    Files that are changed later on are noticed there as ever, and what is wrong with them is told there.
    """
    with contextlib.suppress(BotArmyError, OSError):
        core = load_core(default_directory())
        _read_ahead[core.directories] = core.layers
        for name in core.workflow_names():
            _build(core, name)


def _build(core: Core, workflow: str) -> None:
    with contextlib.suppress(BotArmyError):
        for phase in core.workflow(workflow).phases:
            core.template(phase.template, phase.agent)


class Core:
    """The definitions in force. Changed files are noticed at every call.

    Attributes:
        directories: lowest layer first.
        flags: conditions and routes that were decided.
        layers: what the directories hold.
    """

    def __init__(
        self, directories: tuple[Path, ...], flags: Mapping[str, bool] | None = None, limits: Limits = LIMITS
    ) -> None:
        self.directories = directories
        self.flags = dict(flags or {})
        known = _read_ahead.get(directories) if limits is LIMITS else None
        self.layers = known or _Layers(directories, limits)

    @property
    def library(self) -> Library:
        """The library of all layers as the files are now."""
        return self.layers.library()

    def workflow_names(self) -> tuple[str, ...]:
        """Return the names of all workflows, sorted."""
        return self.library.names("workflow")

    def workflow(self, name: str) -> Workflow:
        """Return a workflow by its id or its file's stem, checked against all that it names.

        Raises:
            UnknownName: there is none; the hint names the nearest.
            DefinitionError: it has problems; all of them are told.
        """
        return resolve_workflow(self.library, name, self.flags)

    def sequence(self, name: str) -> Compiled:
        """Return a BMAD workflow as phases, with the steps that were left out and why.

        Raises:
            UnknownName: there is none, or it is not of this dialect.
            DefinitionError: it has problems.
        """
        return resolve_sequence(self.library, name, self.flags)

    def template(self, stem: str, agent: str = "") -> Template:
        """Return a template by its file's stem, or the one of a compiled phase ("WORKFLOW/PHASE").

        Args:
            stem: as `Phase.template` names it.
            agent: as `Phase.agent` names it: the agent's file, if there is one, stands in front of the system prompt.

        Raises:
            UnknownName: there is none.
            DefinitionError: it has problems.
        """
        return resolve_template(self.library, stem, agent, self.flags)

    def team_names(self) -> tuple[str, ...]:
        """Return the names of all teams, sorted."""
        return self.library.names("team")

    def team(self, name: str, workflow: str) -> dict[str, TeamMember]:
        """Return provider and model of each agent of a workflow as a team has it; empty ones come from the settings.

        Raises:
            UnknownName: there is no such team or workflow.
            DefinitionError: the team is wrong or lacks an agent.
        """
        return resolve_team(self.library, name, self.workflow(workflow))

    def lint(self, providers: Collection[str] | None = None) -> LintReport:
        """Return every problem of every layer."""
        return lint(self.library, providers)

    def explain(self, kind: str, name: str) -> Explanation:
        """Return what a name means and where each part comes from.

        Raises:
            UnknownName: no such kind or name.
            DefinitionError: it has problems.
        """
        return explain(self.library, kind, name, self.flags)


def load_core(*directories: Path, flags: Mapping[str, bool] | None = None) -> Core:
    """Open .bmad-core directories, lowest layer first; the directory above a .bmad-core may be named as well.

    Args:
        directories: see `core_directories`.
        flags: conditions and routes of BMAD workflows that were decided: name -> whether it holds.

    Raises:
        DefinitionError: one of them is no directory.
    """
    found = []
    for directory in directories:
        if not directory.is_dir():
            what = "is a file" if directory.exists() else "does not exist"
            raise DefinitionError(
                f"There is no directory {directory}: it {what}.",
                hint="Name a .bmad-core directory or the one above it.",
            )
        found.append(_inner(directory))
    return Core(tuple(found), flags)


def _inner(directory: Path) -> Path:
    """Return the .bmad-core inside of a directory that holds no definitions itself."""
    try:
        own = any(classify(f"{one.name}/x.yaml") or classify(f"{one.name}/x.md") for one in directory.iterdir())
    except OSError as error:
        raise DefinitionError(
            f"The directory {directory} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error
    inner = [directory / name for name in INSIDE if (directory / name).is_dir()]
    return inner[0] if inner and not own else directory
