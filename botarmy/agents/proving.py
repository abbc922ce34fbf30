"""Running the checks that the workflow names over the files of the product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botarmy.agents.product import Tree, merge_files
from botarmy.artifacts import ApiSpecifications, EnvironmentConfig, SourceCode
from botarmy.checks import Check, CheckName, CheckRequest, FileText
from botarmy.errors import DefinitionError, UnsafePath
from botarmy.records import Evidence, Phase, Record


class Proof(Record):
    """What running the checks gave.

    Attributes:
        evidence: what ran, in the order of the phase's checks; empty when the files make no tree.
        faults: why the files make no tree.
    """

    evidence: tuple[Evidence, ...] = ()
    faults: tuple[str, ...] = ()


class Subject(Record):
    """What the checks need to know about the product; each check is handed only its part.

    Attributes:
        unit_tests, acceptance_tests: paths of the test files.
    """

    source: SourceCode
    api: ApiSpecifications | None = None
    configuration: EnvironmentConfig | None = None
    unit_tests: tuple[str, ...] = ()
    acceptance_tests: tuple[str, ...] = ()

    def context(self, check: CheckName) -> dict[str, Any]:
        """Return the context of one check, see docs/interfaces.md.

        Raises:
            DefinitionError: the check needs an artifact that the phase does not have.
        """
        service = {"start": list(self.source.start), "health_path": self.source.health_path}
        contexts: Mapping[CheckName, Mapping[str, Any]] = {
            CheckName.tests: {"files": list(self.unit_tests)},
            CheckName.acceptance: {"files": list(self.acceptance_tests), **service},
            CheckName.contract: {"openapi": self.api and self.api.openapi, **service},
            CheckName.performance: {"openapi": self.api and self.api.openapi, **service},
            CheckName.health: service,
            CheckName.config: {"configuration": _json(self.configuration), **service},
        }
        context = dict(contexts.get(check, {}))
        missing = [name for name, value in context.items() if value is None]
        if missing:
            kind = {"openapi": "api_specifications", "configuration": "environment_config"}[missing[0]]
            raise DefinitionError(
                f"The check {check.value!r} needs the artifact {kind!r}, which its phase does not have.",
                hint="Move the check to a later phase of the workflow, or add the phase that makes the artifact.",
            )
        return context


def _json(record: Record | None) -> dict[str, Any] | None:
    return record.model_dump(mode="json") if record is not None else None


async def prove(
    phase: Phase, parts: Mapping[str, Iterable[FileText]], subject: Subject, check: Check
) -> tuple[Tree, Proof]:
    """Merge the parts into one tree and run the phase's checks over it.

    Files that make no tree (conflicts, paths that the sandbox refuses) are a fault of the answer, not of the program:
    nothing runs, and the faults say why.

    Raises:
        DefinitionError: the phase names a check that its artifacts cannot feed.
        SandboxError: generated code cannot be run safely on this machine.
    """
    tree = merge_files(parts)
    if tree.conflicts:
        return tree, Proof(faults=tree.conflicts)
    names = [CheckName(name) for name in phase.checks]
    requests = tuple(CheckRequest(name=name, context=subject.context(name)) for name in names)
    if not requests:
        return tree, Proof()
    try:
        return tree, Proof(evidence=await check(tree.files, requests))
    except UnsafePath as error:
        return tree, Proof(faults=(error.message,))
