"""Compile every Python file of the tree, without running any."""

import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.report import Channel


def compile_file(path: Path, name: str) -> str:
    """Return what is wrong with one file; empty when it compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(path.read_bytes(), name, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{name}:{error.lineno or 1}: {error.msg}"
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        return f"{name}:1: {type(error).__name__}: {error}"
    return ""


def main() -> None:
    """Compile and report."""
    channel = Channel()
    root = Path(channel.plan["app"])
    names: list[str] = channel.plan["files"]
    faults = [fault for name in names if (fault := compile_file(root / name, name))]
    report: dict[str, Any] = {"files": len(names), "faults": faults}
    sys.stdout.write("\n".join(faults) or f"{len(names)} files compile\n")
    channel.send(report)


if __name__ == "__main__":
    main()
