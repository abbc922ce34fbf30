"""All checks behind the one callable that agents get."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from botarmy.checks import CheckName, CheckRequest, FileText
from botarmy.records import Evidence
from sandbox.checks.configuring import check_config
from sandbox.checks.job import Job, Trees, is_acceptance
from sandbox.checks.serving import check_contract, check_health, check_performance
from sandbox.checks.static import check_compile, check_lint, check_security
from sandbox.checks.testing import check_acceptance, check_tests
from sandbox.runner import Sandbox, open_to_all
from sandbox.tree import write_tree
from sandbox.workspace import workspace

CHECKS: dict[CheckName, Callable[[Job], Awaitable[Evidence]]] = {
    CheckName.compile: check_compile,
    CheckName.lint: check_lint,
    CheckName.security: check_security,
    CheckName.tests: check_tests,
    CheckName.acceptance: check_acceptance,
    CheckName.contract: check_contract,
    CheckName.health: check_health,
    CheckName.performance: check_performance,
    CheckName.config: check_config,
}


class SandboxChecks:
    """Runs checks on generated files; is a `botarmy.checks.Check`.

    Independent checks run at the same time, as many as there are processors; performance runs alone, so that its
    figures are the service's and not its neighbours'.
    """

    def __init__(self, sandbox: Sandbox, *, at_once: int | None = None) -> None:
        self._sandbox = sandbox
        self._at_once = at_once or max(1, min(4, os.cpu_count() or 1))

    async def __call__(self, files: tuple[FileText, ...], requests: tuple[CheckRequest, ...]) -> tuple[Evidence, ...]:
        """Return the evidence of each request, in their order.

        Raises:
            UnsafePath: a generated path is refused; nothing was run.
            IsolationMissing: generated code cannot be isolated here, and running it so was not allowed.
        """
        self._sandbox.require()
        with workspace() as folder:
            trees = lay_out(files, folder)
            jobs = [Job(self._sandbox, trees, request) for request in requests]
            together = [job for job in jobs if job.request.name is not CheckName.performance]
            found = dict(zip(together, await self._all(together), strict=True))
            for job in jobs:
                if job not in found:
                    found[job] = await carry_out(job)
            return tuple(found[job] for job in jobs)

    async def _all(self, jobs: list[Job]) -> list[Evidence]:
        slots = asyncio.Semaphore(self._at_once)

        async def one(job: Job) -> Evidence:
            async with slots:
                return await carry_out(job)

        tasks = [asyncio.create_task(one(job)) for job in jobs]
        try:
            return list(await asyncio.gather(*tasks))
        finally:  # one that raises must not leave others running in a folder that vanishes
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def carry_out(job: Job) -> Evidence:
    """Return the evidence of one check."""
    return await CHECKS[job.request.name](job)


def lay_out(files: tuple[FileText, ...], folder: Path) -> Trees:
    """Write the files as the checks want to see them.

    Raises:
        UnsafePath: a path is refused.
    """
    trees = Trees(files, folder / "whole", folder / "product", folder / "acceptance")
    write_tree(files, trees.whole)
    write_tree([file for file in files if not is_acceptance(file.path)], trees.product)
    write_tree([file for file in files if is_acceptance(file.path)], trees.acceptance)
    for tree in (trees.whole, trees.product, trees.acceptance):
        open_to_all(tree)  # whatever the umask; the folder around them stays ours alone
    return trees
