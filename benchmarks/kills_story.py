"""One project's way through its kills: runs it, kills it, plays the worker and the person, until it has finished."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kills_plan import COMMAND, Kill, Story
from kills_site import BRIEF, Life, Site

from botarmy.crashpoints import KILLED
from botarmy.errors import BotArmyError
from botarmy.records import GateRequest, Project, Status
from flows.api import submit

LONGEST_S = 240.0
"""A project that is not finished by then is lost."""

LIFE_S = 90.0
"""A process that has not ended by then hangs."""


class Lost(Exception):
    """The project cannot be brought to its end."""


@dataclass
class Played:
    """What happened in a story.

    Attributes:
        done: the kills that struck, in order.
        missed: kills that did not: the process ended before.
        decisions: gate -> (decision, who), each answer that was taken from the person.
        lives: how many processes it took.
        lost: why it did not finish, or "".
    """

    story: Story
    done: list[Kill] = field(default_factory=list)
    missed: list[Kill] = field(default_factory=list)
    decisions: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    lives: int = 0
    lost: str = ""
    seconds: float = 0.0


async def play(site: Site, story: Story, seed: int) -> Played:
    """Carry a project through its kills to its end."""
    teller = Deployed(site, story, seed) if story.deployed else Direct(site, story, seed)
    started = time.monotonic()
    try:
        async with asyncio.timeout(LONGEST_S):
            await teller.tell()
    except Lost as error:
        teller.played.lost = str(error)
    except TimeoutError:
        teller.played.lost = f"not finished within {LONGEST_S:.0f} s: {await teller.standing()}"
    teller.played.seconds = time.monotonic() - started
    return teller.played


class _Teller(abc.ABC):
    """What both ways share: lives with the next kill in them."""

    def __init__(self, site: Site, story: Story, seed: int) -> None:
        self.site = site
        self.played = Played(story)
        self._left = list(story.kills)
        self._chance = random.Random(f"{seed} {story.slug}")  # noqa: S311 (a repeatable choice is meant)
        self._tries = 0

    @abc.abstractmethod
    async def tell(self) -> None:
        """Bring the project to its end."""

    async def project(self) -> Project | None:
        """Return the project, or None before it was made."""
        async with self.site.database.work() as work:
            return await work.projects.by_slug(self.played.story.slug)

    async def standing(self) -> str:
        """Say in a line how the project stands."""
        project = await self.project()
        if project is None:
            return "there is no project"
        async with self.site.database.work() as work:
            gates = await work.gates.open_for(project.id)
            attempts = await work.attempts.list(project.id)
        at = f"{attempts[-1].phase} {attempts[-1].number} {attempts[-1].status.value}" if attempts else "no attempt"
        return f"{project.status.value}, {at}, {len(gates)} open gates; kills left: {[str(k) for k in self._left]}"

    async def live(self, what: str, *words: str) -> int:
        """Run a process to its end, with the next kill in it where that is one of a run; return its exit code."""
        kill = self._left[0] if self._left and self._left[0].target != "approve" else None
        if kill is None:
            return await self.ended(await self._born(what, *words))
        if kill.target == "point":
            code = await self.ended(await self._born(what, *words, crash=kill.crash))
            self._struck(kill, code == KILLED)
            return code
        life = await self._born(what, *words)
        code, struck = await self._at_moment(life, kill)
        self._struck(kill, struck)
        return code

    async def _at_moment(self, life: Life, kill: Kill) -> tuple[int, bool]:
        await life.born
        with contextlib.suppress(TimeoutError):
            after = kill.after_s / 2**self._tries
            return await asyncio.wait_for(asyncio.shield(life.exit), after), False
        if kill.target == "flow":
            await life.kill()
        else:
            async with self.site.alone:
                await (self.site.restart_postgres() if kill.target == "postgres" else self.site.kill_server())
        return await self.ended(life), True

    async def ended(self, life: Life) -> int:
        """Wait for a process's end."""
        try:
            return await asyncio.wait_for(asyncio.shield(life.exit), LIFE_S)
        except TimeoutError:
            raise Lost(f"a process hangs: {life.tail()}") from None

    async def _born(self, what: str, *words: str, crash: str = "") -> Life:
        self.played.lives += 1
        key = f"{self.played.story.slug}.{self.played.lives}"
        self.last = await self.site.life(what, *words, crash=crash, key=key)
        return self.last

    def _struck(self, kill: Kill, struck: bool) -> None:
        """Take a kill off the list when it struck, or when it is too late for it."""
        if struck:
            self._left.remove(kill)
            self.played.done.append(kill)
            self._tries = 0
            return
        self._tries += 1
        if kill.target == "point" or self._tries > 4:
            self.too_late(kill)

    def too_late(self, kill: Kill) -> None:
        """Note that the process ended before its kill."""
        self._left.remove(kill)
        self.played.missed.append(kill)
        self._tries = 0


class Direct(_Teller):
    """`botarmy run`, again and again, as a user at a terminal would."""

    async def tell(self) -> None:
        """Run until it is completed and no kill is left."""
        brief = self.site.home / "brief.md"
        failures = 0
        while True:
            known = await self.project()
            slug = self.played.story.slug
            words = ["run", "--project", slug] if known else ["run", str(brief), "--project", slug]
            kills = len(self.played.done)
            code = await self.live("cli", *words)
            if code == 0 and not self._left:
                return
            project = await self.project()
            if code == 0 and project is not None and project.status is Status.completed:
                while self._left:
                    self.too_late(self._left[0])
                return
            failures = failures + 1 if len(self.played.done) == kills else 0
            if failures > 3:
                raise Lost(f"`botarmy run` ends with {code} though nothing kills it: {self.last.tail()}")


class Deployed(_Teller):
    """Flow runs of the deployment, carried out as a worker does; a person answers; upkeep mends."""

    async def tell(self) -> None:
        """Do what is due until the project is completed and no kill is left."""
        slug = self.played.story.slug
        parameters = {"brief": BRIEF, "name": slug, "gates": "suspend", "approval": "always"}
        await self._patiently(submit, self.site.api, "sdlc/default", parameters, name=slug)
        self._upkeep = list(self.played.story.upkeep)
        self._killed_flow = False
        idle = 0
        while True:
            project = await self.project()
            if project is not None and project.status is Status.completed:
                break
            idle = 0 if await self._step(project) else idle + 1
            if idle > 12:
                raise Lost(f"nobody goes on with it: {await self.standing()}")
        while self._left:
            self.too_late(self._left[0])
        self.played.missed += self._upkeep

    async def _step(self, project: Project | None) -> bool:
        """Do one thing; tell whether it was more than upkeep with nothing to do."""
        if (run := await self._scheduled()) is not None:
            await self.live("flow", run["id"])
            return True
        if project is not None and (gate := await self._answerable(project)) is not None:
            return await self._answer(gate)
        await self._tend()
        return False

    async def _scheduled(self) -> dict[str, Any] | None:
        """Return the oldest flow run of this project that a worker would start now."""
        slug = self.played.story.slug
        runs = {"state": {"type": {"any_": ["SCHEDULED"]}}, "name": {"any_": [slug, f"{slug}-recovered"]}}
        found = await self._patiently(self.site.call, "POST", "/flow_runs/filter", {"flow_runs": runs})
        return min(found, key=lambda run: run["created"]) if found else None

    async def _answerable(self, project: Project) -> GateRequest | None:
        async with self.site.database.work() as work:
            gates = await work.gates.open_for(project.id)
        for gate in gates:
            if gate.flow_run_id and gate.id not in self.played.decisions:
                run = await self._patiently(self.site.call, "GET", f"/flow_runs/{gate.flow_run_id}")
                if run["state_type"] == "PAUSED":
                    return gate
        return None

    async def _answer(self, gate: GateRequest) -> bool:
        """Decide a gate as a person does: one in five is rejected."""
        reject = gate.attempt == 1 and self._chance.random() < 0.2
        decision, who = "reject" if reject else "approve", f"person-{len(self.played.decisions) + 1}"
        comment = f"Again, says {who}." if reject else ""
        if self.played.story.routes[gate.phase] == COMMAND:
            taken = await self._by_command(gate, decision, comment, who)
        else:
            answer = {"decision": decision, "comment": comment, "reviewer": who}
            path = f"/flow_runs/{gate.flow_run_id}/resume"
            said = await self._patiently(self.site.call, "POST", path, {"run_input": answer})
            taken = said["status"] == "ACCEPT"
        if taken:
            self.played.decisions[gate.id] = (decision, who)
        return bool(taken)

    async def _by_command(self, gate: GateRequest, decision: str, comment: str, who: str) -> bool:
        words = [decision, str(gate.id), "--by", who, *(("--comment", comment) if comment else ())]
        kill = self._left[0] if self._left else None
        armed = kill is not None and kill.target == "approve" and kill.phase == gate.phase
        life = await self._born("cli", *words, crash=kill.crash if armed and kill else "")
        code = await self.ended(life)
        if armed and kill is not None:
            self._struck(kill, code == KILLED)
        if code == 0:
            return True
        return code == KILLED and kill is not None and kill.crash.startswith("decided.after")

    async def _tend(self) -> None:
        """Let upkeep look for what broke off, and kill it where that is due."""
        await asyncio.sleep(1.1)  # the recovery window
        kill = self._upkeep[0] if self._upkeep else None
        code = await self.ended(await self._born("upkeep", crash=kill.crash if kill else ""))
        if kill is not None and code == KILLED:
            self._upkeep.remove(kill)
            self.played.done.append(kill)

    async def _patiently(self, function: Any, *words: Any, **named: Any) -> Any:
        """Call Prefect; try again while its server is being killed elsewhere."""
        for pause in (0.5, 1, 2, 4, 8):
            with contextlib.suppress(BotArmyError):
                return await asyncio.to_thread(function, *words, **named)
            await asyncio.sleep(pause)
        return await asyncio.to_thread(function, *words, **named)
