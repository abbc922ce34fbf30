"""The interpreter and the tools that generated code gets to see, and where they lie on this machine."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import metadata, util
from pathlib import Path

from botarmy.errors import SandboxError

PACKAGE = Path(__file__).resolve().parent


@cache
def base_python() -> Path:
    """Return the real interpreter below the virtual environment."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()


def folders() -> tuple[Path, ...]:
    """Return what the interpreter needs besides the system's folders: its programs and libraries, not all its prefix."""
    prefixes = {Path(sys.base_prefix).resolve(), Path(sys.base_exec_prefix).resolve()}
    found = {prefix / name for prefix in prefixes for name in ("bin", "lib", "lib64") if prefix != Path("/usr")}
    return tuple(sorted(path for path in found if path.is_dir() and not path.is_symlink()))


def foreign_packages() -> tuple[Path, ...]:
    """Return the visible folders with packages of the base interpreter: what lies there by chance must not count."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    names = (f"lib/{version}/site-packages", f"lib/{version}/dist-packages", "lib/python3/dist-packages")
    bases = {Path("/usr"), *(folder.parent for folder in folders())}
    return tuple(sorted(base / name for base in bases for name in names if (base / name).is_dir()))


@cache
def coverage_package() -> Path:
    """Return the folder of the coverage package.

    Raises:
        SandboxError: it is not installed.
    """
    spec = util.find_spec("coverage")
    if spec is None or not spec.submodule_search_locations:
        raise SandboxError("coverage is not installed", hint="Install BotArmy's dependencies again.")
    return Path(next(iter(spec.submodule_search_locations))).resolve()


@cache
def ruff_binary() -> Path:
    """Return the path of the ruff program.

    Raises:
        SandboxError: it is not installed.
    """
    try:
        from ruff import find_ruff_bin  # type: ignore[import-untyped]  # noqa: PLC0415 (its absence is told)

        return Path(os.fsdecode(find_ruff_bin())).resolve()
    except (ImportError, FileNotFoundError) as error:
        raise SandboxError("ruff is not installed", hint="Install BotArmy's dependencies again.") from error


@cache
def versions() -> dict[str, str]:
    """Return the versions of the tools, as evidence names them."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return {
        "python": f"Python {python}",
        "ruff": f"ruff {metadata.version('ruff')}",
        "coverage": f"coverage {metadata.version('coverage')}",
    }


def language() -> str:
    """Return the interpreter's language version as ruff names it, e.g. "311"."""
    return f"{sys.version_info.major}{sys.version_info.minor}"
