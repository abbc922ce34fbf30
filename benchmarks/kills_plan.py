"""Which kills benchmarks/kills.py carries out, drawn with a seed: every point once before any is drawn again. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

PHASES = ("Discovery", "Plan", "Design", "Build", "Validate", "Launch")
SIDES = ("before", "after")
STEPS = ("attempt.opened", "call.reserved", "call.settled", "save", "gate.opened")
"""What an attempt commits before anybody is asked."""

FORM, COMMAND = "form", "command"
"""How a person decides a gate: by Prefect's form, or with `botarmy approve`."""

RUN, BRIEF, BUDGET, DEPLOYED, WORKER = "run", "brief", "budget", "deployed", "worker"
"""How a project is carried on: `botarmy run --project` again and again; `botarmy run BRIEF` again and again; `botarmy run
--budget`, its gate approved by a person; flow runs of the deployment, a person at each gate, upkeep; the same deployment
with a real worker that nobody but its own crash interrupts."""

UPKEEP = tuple(f"upkeep.{step}.{side}" for step in ("recovered", "submitted", "noted", "again") for side in SIDES)
ENDS = tuple(f"{step}.{side}" for step in ("project.ended", "run.ended") for side in SIDES)
MOMENTS = ("flow", "server", "postgres")
"""Kills at a moment, not at a point: of the flow's process, of the Prefect server, of Postgres."""

WORKERS = ("flow under worker", "worker", "worker and flow")
"""Kills under a real worker: of the run's process, of the worker, of both at once."""

TURN = ((DEPLOYED, 9), (DEPLOYED, 8), (WORKER, 3), (RUN, 8), (BRIEF, 6), (BUDGET, 6))
"""The stories of forty kills, the longest first, and how many kills are in each."""

FULL = 500
"""A run of so many kills must strike every point."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill.

    Attributes:
        target: "point" (of a run), "person" and "upkeep" (of those processes), one of MOMENTS or of WORKERS.
        crash: BOTARMY_CRASH_AT for the process; "" for a moment.
        phase: for a point, the phase it is in; for a moment, from which phase on it is due; "" for any.
        route: FORM or COMMAND where the point is passed on one of them only.
        after_s: for a moment: how long after the process began, in seconds.
    """

    target: str
    crash: str = ""
    phase: str = ""
    route: str = ""
    after_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.target} {self.crash}" if self.crash else f"{self.target} after {self.after_s:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Story:
    """A project's kills.

    Attributes:
        slug: its name; the project's slug where the project is named.
        way: how it is carried on.
        kills: where its processes end.
        routes: phase -> FORM or COMMAND, where people are asked.
        amend: FORM or COMMAND: how the plan of Discovery is amended; "" where it is not.
    """

    slug: str
    way: str
    kills: tuple[Kill, ...]
    routes: Mapping[str, str] = field(default_factory=dict)
    amend: str = ""


def points(way: str) -> tuple[Kill, ...]:
    """Return every point at which a run, a person's command or upkeep can end in a story of that way."""
    if way == WORKER:
        return ()
    if way == BUDGET:
        steps = [_at(f"budget.{step}.{side}") for step in ("opened", "resumed") for side in SIDES]
        return (*steps, *(_at(f"decided.{side}", target="person") for side in SIDES))
    found = [_at(f"claim.{side}") for side in SIDES]
    for phase in PHASES:
        found += [_at(f"{step}.{side}", phase) for step in (*STEPS, "gate.resumed") for side in SIDES]
        if way == DEPLOYED:
            found += _asked(phase)
    return (*found, *(_at(name) for name in ENDS))


def _asked(phase: str) -> list[Kill]:
    """Return the points of asking a person in a phase."""
    found = [_at(f"gate.shown.{side}", phase) for side in SIDES]
    # The form was answered and nothing is written: no commit, so one side only.
    found += [_at("gate.answered", phase, route=FORM)]
    found += [_at(f"gate.written.{side}", phase, route=FORM) for side in SIDES]
    found += [_at(f"decided.{side}", phase, route=COMMAND, target="person") for side in SIDES]
    if phase == PHASES[0]:
        found += [_at(f"gate.amended.{side}", phase, route=FORM) for side in SIDES]
        found += [_at(f"gate.amended.{side}", phase, route=COMMAND, target="person") for side in SIDES]
    return found


def _at(name: str, phase: str = "", *, route: str = "", target: str = "point") -> Kill:
    return Kill(target=target, crash=f"{name}@{phase}" if phase else name, phase=phase, route=route)


def known() -> frozenset[str]:
    """Return the names of all points that the plan can draw."""
    drawn = [kill.crash.partition("@")[0] for way, _ in TURN for kill in points(way)]
    return frozenset((*drawn, *UPKEEP))


def everything() -> frozenset[str]:
    """Return all points, with their phases, that a full run must strike."""
    return frozenset(kill.crash for way, _ in TURN for kill in points(way)) | frozenset(UPKEEP)


class Plan:
    """Draws stories until enough kills have struck.

    Args:
        count: how many kills.
        seed: of the random choice. The same seed draws the same; kills that came too late are drawn again.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._seed = seed
        self._left = count
        self._number = 0
        self._chance = random.Random(seed)  # noqa: S311 (a repeatable choice is meant)
        self._decks: dict[str, list[Kill]] = {}
        self._owed: list[str] = []

    def next(self) -> Story | None:
        """Return the next story, or None where those under way hold enough kills."""
        if self._left <= 0:
            return None
        way, size = TURN[self._number % len(TURN)]
        self._number += 1
        if self._left <= len(self._owed):  # all is dealt: what came too late is made up for on its own way
            way, size = self._owed[0], self._owed.count(self._owed[0])
            self._owed = [each for each in self._owed if each != way]
        story = self._story(way, f"k{self._seed}-{self._number}", min(size, self._left))
        self._left -= len(story.kills)
        return story

    def too_late(self, story: Story, kills: Iterable[Kill]) -> None:
        """Take back the kills of a story that did not strike."""
        for kill in kills:
            self._left += 1
            self._owed.append(story.way)
            if kill.crash:
                self._deck(story.way if kill.target != "upkeep" else "upkeep").insert(0, kill)

    def _deck(self, name: str) -> list[Kill]:
        return self._decks.setdefault(RUN if name == BRIEF else name, [])

    def _story(self, way: str, slug: str, size: int) -> Story:
        chance = self._chance
        if way == WORKER:
            targets = chance.sample(WORKERS, len(WORKERS))[:size]
            kills = [Kill(target=target, after_s=round(0.5 + 4 * chance.random(), 2)) for target in targets]
            return Story(slug=slug, way=way, kills=tuple(kills))
        asked = way == DEPLOYED
        routes = {phase: self._route(way, phase) for phase in PHASES} if asked else {}
        amend = self._route(way, PHASES[0], amending=True) if asked else ""
        moments = [] if way == BUDGET else [self._moment() for _ in range(round(size / 8))]
        upkeep = self._draw("upkeep", [_at(name, target="upkeep") for name in UPKEEP], size // 6 if asked else 0, None)
        story = Story(slug=slug, way=way, kills=(), routes=routes, amend=amend)
        # Upkeep submits anew only a run that died before it had made its project.
        unborn = [_at("claim.before")] if any(kill.crash.startswith("upkeep.again") for kill in upkeep) else []
        rest = unborn + self._draw(way, points(way), size - len(moments) - len(upkeep) - len(unborn), story, unborn)
        return Story(slug=slug, way=way, kills=(*rest, *moments, *upkeep), routes=routes, amend=amend)

    def _draw(
        self, name: str, among: Sequence[Kill], size: int, story: Story | None, beside: Sequence[Kill] = ()
    ) -> list[Kill]:
        """Take kills from a deck, filled anew when nothing in it fits; no story is killed twice at one point."""
        deck, drawn = self._deck(name), list[Kill]()
        refilled = False
        while len(drawn) < size:
            fits = next((kill for kill in deck if kill not in (*beside, *drawn) and _fits(kill, drawn, story)), None)
            if fits is not None:
                deck.remove(fits)
                drawn.append(fits)
            elif refilled:
                break  # a story has fewer points than were wanted
            else:
                deck += self._chance.sample(among, len(among))
                refilled = True
        return drawn

    def _route(self, way: str, phase: str, *, amending: bool = False) -> str:
        """Return the way on which the kill lies that has waited longest, so that none waits for a lucky draw."""
        chosen = self._chance.choice((FORM, COMMAND))
        waiting = (kill for kill in self._deck(way) if kill.route and kill.phase == phase)
        return next((kill.route for kill in waiting if kill.crash.startswith("gate.amended") == amending), chosen)

    def _moment(self) -> Kill:
        """Draw a moment: in a phase, and how long a process that comes to it lives on."""
        target = self._chance.choices(MOMENTS, weights=(4, 1, 2))[0]
        phase = self._chance.choice(PHASES)
        return Kill(target=target, phase=phase, after_s=round(0.2 + 1.8 * self._chance.random(), 2))


def _fits(kill: Kill, drawn: Sequence[Kill], story: Story | None) -> bool:
    """Tell whether the kill is on this story's way, beside those that were drawn."""
    if story is None:
        return True
    if kill.crash in ENDS[1:] and story.way != RUN and any(each.crash in ENDS[1:] for each in drawn):
        return False  # the project is completed by then, so nothing passes the others
    if not kill.route:
        return True
    if kill.crash.startswith("gate.amended"):
        return story.amend == kill.route
    return story.routes.get(kill.phase) == kill.route
