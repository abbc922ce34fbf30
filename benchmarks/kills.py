"""Kill BotArmy at N seeded places and see that nothing is lost and nothing is paid twice.

    python benchmarks/kills.py 500 [--seed S] [--minutes M] [--json] [--keep]

Real Postgres, real Prefect, the real command line, flows, workers and upkeep; a model on loopback that counts its calls.
Kills: os._exit before and after every commit of every phase and gate step, of the budget gate, of amendments, of a
person's commands and of upkeep; SIGKILL of a run, of a worker, of both, of the Prefect server; immediate restarts of
Postgres. After each kill the project must go on; when it has finished, what is stored is held against
benchmarks/kills_losses.py.

Exit codes: 0 no loss; 1 a loss, too little time, or a run of 500 or more that did not strike every point; 2 the code has a crash point that
the plan (benchmarks/kills_plan.py) does not know, or the other way round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kills_deployed import Deployed, Worked
from kills_losses import losses, stored
from kills_plan import DEPLOYED, FULL, WORKER, Plan, Story, everything, known
from kills_points import Unreadable, in_source
from kills_site import ROOT, Site, site
from kills_story import Direct, Played, Teller

sys.path.insert(0, str(ROOT))

from botarmy.records import Workflow
from storage.definitions import core_directories, load_core

AT_ONCE = 3
"""Projects that are killed side by side."""


def teller(made: Site, story: Story, number: int) -> Teller:
    """Return who carries the story's project through its kills."""
    if story.way == DEPLOYED:
        return Deployed(made, story, number)
    return Worked(made, story, number) if story.way == WORKER else Direct(made, story, number)


async def carry_out(count: int, seed: int, home: Path, ends: float) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Kill `count` times at a site of its own, as far as that is done by `ends` (by time.monotonic), or up to the first loss.

    Returns:
        A row for each project, and for each kind of process how many there were and how long they lived.
    """
    async with site(home, os.environ) as made:
        rows = await kill(made, count, seed, ends)
        kinds = {life.what for life in made.lives.values()}
        lived = {what: [life.seconds for life in made.lives.values() if life.what == what] for what in sorted(kinds)}
    return rows, {what: {"count": len(all_), "mean_s": round(sum(all_) / len(all_), 2)} for what, all_ in lived.items()}


async def kill(made: Site, count: int, seed: int, ends: float = math.inf) -> list[dict[str, Any]]:
    """Kill `count` times at a site; return a row for each project.

    Args:
        made: the site.
        count: how many kills.
        seed: the same one kills at the same places.
        ends: no project is begun after it (by time.monotonic), nor after the first loss.
    """
    workflow = load_core(*core_directories(None)).workflow("sdlc")
    plan = Plan(count, seed)
    rows: list[dict[str, Any]] = []

    async def one_after_another() -> None:
        while not any(row["losses"] for row in rows) and time.monotonic() < ends:
            if (story := plan.next()) is None:
                return
            played = await teller(made, story, int(story.slug.rpartition("-")[2])).play()
            plan.too_late(story, played.missed)
            rows.append(await judged(made, played, workflow))

    async with asyncio.TaskGroup() as group:  # one that fails must not leave the others killing
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
    return rows


async def judged(made: Site, played: Played, workflow: Workflow) -> dict[str, Any]:
    """Return the row of a project: its kills and what is wrong with it."""
    story = played.story
    repeats = made.model.repeats(story.slug)
    wrong = [played.lost] if played.lost else []
    if not played.lost:
        found = await made.read(lambda work: stored(work, played.slug, workflow))
        twin = await made.read(lambda work: work.projects.by_slug(f"{story.slug}-2"))
        wrong = ["its brief made two projects"] if twin is not None else []
        wrong += losses(found, workflow, played.decisions, played.amended, repeats)
        wrong += await made.patiently(_forms_left, made, found.runs)
    row = {
        "project": played.slug,
        "way": story.way,
        "kills": len(played.done),
        "missed": [str(kill) for kill in played.missed],
        "by": dict(Counter(kill.target for kill in played.done)),
        "struck": [str(kill) for kill in played.done],
        "points": sorted({kill.crash for kill in played.done if kill.crash}),
        "lives": played.lives,
        "decisions": len(played.decisions),
        "calls": sum(1 for name, *_ in made.model.log if name == story.slug),
        "repeated_calls": sum(map(len, repeats.values())),
        "losses": wrong,
        "seconds": round(played.seconds, 1),
    }
    print(
        f"{played.slug:12} {row['way']:9} kills {row['kills']:3}  missed {len(played.missed):2}  lives {played.lives:3}  "
        f"decisions {row['decisions']:2}  calls {row['calls']:3}  repeated {row['repeated_calls']:2}  "
        f"losses {len(wrong):2}  {played.seconds:5.0f} s",
        file=sys.stderr,
        flush=True,
    )
    for line in wrong:
        print(f"    LOSS {line}", file=sys.stderr, flush=True)
    return row


def _forms_left(made: Site, flow_runs: tuple[str, ...]) -> list[str]:
    """Return the runs of a finished project for whose form Prefect still wants an answer."""
    runs = {"id": {"any_": list(flow_runs)}, "state": {"type": {"any_": ["PAUSED"]}}}
    found = made.call("POST", "/flow_runs/filter", {"flow_runs": runs})
    return [f"Prefect still shows the form of the run {run['name']}, {run['id']}" for run in found]


def unknown_points() -> list[str]:
    """Return in what the plan and the code differ."""
    code, planned = in_source(), known()
    return [
        f"The code has the crash point {name}, which benchmarks/kills_plan.py never draws." for name in code - planned
    ] + [f"benchmarks/kills_plan.py draws the crash point {name}, which the code has not." for name in planned - code]


def main() -> int:
    """Run from the command line; see the exit codes above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=FULL, help="how many kills")
    parser.add_argument("--seed", type=int, default=1, help="the same seed kills at the same places")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no further project after so long")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--keep", action="store_true", help="keep the home with all logs")
    options = parser.parse_args()
    try:
        unknown = unknown_points()
    except Unreadable as error:
        unknown = [str(error)]
    if unknown:
        print("\n".join(sorted(unknown)), file=sys.stderr)
        return 2
    started = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="bakill-"))
    try:
        rows, lived = asyncio.run(carry_out(options.count, options.seed, home, started + 60 * options.minutes))
    finally:
        if options.keep:
            print(f"kept: {home}", file=sys.stderr)
        else:
            shutil.rmtree(home, ignore_errors=True)
    struck = {point for row in rows for point in row["points"]}
    total = {
        "seed": options.seed,
        "wanted": options.count,
        "kills": sum(row["kills"] for row in rows),
        "by": dict(sum((Counter(row["by"]) for row in rows), Counter())),
        "points": len(struck),
        "points_not_struck": sorted(everything() - struck),
        "repeated_calls": sum(row["repeated_calls"] for row in rows),
        "losses": sum(len(row["losses"]) for row in rows),
        "processes": lived,
        "seconds": round(time.monotonic() - started, 1),
        "projects": rows,
    }
    if options.json:
        print(json.dumps(total, indent=2))
    else:
        _tell(total)
    short = total["kills"] < options.count and not total["losses"]
    if short:
        print(f"The time was over after {total['kills']} of {options.count} kills.", file=sys.stderr)
    left_out = options.count >= FULL and total["points_not_struck"]
    return 1 if total["losses"] or short or left_out else 0


def _tell(total: dict[str, Any]) -> None:
    print(
        f"{total['kills']} kills {total['by']}, {len(total['projects'])} projects, {total['repeated_calls']} repeated "
        f"calls, {total['losses']} losses, seed {total['seed']}, {total['seconds']:.0f} s"
    )
    left = total["points_not_struck"]
    print(
        f"{total['points']} points struck, {len(left)} not{': ' + ', '.join(left) if total['wanted'] >= FULL else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
