"""How long the reading commands take, as a person feels it: whole processes, medians and p95, as a table or JSON.

    python benchmarks/cli_reads.py PROJECT [--runs 15] [--json]

Uses the database that the settings name; PROJECT is a project in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

LIMIT_MS = 300


def seconds(words: list[str]) -> tuple[float, float]:
    """Run one command in a process of its own; return its wall time and its CPU time (which a busy machine leaves be)."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "cli.main", *words], capture_output=True, env=environment, check=False)  # noqa: S603
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(words: list[str], runs: int) -> dict[str, object]:
    """Return the median and the 95th percentile of a command, in milliseconds; the first run is not counted."""
    seconds(words)
    taken = [seconds(words) for _ in range(runs)]
    wall = sorted(each * 1000 for each, _ in taken)
    return {
        "command": " ".join(words),
        "median_ms": round(statistics.median(wall)),
        "p95_ms": round(wall[round(0.95 * (len(wall) - 1))]),
        "cpu_ms": round(statistics.median(each * 1000 for _, each in taken)),
    }


def main() -> None:
    """Measure every reading command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("project")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    commands = [
        ["--help"],
        ["projects"],
        ["inbox"],
        *([name, given.project] for name in ("show", "trace", "audit", "artifacts")),
        ["show", given.project, "--json"],
    ]
    figures = [measure(words, given.runs) for words in commands]
    if given.json:
        print(json.dumps({"limit_ms": LIMIT_MS, "runs": given.runs, "figures": figures}, indent=2))
        return
    print(f"{'command':<40}{'median ms':>10}{'p95 ms':>8}{'CPU ms':>8}   (target: {LIMIT_MS} ms)")
    for each in figures:
        print(f"{each['command']:<40}{each['median_ms']:>10}{each['p95_ms']:>8}{each['cpu_ms']:>8}")


if __name__ == "__main__":
    main()
