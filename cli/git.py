"""git as a child process: no configuration, no hooks, no environment but ours."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which

from botarmy.errors import ExportError
from botarmy.export import Commit

BRANCH = "main"
_TIMEOUT_S = 300
_COMMAND_BY_NAME = "git"


def find_git() -> str:
    """Return the path of git.

    Raises:
        ExportError: there is none.
    """
    found = which(_COMMAND_BY_NAME)
    if found is None:
        raise ExportError(
            "The project cannot be exported. git was not found on the PATH.",
            hint="Install git (Debian: apt-get install git; macOS: xcode-select --install) and try again.",
        )
    return found


def run_git(directory: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Run git in a directory that we made ourselves, and return what it printed.

    The environment is empty but for the PATH: no user or system configuration, no GIT_*, an empty home, and hooks
    point at nothing, so that the result depends on the input alone and nothing of others runs. A directory's own
    configuration is not kept out: where somebody else could have written it, git must not be run.

    Raises:
        ExportError: git is missing or failed; the message has its last line.
    """
    with tempfile.TemporaryDirectory(prefix="botarmy-git-") as home:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program with our own arguments
                [find_git(), "-c", f"core.hooksPath={os.devnull}", "-c", "core.autocrlf=false", *arguments],
                cwd=directory,
                env=clean_environment(home),
                input=stdin,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ExportError(f"git {arguments[0]} did not end within {_TIMEOUT_S} s.") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise ExportError(
            f"git {arguments[0]} failed in {directory}. It said: {lines[-1]}",
            hint="Look for free space and permission there; nothing was changed at the destination.",
        )
    return done.stdout.decode(errors="replace")


def clean_environment(home: str) -> dict[str, str]:
    """Return the whole environment that git gets."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
        "TZ": "UTC",
    }


def write_history(directory: Path, commits: Sequence[Commit]) -> str:
    """Make a repository in a directory whose files are those of the last commit already; return the head's hash.

    The history goes in as one stream, so that ignore rules, attributes and filters in the generated tree have no say.

    Raises:
        ExportError: git is missing or failed.
    """
    run_git(directory, "init", "--quiet", "--template=", f"--initial-branch={BRANCH}", "--object-format=sha1", ".")
    run_git(directory, "fast-import", "--quiet", "--date-format=raw", stdin=b"".join(_stream(commits)))
    run_git(directory, "reset", "--quiet", "--mixed", BRANCH)
    return run_git(directory, "rev-parse", BRANCH).strip()


def _stream(commits: Sequence[Commit]) -> Iterator[bytes]:
    for commit in commits:
        who = f"{commit.author} <{commit.email}> {int(commit.when.timestamp())} +0000"
        yield f"commit refs/heads/{BRANCH}\nauthor {who}\ncommitter {who}\n".encode()
        yield _data(commit.message)
        yield b"deleteall\n"
        for file in commit.files:
            yield b"M 100644 inline " + _quoted(file.path) + b"\n" + _data(file.content)
        yield b"\n"
    yield b"done\n"


def _data(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return b"data %d\n%b\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode()
