"""Use once what the sandbox shows: `trial.py LIBRARY RUFF`; ends with an error that names what cannot be used."""

import os
import sys
from pathlib import Path


def main(library: str, ruff: str) -> None:
    """Import coverage, read our programs, start ruff."""
    sys.path.insert(0, library)
    import coverage  # noqa: F401, PLC0415 (only whether it can be)

    for path in Path(__file__).resolve().parents[1].rglob("*.py"):
        path.read_bytes()
    os.execv(ruff, [ruff, "--version"])  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])
