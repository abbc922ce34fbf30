"""How long lint takes for 200 files: `python benchmarks/lint.py [BMAD_DIR]`. Prints medians; the target is 1 s.

Without a directory the 200 files are copies of our own definitions under other names.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from storage.definitions import default_directory, load_core

FILES = 200
RUNS = 7


def fill(root: Path, source: Path) -> int:
    """Copy the files of a directory again and again until there are FILES."""
    originals = sorted(path for path in source.rglob("*") if path.is_file() and path.suffix in {".yaml", ".md", ".j2"})
    for number in range(FILES):
        path = originals[number % len(originals)]
        folder = root / path.relative_to(source).parent
        folder.mkdir(parents=True, exist_ok=True)
        copy = path.stem if number < len(originals) else f"{path.stem}-{number // len(originals)}"
        (folder / f"{copy}{path.suffix}").write_bytes(path.read_bytes())
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def main() -> None:
    """Time cold runs (everything parsed) and warm ones (one file changed)."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else default_directory()
    with tempfile.TemporaryDirectory() as folder:
        size = fill(Path(folder), source)
        cold = []
        for _ in range(RUNS):
            start = time.perf_counter()
            report = load_core(Path(folder)).lint()
            cold.append(time.perf_counter() - start)
        core = load_core(Path(folder))
        core.lint()
        changed = next(path for path in sorted(Path(folder).rglob("*.md")))
        warm = []
        for _ in range(RUNS):
            changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
            start = time.perf_counter()
            core.lint()
            warm.append(time.perf_counter() - start)
    print(f"{report.files} files, {size / 1000:.0f} kB, {len(report.errors)} errors")
    print(f"cold: median {statistics.median(cold):.3f} s of {RUNS}")
    print(f"one file changed: median {statistics.median(warm):.3f} s of {RUNS}")


if __name__ == "__main__":
    main()
