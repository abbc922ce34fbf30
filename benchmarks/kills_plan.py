"""Which kills benchmarks/kills.py carries out: drawn with a seed, in the order in which a run comes to them. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PHASES = ("Discovery", "Plan", "Design", "Build", "Validate", "Launch")
SIDES = ("before", "after")
BEFORE_GATE = ("attempt.opened", "call.reserved", "call.settled", "save", "gate.opened")
FORM, COMMAND = "form", "command"
"""How a person decides a gate: by Prefect's form, or with `botarmy approve`."""

UPKEEP = tuple(f"upkeep.{step}.{side}" for step in ("recovered", "submitted") for side in SIDES)
ENDS = ("project.ended", "run.ended")
MOMENTS = ("flow", "server", "postgres")
"""Kills at a moment, not at a point: of the flow's process, of the Prefect server, of Postgres."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill.

    Attributes:
        target: "point" (of a run), "approve" and "upkeep" (of those processes), or one of MOMENTS.
        crash: BOTARMY_CRASH_AT for the process.
        phase: the phase it is in; "" where it is in none.
        after_s: for a moment: how long after the process began, in seconds.
    """

    target: str
    crash: str = ""
    phase: str = ""
    after_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.target} {self.crash}" if self.crash else f"{self.target} after {self.after_s:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Story:
    """A project's kills.

    Attributes:
        slug: the project.
        deployed: whether flow runs of the deployment carry it and a person answers each gate; else `botarmy run`.
        kills: in the order in which its runs come to them.
        upkeep: kills of the upkeep that recovers it, in any order.
        routes: phase -> FORM or COMMAND, where deployed.
    """

    slug: str
    deployed: bool
    kills: tuple[Kill, ...]
    upkeep: tuple[Kill, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many kills."""
        return len(self.kills) + len(self.upkeep)


def points(deployed: bool) -> tuple[Kill, ...]:
    """Return every point at which a run, or the person's command, can be killed, in the order of a run."""
    found = [_at(f"claim.{side}") for side in SIDES]
    for phase in PHASES:
        found += [_at(f"{step}.{side}", phase) for step in BEFORE_GATE for side in SIDES]
        if deployed:
            found += [_at(f"gate.shown.{side}", phase) for side in SIDES]
            # The form was answered and nothing is written: no commit, so one side only.
            found += [_at("gate.answered", phase), *(_at(f"gate.written.{side}", phase) for side in SIDES)]
            found += [_at(f"decided.{side}", phase, target="approve") for side in SIDES]
        found += [_at(f"gate.resumed.{side}", phase) for side in SIDES]
    return (*found, *(_at(f"{step}.{side}") for step in ENDS for side in SIDES))


def _at(name: str, phase: str = "", *, target: str = "point") -> Kill:
    return Kill(target=target, crash=f"{name}@{phase}" if phase else name, phase=phase)


def plan(count: int, seed: int, *, at_once: int = 10) -> tuple[Story, ...]:
    """Return the stories that hold `count` kills together.

    Every point is drawn once before any is drawn again. About one kill in six is at a random moment.

    Args:
        count: how many kills.
        seed: of the random choice; the same seed gives the same plan.
        at_once: most kills of one project.
    """
    chance = random.Random(seed)  # noqa: S311 (a repeatable choice is meant)
    stories: list[Story] = []
    decks: dict[bool, list[Kill]] = {True: [], False: []}
    left = count
    while left:
        slug, deployed = f"k{seed}-{len(stories) + 1}", len(stories) % 2 == 0
        story = _story(chance, decks[deployed], slug, deployed, min(at_once, left))
        stories.append(story)
        left -= story.count
    return tuple(stories)


def _story(chance: random.Random, deck: list[Kill], slug: str, deployed: bool, size: int) -> Story:
    routes = {phase: chance.choice((FORM, COMMAND)) for phase in PHASES} if deployed else {}
    upkeep = tuple(_at(chance.choice(UPKEEP), target="upkeep") for _ in range(size // 8 if deployed else 0))
    moments = [_moment(chance, 1.2 if deployed else 3.5) for _ in range(round(size / 8 + 0.5 * chance.random()))]
    order = points(deployed)
    drawn = _draw(chance, deck, order, routes, size - len(upkeep) - len(moments))
    kills = sorted(drawn, key=order.index)
    for moment in moments:
        kills.insert(chance.randrange(len(kills) + 1), moment)
    return Story(slug=slug, deployed=deployed, kills=tuple(kills), upkeep=upkeep, routes=routes)


def _draw(
    chance: random.Random, deck: list[Kill], among: Sequence[Kill], routes: Mapping[str, str], size: int
) -> list[Kill]:
    """Take kills from the deck, filled anew when nothing in it fits; no project is killed twice at one point."""
    drawn: list[Kill] = []
    while len(drawn) < size:
        fits = [kill for kill in deck if kill not in drawn and _on_route(kill, routes)]
        if not fits:
            deck += chance.sample(among, len(among))
            continue
        deck.remove(fits[0])
        drawn.append(fits[0])
    return drawn


def _on_route(kill: Kill, routes: Mapping[str, str]) -> bool:
    """Tell whether the kill is on the way by which this project's gates are decided."""
    if kill.target == "approve":
        return routes.get(kill.phase) == COMMAND
    if kill.crash.startswith(("gate.answered", "gate.written")):
        return routes.get(kill.phase) == FORM
    return True


def _moment(chance: random.Random, latest_s: float) -> Kill:
    """Draw a moment: a process of a deployed run lives for one phase only, `botarmy run` for all of them."""
    target = chance.choices(MOMENTS, weights=(4, 1, 2))[0]
    return Kill(target=target, after_s=round(0.2 + latest_s * chance.random() ** 2, 2))
