"""Running the checks that the workflow names over the files of the product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botarmy.agents.product import Tree, merge_files, strays
from botarmy.artifacts import ApiSpecifications, EnvironmentConfig, SourceCode
from botarmy.checks import Check, CheckName, CheckRequest, FileText
from botarmy.errors import DefinitionError, UnsafePath
from botarmy.records import Evidence, Record


class Proof(Record):
    """What running the checks gave.

    Attributes:
        evidence: what ran, in the order of the phase's checks; empty when the files make no tree.
        faults: why the files make no tree.
    """

    evidence: tuple[Evidence, ...] = ()
    faults: tuple[str, ...] = ()


class Subject(Record):
    """What the checks need to know about the product; each check is handed only its part."""

    source: SourceCode
    api: ApiSpecifications | None = None
    configuration: EnvironmentConfig | None = None

    def context(self, check: CheckName) -> dict[str, Any]:
        """Return the context of one check, see docs/interfaces.md.

        Raises:
            DefinitionError: the check needs an artifact that the phase does not have.
        """
        service = {"start": list(self.source.start), "health_path": self.source.health_path}
        described = {**service, "openapi": self.api and self.api.openapi}
        contexts: Mapping[CheckName, Mapping[str, Any]] = {
            CheckName.acceptance: service,
            CheckName.contract: described,
            CheckName.health: described,
            CheckName.performance: described,
            CheckName.config: {**service, "environments": self.configuration and _environments(self.configuration)},
        }
        context = dict(contexts.get(check, {}))
        missing = [name for name, value in context.items() if value is None]
        if missing:
            kind = {"openapi": "api_specifications", "environments": "environment_config"}[missing[0]]
            raise DefinitionError(
                f"The check {check.value!r} needs the artifact {kind!r}, which its phase does not have.",
                hint="Move the check to a later phase of the workflow, or add the phase that makes the artifact.",
            )
        return context


def _environments(configuration: EnvironmentConfig) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in configuration.environments]


async def prove(
    checks: Iterable[str], parts: Mapping[str, Iterable[FileText]], subject: Subject, check: Check
) -> tuple[Tree, Proof]:
    """Merge the parts into one tree and run checks, by name, over it.

    Files that make no tree (conflicts, files in another's folder, paths that the sandbox refuses) are a fault of the answer, not of the program:
    nothing runs, and the faults say why.

    Raises:
        DefinitionError: the phase names a check that its artifacts cannot feed.
        SandboxError: generated code cannot be run safely on this machine.
    """
    tree = merge_files(parts)
    faults = (*tree.conflicts, *strays(parts))
    if faults:
        return tree, Proof(faults=faults)
    names = [CheckName(name) for name in checks]
    requests = tuple(CheckRequest(name=name, context=subject.context(name)) for name in names)
    if not requests:
        return tree, Proof()
    try:
        return tree, Proof(evidence=await check(tree.files, requests))
    except UnsafePath as error:
        return tree, Proof(faults=(error.message,))
