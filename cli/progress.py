"""Live progress of a run: one table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botarmy.progress import Progress, Report
from cli.terminal import clean

if TYPE_CHECKING:
    from rich.table import Table


@dataclass
class _Row:
    agent: str = ""
    attempt: int = 0
    step: str = ""
    verdict: str = ""
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0


class _Board:
    """What the run told so far, a row per phase."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.cost = ""

    def take(self, step: Progress) -> None:
        """Take one step into its phase's row."""
        if step.cost_usd is not None:
            self.cost = f"{step.cost_usd:.4f} USD"
        if not step.phase:
            return
        row = self.rows.setdefault(step.phase, _Row())
        if step.attempt != row.attempt:
            row.attempt, row.verdict = step.attempt, ""
        row.agent = step.agent or row.agent
        row.seconds = time.monotonic() - row.began
        if step.step in ("verdict", "decided"):
            row.verdict = step.text
        row.step = f"{step.step} {step.text}".strip()

    def table(self) -> Table:
        """Return the table to draw."""
        from rich.table import Table

        table = Table(caption=f"cost {self.cost}" if self.cost else None)
        for heading in ("phase", "agent", "attempt", "step", "verdict", "s"):
            table.add_column(heading, overflow="fold")
        from rich.text import Text

        for phase, row in self.rows.items():
            cells = (phase, row.agent, str(row.attempt), row.step[:60], row.verdict[:70], f"{row.seconds:.1f}")
            table.add_row(*(Text(clean(cell)) for cell in cells))
        return table


def _line(step: Progress, began: float) -> str:
    where = f"{step.phase} ({step.agent}, attempt {step.attempt})" if step.agent else step.phase
    cost = f" [{step.cost_usd:.4f} USD so far]" if step.cost_usd is not None else ""
    told = f"{time.monotonic() - began:6.1f}s  {where}: {step.step} {step.text}".rstrip()
    return clean(f"{told}{cost}".replace("  : ", "  "))


@contextlib.contextmanager
def shown(*, quiet: bool = False, plain: bool = False) -> Iterator[Report]:
    """Show the steps of a run on stderr while the body runs; stdout stays free for results.

    Args:
        quiet: show nothing (`--json`).
        plain: lines also on a terminal, so that questions can stand between them.
    """
    began = time.monotonic()
    if quiet:
        yield lambda _step: None
    elif plain or not sys.stderr.isatty():
        yield lambda step: print(_line(step, began), file=sys.stderr, flush=True)
    else:
        from rich.console import Console
        from rich.live import Live

        board = _Board()
        with Live(console=Console(stderr=True), get_renderable=board.table, refresh_per_second=8) as _live:
            yield board.take
