"""Where things lie for the code that runs: fixed addresses behind walls, real ones without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox import interpreter


@dataclass(frozen=True)
class Layout:
    """Addresses as the run sees them.

    Attributes:
        app: the generated tree; the working directory.
        scratch: the only folder that can be written.
        python: the interpreter.
        ruff: the linter.
        package: the folder that holds our `sandbox` package (probes and launch only, behind walls).
        library: the folder that holds the coverage package.
    """

    app: str
    scratch: str
    python: str
    ruff: str
    package: str
    library: str

    def probe(self, name: str) -> list[str]:
        """Return the command of one of our programs in sandbox/probes."""
        # -I -S: no environment, no user folder, no sitecustomize or .pth file of the tree can reach our program.
        return [self.python, "-I", "-S", f"{self.package}/sandbox/probes/{name}.py"]


WALLED = Layout(
    app="/work/app",
    scratch="/scratch",
    python="/opt/tools/bin/python",
    ruff="/opt/tools/bin/ruff",
    package="/opt/botarmy",
    library="/opt/tools/lib",
)


def open_layout(tree: Path, scratch: Path) -> Layout:
    """Return the addresses of a run without walls."""
    return Layout(
        app=str(tree),
        scratch=str(scratch),
        python=str(interpreter.base_python()),
        ruff=str(interpreter.ruff_binary()),
        package=str(interpreter.PACKAGE.parent),
        library=str(interpreter.coverage_package().parent),
    )


def base_environment(layout: Layout) -> dict[str, str]:
    """Return the whole environment of a run: nothing is inherited."""
    return {
        "PATH": f"{Path(layout.python).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": f"{layout.scratch}/tmp",  # noqa: S108 (the run's own)
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
    }
