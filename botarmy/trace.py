"""From each requirement to what was made of it: features, criteria, files, operations, tests, evidence, approval.

Everything is read from stored artifacts and decisions; a link that no artifact states is not drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botarmy.person import POLICY
from botarmy.records import ArtifactVersion, GateRequest, Record

UNCOVERED, CONTEXT = "uncovered", "context"
_PROOF = "requirements_verified"
"""The criterion whose shortfall a person may accept; its reasons name each unproven requirement."""


class TracedTest(Record):
    """An executed test that names the requirement."""

    id: str
    outcome: str


class Approved(Record):
    """The decision that binds the version which proves a requirement, or that accepts it without proof.

    Attributes:
        by: a person's name as claimed, or "policy:auto".
        current: False where the artifact has changed since the decision.
    """

    phase: str
    attempt: int
    decision: str
    by: str
    at: str
    current: bool


class TraceRow(Record):
    """One requirement and all that hangs on it.

    `status` is verified, failed or uncovered; "context" for a sentence that asks for nothing and so needs no test.
    `approval` is the decision on the tests that name it; `accepted` a person's approval of a gate that said it is unproven:
    all that such a requirement rests on.
    """

    id: str
    text: str
    kind: str
    priority: str
    understood: bool
    sources: tuple[str, ...]
    features: tuple[str, ...]
    criteria: tuple[str, ...]
    operations: tuple[str, ...]
    files: tuple[str, ...]
    tests: tuple[TracedTest, ...]
    status: str
    evidence: tuple[str, ...]
    approval: Approved | None
    accepted: Approved | None = None


def trace_requirements(heads: Mapping[str, ArtifactVersion], gates: Sequence[GateRequest] = ()) -> tuple[TraceRow, ...]:
    """Trace every requirement of a project through the current versions of its artifacts.

    Args:
        heads: the current version of each artifact kind; what has not been made yet is simply absent.
        gates: the gates of the project, decided or not.

    Returns:
        One row for each requirement, in the order of the requirements.
    """
    contents = {kind: version.content for kind, version in heads.items()}
    index = _Index(contents)
    approval = _approval(heads, gates)
    requirements = _items(contents, "user_requirements", "requirements")
    rows = (_row(requirement, index, approval) for requirement in requirements)
    return tuple(row if row.status == "verified" else _accepted(row, heads, gates) for row in rows)


class _Index:
    """The artifacts, looked up by requirement id or feature id."""

    def __init__(self, contents: Mapping[str, Mapping[str, Any]]) -> None:
        self.features = _items(contents, "feature_breakdown", "features")
        self.criteria = _items(contents, "acceptance_criteria", "criteria")
        self.feature_map = _items(contents, "api_specifications", "feature_map")
        self.steps = _items(contents, "implementation_plan", "steps")
        self.cases = _items(contents, "test_results", "cases")
        self.files = {
            str(file["path"]): str(file["content"])
            for kind in ("source_code", "unit_tests", "test_results")
            for file in _items(contents, kind, "files")
        }
        self.source_paths = {str(file["path"]) for file in _items(contents, "source_code", "files")}
        self.statuses = {item["requirement_id"]: item for item in _items(contents, "quality_report", "requirements")}
        self.evidence = tuple(contents.get("test_results", {}).get("evidence", ()))

    def operations_of(self, features: Iterable[str]) -> tuple[str, ...]:
        wanted = set(features)
        return _unique(
            operation
            for entry in self.feature_map
            if entry["feature_id"] in wanted
            for operation in entry["operation_ids"]
        )

    def files_of(self, requirement: str, features: Iterable[str]) -> tuple[str, ...]:
        """Files that the plan gives to the features and that exist, and files that name the requirement."""
        wanted = set(features)
        planned = [path for step in self.steps if wanted & set(step["feature_ids"]) for path in step.get("files", ())]
        named = re.compile(rf"(?<![\w-]){re.escape(requirement)}(?![\w-])")
        mentioned = [path for path, text in self.files.items() if named.search(text)]
        return _unique([path for path in planned if path in self.source_paths] + mentioned)


def _row(requirement: Mapping[str, Any], index: _Index, approval: Approved | None) -> TraceRow:
    name = requirement["id"]
    features = tuple(item["id"] for item in index.features if name in item["requirement_ids"])
    tests = tuple(
        TracedTest(id=case["id"], outcome=case["outcome"])
        for case in index.cases
        if name in case.get("requirement_ids", ())
    )
    judged = index.statuses.get(name)
    return TraceRow(
        id=name,
        text=requirement["text"],
        kind=requirement["kind"],
        priority=requirement["priority"],
        understood=requirement.get("understood", True),
        sources=tuple(requirement["sources"]),
        features=features,
        criteria=tuple(item["id"] for item in index.criteria if name in item["requirement_ids"]),
        operations=index.operations_of(features),
        files=index.files_of(name, features),
        tests=tests,
        status=_status(requirement["kind"], judged["status"] if judged else UNCOVERED),
        evidence=index.evidence if tests else (),
        approval=approval if tests else None,
    )


def _status(kind: str, judged: str) -> str:
    return CONTEXT if kind == CONTEXT and judged == UNCOVERED else str(judged)


def verified_text(rows: Sequence[TraceRow]) -> str:
    """Say how many of the requirements that ask for something are proven."""
    asking = [row for row in rows if row.status != CONTEXT]
    verified = sum(row.status == "verified" for row in asking)
    return f"{verified} of {len(asking)} requirements are verified by an executed test that names them."


def _approval(heads: Mapping[str, ArtifactVersion], gates: Sequence[GateRequest]) -> Approved | None:
    """Find the last decision on the phase that made the test results."""
    proof = heads.get("test_results")
    if proof is None:
        return None
    decided = [gate for gate in gates if gate.phase == proof.provenance.phase and gate.decision and gate.decided_at]
    if not decided:
        return None
    last = max(decided, key=lambda gate: (gate.attempt, gate.created_at))
    return _approved(last, current=last.hashes.get("test_results") == proof.sha256)


def _accepted(row: TraceRow, heads: Mapping[str, ArtifactVersion], gates: Sequence[GateRequest]) -> TraceRow:
    """Add the decision of the person who was told that no test proves the requirement, and approved."""
    told = [gate for gate in gates if gate.decision and gate.decided_at and _says_unproven(gate, row.id)]
    if not told:
        return row
    last = max(told, key=lambda gate: (gate.attempt, gate.created_at))
    if last.decision != "approve" or last.decided_by == POLICY:
        return row
    current = all(kind in heads and heads[kind].sha256 == sha256 for kind, sha256 in last.hashes.items())
    return row.model_copy(update={"accepted": _approved(last, current=current)})


def _says_unproven(gate: GateRequest, requirement: str) -> bool:
    return any(reason.startswith(f"{_PROOF}: {requirement} is ") for reason in gate.verdict.reasons)


def _approved(gate: GateRequest, *, current: bool) -> Approved:
    return Approved(
        phase=gate.phase,
        attempt=gate.attempt,
        decision=gate.decision or "",
        by=gate.decided_by or "",
        at=gate.decided_at.isoformat() if gate.decided_at else "",
        current=current,
    )


def accepted_groups(rows: Sequence[TraceRow]) -> tuple[tuple[Approved, tuple[str, ...]], ...]:
    """Return each decision that accepts requirements without proof, with their ids."""
    decisions = _unique_decisions(rows)
    return tuple((each, tuple(row.id for row in rows if row.accepted == each)) for each in decisions)


def _unique_decisions(rows: Sequence[TraceRow]) -> list[Approved]:
    found: list[Approved] = []
    for row in rows:
        if row.accepted is not None and row.accepted not in found:
            found.append(row.accepted)
    return found


def _items(contents: Mapping[str, Mapping[str, Any]], kind: str, field: str) -> list[dict[str, Any]]:
    return list(contents.get(kind, {}).get(field, ()))


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
