"""One project's way through its kills: lives with crash points and moments in them, until it has finished."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from kills_plan import BRIEF as BY_BRIEF
from kills_plan import BUDGET, PHASES, RUN, Kill, Story
from kills_site import BRIEF, Life, Site

from botarmy.brief import read_brief
from botarmy.crashpoints import KILLED
from botarmy.records import GateRequest, Project, Status, digest

LONGEST_S = 1500.0
"""A project that is not finished by then is lost; many times what one takes on two cores that nobody else uses."""

LIFE_S = 400.0
"""A process that has not ended by then hangs."""

TRIES = 5
"""A moment is tried this often, each time sooner; then it is too late for it."""

LIMIT_USD = "0.005"
"""Less than the most that the first call can cost."""


class Lost(Exception):
    """The project cannot be brought to its end."""


@dataclass
class Played:
    """What happened in a story.

    Attributes:
        done: the kills that struck, in order.
        missed: kills that did not: they were never passed, or the process ended before.
        decisions: gate -> (decision, who), each answer that was taken from the person.
        amended: (kind, attempt) -> how often a person's amendment was taken.
        lives: how many processes it took.
        lost: why it did not finish, or "".
        slug: the project's slug.
    """

    story: Story
    done: list[Kill] = field(default_factory=list)
    missed: list[Kill] = field(default_factory=list)
    decisions: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    amended: Counter[tuple[str, int]] = field(default_factory=Counter)
    lives: int = 0
    lost: str = ""
    slug: str = ""
    seconds: float = 0.0


class Teller(abc.ABC):
    """What all ways share: lives with the kills that are left in them."""

    def __init__(self, site: Site, story: Story, number: int) -> None:
        self.site = site
        self.played = Played(story, slug=story.slug)
        self.left = list(story.kills)
        self._tries = 0
        # The same product by a text that differs, so that the brief tells whose project it is.
        self.text = BRIEF.replace("\n", "\n" * (number + 1), 1) if story.way == BY_BRIEF else BRIEF
        self.brief = site.home / f"{story.slug}.md"
        self.brief.write_text(self.text, "utf-8")

    async def play(self) -> Played:
        """Carry the project through its kills to its end."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(LONGEST_S):
                await self.tell()
        except Lost as error:
            self.played.lost = str(error)
        except TimeoutError:
            self.played.lost = f"not finished within {LONGEST_S:.0f} s: {await self.standing()}"
        self.played.missed += self.left
        self.played.seconds = time.monotonic() - started
        return self.played

    @abc.abstractmethod
    async def tell(self) -> None:
        """Bring the project to its end."""

    async def project(self) -> Project | None:
        """Return the project, or None before it was made.

        Raises:
            Lost: its brief has made two.
        """
        if self.played.story.way != BY_BRIEF:
            return await self.site.read(lambda work: work.projects.by_slug(self.played.story.slug))
        sha = digest(read_brief(self.text.encode()))
        found = await self.site.read(lambda work: work.projects.with_brief(sha))
        if len(found) > 1:
            raise Lost(f"its brief made {len(found)} projects")
        self.played.slug = found[0].slug if found else self.played.slug
        return found[0] if found else None

    async def standing(self) -> str:
        """Say in a line how the project stands."""
        project = await self.project()
        if project is None:
            return "there is no project"
        gates = await self.site.read(lambda work: work.gates.open_for(project.id))
        attempts = await self.site.read(lambda work: work.attempts.list(project.id))
        at = f"{attempts[-1].phase} {attempts[-1].number} {attempts[-1].status.value}" if attempts else "no attempt"
        return f"{project.status.value}, {at}, {len(gates)} open gates; kills left: {[str(k) for k in self.left]}"

    async def live(self, what: str, *words: str) -> int:
        """Run a process of the project to its end, with the kills that are left for it; return its exit code."""
        moment = await self._due()
        late = moment is not None and self._tries >= TRIES - 2  # then nothing may come before the moment
        life = await self.born(what, *words, armed=[] if late else self.armed("point"))
        if moment is not None and not await self._at_moment(life, moment):
            self._tries += 1
            if self._tries >= TRIES:
                self.left.remove(moment)
                self.played.missed.append(moment)
                self._tries = 0
        return await self.ended(life)

    def armed(self, target: str, phase: str = "") -> list[Kill]:
        """Return the kills that are left for such a process."""
        return [kill for kill in self.left if kill.target == target and not (phase and kill.phase not in ("", phase))]

    async def born(self, what: str, *words: str, armed: Sequence[Kill] = ()) -> Life:
        """Begin a process."""
        self.played.lives += 1
        crash = ",".join(kill.crash for kill in armed)
        self.last = await self.site.life(what, *words, crash=crash, key=self.played.story.slug)
        return self.last

    async def ended(self, life: Life) -> int:
        """Wait for a process's end; where it ended at a crash point, take note."""
        try:
            code = await asyncio.wait_for(asyncio.shield(life.exit), LIFE_S)
        except TimeoutError:
            raise Lost(f"a process hangs: {life.tail()}") from None
        if code == KILLED:
            struck = [kill for kill in self.left if kill.crash == life.crash()]
            if not struck:
                raise Lost(f"a process ended as if killed, at no point that was armed: {life.tail()}")
            self.struck(struck[0])
        return code

    def struck(self, kill: Kill) -> None:
        """Take note of a kill."""
        self.left.remove(kill)
        self.played.done.append(kill)
        self.site.model.struck(self.played.story.slug, common=kill.target in ("server", "postgres"))

    async def _due(self) -> Kill | None:
        """Return the moment whose phase has come."""
        moments = [kill for kill in self.left if kill.target in ("flow", "server", "postgres")]
        if not moments or (project := await self.project()) is None:
            return None
        attempts = await self.site.read(lambda work: work.attempts.list(project.id))
        now = max((PHASES.index(each.phase) for each in attempts), default=0)
        return next((kill for kill in moments if PHASES.index(kill.phase) <= now), None)

    async def _at_moment(self, life: Life, kill: Kill) -> bool:
        """Kill at a moment of this life; return False where the life was over before."""
        await life.born
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(life.exit), kill.after_s / 2**self._tries)
            return False
        if kill.target == "flow":
            self.struck(kill)  # before its end is awaited: what it asks after this is asked by another
            await life.kill()
        else:
            async with self.site.alone:
                self.struck(kill)
                await (self.site.restart_postgres() if kill.target == "postgres" else self.site.kill_server())
        self._tries = 0
        return True


class Direct(Teller):
    """`botarmy run`, again and again, as a user at a terminal would."""

    async def tell(self) -> None:
        """Run until it is completed and no kill is left that could still strike."""
        way, failures = self.played.story.way, 0
        while True:
            before = len(self.played.done)
            project = await self.project()
            if project is not None and project.status is Status.completed and not self._after_its_end(way):
                return
            code = await self.live("cli", *self._words(way, project))
            project = await self.project()
            if code == 0 and project is not None and project.status is Status.completed:
                return
            if project is not None and await self._approved(project):
                continue
            async with self.site.alone:  # a server that another story has killed comes back first
                failures = failures + 1 if len(self.played.done) == before else 0
            if failures > 3:
                raise Lost(f"`botarmy run` ends with {code} though nothing kills it: {self.last.tail()}")

    def _after_its_end(self, way: str) -> bool:
        """Tell whether a run of the completed project can still be killed: the same brief would make another."""
        return way == RUN and any(kill.crash.startswith(("project.ended", "run.ended")) for kill in self.left)

    def _words(self, way: str, project: Project | None) -> list[str]:
        if way == BY_BRIEF:
            return ["run", str(self.brief)]
        if project is not None:
            return ["run", "--project", project.slug]
        budget = ["--budget", LIMIT_USD] if way == BUDGET else []
        return ["run", str(self.brief), "--project", self.played.story.slug, *budget]

    async def _approved(self, project: Project) -> bool:
        """Let a person approve what waits for one; tell whether anything did."""
        open_ = await self.site.read(lambda work: work.gates.open_for(project.id))
        gates = [gate for gate in open_ if gate.id not in self.played.decisions]
        for gate in gates:
            await by_command(self, gate, "approve", "", f"person-{len(self.played.decisions) + 1}")
        return bool(gates)


async def by_command(teller: Teller, gate: GateRequest, decision: str, comment: str, who: str) -> bool:
    """Decide a gate with `botarmy approve` or `reject`, which may be killed; tell whether the decision was taken."""
    words = [decision, str(gate.id), "--by", who, *(("--comment", comment) if comment else ())]
    armed = [kill for kill in teller.armed("person", gate.phase) if kill.crash.startswith("decided")]
    life = await teller.born("cli", *words, armed=armed)
    code = await teller.ended(life)
    taken = code == 0 or (code == KILLED and life.crash().startswith("decided.after"))
    if taken:
        teller.played.decisions[gate.id] = (decision, who)
    return taken
