"""How the time to read a brief grows with its size: `python benchmarks/briefs.py [--json]`.

Briefs of one repeated piece, each with a mark that a rule of the reader looks for, at two sizes, one eight times the
other. A reader in linear time takes eight times as long; one that looks back or ahead for each mark takes sixty-four.
Exits with 1 where it takes more than thirty times as long.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

from rich.console import Console
from rich.table import Table

from botarmy.brief import clean, sentences, title

PIECES = ("word ", "a.", "- x\n", "|a|b|\n", "#", "\n", "*", "x: ", "(", "> ", "\x1b]", "1. a\n  ")
SMALL, LARGE = 20_000, 160_000
RUNS = 5
WORST = 30


def seconds(piece: str, size: int) -> float:
    """Return the median of the processor seconds that reading takes."""
    brief = piece * (size // len(piece))
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        text = clean(brief)
        sentences(text)
        title(text)
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def main() -> int:
    """Measure each piece at both sizes; return the exit code."""
    rows = [(piece, seconds(piece, SMALL), seconds(piece, LARGE)) for piece in PIECES]
    if "--json" in sys.argv[1:]:
        print(json.dumps([{"piece": piece, "small_s": small, "large_s": large} for piece, small, large in rows]))
    else:
        table = Table("piece", f"{SMALL:,} bytes, ms", f"{LARGE:,} bytes, ms", "ratio")
        for piece, small, large in rows:
            table.add_row(ascii(piece), f"{small * 1000:.1f}", f"{large * 1000:.1f}", f"{large / small:.1f}")
        Console().print(table)
    return int(any(large > WORST * small for _, small, large in rows))


if __name__ == "__main__":
    sys.exit(main())
