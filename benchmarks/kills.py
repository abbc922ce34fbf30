"""Kill BotArmy at N seeded places and see that nothing is lost and nothing is paid twice.

    python benchmarks/kills.py 500 [--seed S] [--json] [--keep]

Real Postgres, real Prefect, the real command line, flows and upkeep; a model on loopback that counts its calls. Kills:
os._exit before and after every commit of every phase and gate step, SIGKILL at random moments, immediate restarts of
Postgres and of the Prefect server, deaths of the person's own command and of upkeep. After each kill the project must go
on; when it has finished, what is stored is held against benchmarks/kills_losses.py. Exit 1 on any loss.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kills_losses import losses, stored
from kills_plan import Story, plan
from kills_site import BRIEF, Site, site
from kills_story import Played, play

from botarmy.records import Workflow
from storage.definitions import core_directories, load_core

AT_ONCE = 2
"""Projects that are killed side by side; a third would only wait for a processor."""


async def learn(made: Site) -> None:
    """Run the brief once with the scaffold generator; the model repeats its answers from then on."""
    brief = made.home / "brief.md"
    brief.write_text(BRIEF, "utf-8")
    offline = {name: "" for name in made.environ if "_AGENT_" in name}
    life = await made.life("cli", "run", str(brief), "--project", "learnt", environ=offline)
    if await life.exit:
        raise RuntimeError(f"the brief cannot be carried out at all: {life.tail()}")
    async with made.database.work() as work:
        project = await work.projects.get("learnt")
        for row in await work.calls.of_project(project.id):
            made.model.answers[row.purpose] = json.dumps({"answer": json.loads(row.text), "confidence": 0.9})


async def carry_out(count: int, seed: int, home: Path) -> list[dict[str, Any]]:
    """Kill `count` times; return a row for each project."""
    workflow = load_core(*core_directories(None)).workflow("sdlc")
    async with site(home, os.environ) as made:
        await learn(made)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(story: Story, seed: int) -> dict[str, Any]:
            async with gate:
                return await judged(made, await play(made, story, seed), workflow)

        rows: list[dict[str, Any]] = []
        again = seed
        while (left := count - sum(row["kills"] for row in rows)) > 0 and not any(row["losses"] for row in rows):
            # A process may end before its kill at a moment: what was missed is made up for by further projects.
            rows += await asyncio.gather(*(one(story, again) for story in plan(left, again)))
            again += 1_000_000
        return rows


async def judged(made: Site, played: Played, workflow: Workflow) -> dict[str, Any]:
    """Return the row of a project: its kills and what is wrong with it."""
    slug = played.story.slug
    repeats = made.model.repeats(slug)
    wrong = [played.lost] if played.lost else []
    if not played.lost:
        found = await stored(made.database, slug, workflow)
        async with made.database.work() as work:
            twin = await work.projects.by_slug(f"{slug}-2")
        wrong = ["its brief made two projects"] if twin is not None else []
        wrong += losses(found, workflow, played.decisions, repeats, len(played.done))
    row = {
        "project": slug,
        "way": "deployed" if played.story.deployed else "run",
        "kills": len(played.done),
        "missed": [str(kill) for kill in played.missed],
        "by": dict(Counter(kill.target for kill in played.done)),
        "struck": [str(kill) for kill in played.done],
        "lives": played.lives,
        "decisions": len(played.decisions),
        "calls": sum(1 for name, *_ in made.model.log if name == slug),
        "repeated_calls": sum(map(len, repeats.values())),
        "losses": wrong,
        "seconds": round(played.seconds, 1),
    }
    print(
        f"{slug:12} {row['way']:9} kills {row['kills']:3}  missed {len(played.missed):2}  lives {played.lives:3}  "
        f"decisions {row['decisions']:2}  calls {row['calls']:3}  repeated {row['repeated_calls']:2}  "
        f"losses {len(wrong):2}  {played.seconds:5.0f} s",
        file=sys.stderr,
        flush=True,
    )
    for line in wrong:
        print(f"    LOSS {line}", file=sys.stderr, flush=True)
    return row


def main() -> int:
    """Run from the command line; 1 on any loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=500, help="how many kills")
    parser.add_argument("--seed", type=int, default=1, help="the same seed kills at the same places")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--keep", action="store_true", help="keep the home with all logs")
    options = parser.parse_args()
    started = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="bakill-"))
    try:
        rows = asyncio.run(carry_out(options.count, options.seed, home))
    finally:
        if options.keep:
            print(f"kept: {home}", file=sys.stderr)
        else:
            shutil.rmtree(home, ignore_errors=True)
    lost = sum(len(row["losses"]) for row in rows)
    kills = sum(row["kills"] for row in rows)
    total = {
        "seed": options.seed,
        "wanted": options.count,
        "kills": kills,
        "by": dict(sum((Counter(row["by"]) for row in rows), Counter())),
        "repeated_calls": sum(row["repeated_calls"] for row in rows),
        "losses": lost,
        "seconds": round(time.monotonic() - started, 1),
        "projects": rows,
    }
    if options.json:
        print(json.dumps(total, indent=2))
    else:
        print(
            f"{kills} kills {total['by']}, {len(rows)} projects, {total['repeated_calls']} repeated calls, "
            f"{lost} losses, seed {options.seed}, {total['seconds']:.0f} s"
        )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
