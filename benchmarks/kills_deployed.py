"""Projects that flow runs of the deployment carry on: a person answers, upkeep mends; with a real worker or as one does."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from kills_plan import COMMAND, PHASES, Kill, Story
from kills_site import WINDOW_S, Site
from kills_story import Lost, Teller, by_command
from kills_worker import QUEUE, Worker

from botarmy.crashpoints import KILLED
from botarmy.records import GateRequest, Project, Status
from flows.api import submit

AMENDED = "project_plan"


class Deployed(Teller):
    """Flow runs of the deployment, each in a process as a worker would start it."""

    approval = "always"
    queue = ""

    def __init__(self, site: Site, story: Story, number: int) -> None:
        super().__init__(site, story, number)
        self._chance = random.Random(story.slug)  # noqa: S311 (a repeatable choice is meant)
        self._amend = story.amend

    async def tell(self) -> None:
        """Do what is due until the project is completed."""
        slug = self.played.story.slug
        parameters = {"brief": self.text, "name": slug, "gates": "suspend", "approval": self.approval}
        await self.site.patiently(submit, self.site.api, "sdlc/default", parameters, name=slug, queue=self.queue)
        idle = 0
        while (project := await self.project()) is None or project.status is not Status.completed:
            idle = 0 if await self.step(project) else idle + 1
            if idle > 12:
                raise Lost(f"nobody goes on with it: {await self.standing()}")

    async def step(self, project: Project | None) -> bool:
        """Do one thing; tell whether it was more than upkeep with nothing to do."""
        if (run := await self.scheduled()) is not None:
            await self.live("flow", run["id"])
            return True
        if project is not None and (gate := await self._answerable(project)) is not None:
            return await self._answer(gate)
        await self.tend()
        return False

    async def scheduled(self) -> dict[str, Any] | None:
        """Return the oldest flow run of this project that a worker would start now."""
        slug = self.played.story.slug
        runs = {"state": {"type": {"any_": ["SCHEDULED"]}}, "name": {"any_": [slug, f"{slug}-recovered"]}}
        found = await self.site.patiently(self.site.call, "POST", "/flow_runs/filter", {"flow_runs": runs})
        return min(found, key=lambda run: run["created"]) if found else None

    async def _answerable(self, project: Project) -> GateRequest | None:
        gates = await self.site.read(lambda work: work.gates.open_for(project.id))
        for gate in gates:
            if gate.flow_run_id and gate.id not in self.played.decisions:
                run = await self.site.patiently(self.site.call, "GET", f"/flow_runs/{gate.flow_run_id}")
                if run["state_type"] == "PAUSED":
                    return gate
        return None

    async def _answer(self, gate: GateRequest) -> bool:
        """Amend or decide a gate as a person does: one in five is rejected."""
        if self._amend and gate.phase == PHASES[0]:
            return await self._amended(gate)
        reject = gate.attempt == 1 and self._chance.random() < 0.2
        decision, who = "reject" if reject else "approve", f"person-{len(self.played.decisions) + 1}"
        comment = f"Again, says {who}." if reject else ""
        if self.played.story.routes[gate.phase] == COMMAND:
            return await by_command(self, gate, decision, comment, who)
        taken = await self._by_form(gate, decision=decision, comment=comment, reviewer=who)
        if taken:
            self.played.decisions[gate.id] = (decision, who)
        return taken

    async def _amended(self, gate: GateRequest) -> bool:
        """Let a person replace the plan, once."""
        plan = (await self.site.read(lambda work: work.artifacts.get(gate.project_id, AMENDED))).content
        text = json.dumps(plan | {"purpose": "To know where each book stands."})
        if self._amend == COMMAND:
            taken = await self._amended_by_command(gate, text)
        else:
            taken = await self._by_form(
                gate, decision="approve", reviewer="Ann", amended_artifact=AMENDED, amended_content=text
            )
        if taken:
            self.played.amended[(AMENDED, gate.attempt)] += 1
            self._amend = ""
        return taken

    async def _amended_by_command(self, gate: GateRequest, text: str) -> bool:
        path = self.site.home / f"{self.played.story.slug}-plan.json"
        path.write_text(text, "utf-8")
        words = ["amend", str(gate.id), "--artifact", AMENDED, "--file", str(path), "--by", "Ann"]
        armed = [kill for kill in self.armed("person", gate.phase) if kill.crash.startswith("gate.amended")]
        life = await self.born("cli", *words, armed=armed)
        code = await self.ended(life)
        return code == 0 or (code == KILLED and life.crash().startswith("gate.amended.after"))

    async def _by_form(self, gate: GateRequest, **answer: str) -> bool:
        path = f"/flow_runs/{gate.flow_run_id}/resume"
        said = await self.site.patiently(self.site.call, "POST", path, {"run_input": answer})
        return bool(said["status"] == "ACCEPT")

    async def tend(self) -> None:
        """Let upkeep look for what broke off; it may be killed as well."""
        await asyncio.sleep(
            WINDOW_S + 0.6
        )  # Prefect tells its time in whole seconds; upkeep takes half of one to begin
        await self.ended(await self.born("upkeep", armed=self.armed("upkeep")))


class Worked(Deployed):
    """The same with a real worker, which starts each flow run as a child process; it and its child are killed.

    People are asked only where the evidence leaves it open, so one flow run goes through all phases.
    """

    approval = "when_needed"
    queue = QUEUE

    async def tell(self) -> None:
        """Keep a worker up until the project is completed."""
        async with self.site.workers:
            self._worker = Worker(self.site, self.played.story.slug)
            try:
                await super().tell()
            finally:
                self._worker.kill(worker=True, runs=True)

    async def step(self, project: Project | None) -> bool:
        """Wait for the worker, kill it when that is due, let upkeep mend what nobody is at."""
        self._worker.keep_up()
        if self._worker.runs():
            if self.left:
                await self._kill(self.left[0])
            else:
                await asyncio.sleep(0.2)
            return True
        if await self.scheduled() is not None:
            await asyncio.sleep(0.2)
            return True
        if project is not None and (gate := await self._answerable(project)) is not None:
            return await by_command(self, gate, "approve", "", f"person-{len(self.played.decisions) + 1}")
        await self.tend()
        return False

    async def _kill(self, kill: Kill) -> None:
        """Kill some time after the run's process began; too late where it has ended by then."""
        if not await self._worker.run_lasts(kill.after_s):
            return
        self.struck(kill)
        self._worker.kill(worker=kill.target != "flow under worker", runs=kill.target != "worker")
        if kill.target != "worker and flow":
            await asyncio.sleep(0.5)  # the one that lives shows what it makes of it
