"""A small project of two phases, as records, for the tests of what the command line tells and exports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from botarmy.overview import Snapshot
from botarmy.records import (
    ArtifactHead,
    ArtifactVersion,
    Attempt,
    Decision,
    Evidence,
    GateRequest,
    Project,
    Provenance,
    Spending,
    Status,
    Verdict,
    digest,
)

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROJECT_ID = UUID(int=1)

CONTENTS: dict[str, dict[str, Any]] = {
    "user_requirements": {
        "requirements": [
            {
                "id": "R1",
                "text": "A book has a title.",
                "kind": "functional",
                "priority": "must",
                "sources": ["S1"],
                "understood": True,
            },
            {
                "id": "R10",
                "text": "It must feel | light. <b>",
                "kind": "quality",
                "priority": "should",
                "sources": ["S2"],
                "understood": False,
            },
        ]
    },
    "feature_breakdown": {
        "features": [{"id": "F1", "name": "Books", "description": "", "requirement_ids": ["R1"], "depends_on": []}]
    },
    "acceptance_criteria": {
        "criteria": [{"id": "AC1", "feature_id": "F1", "requirement_ids": ["R1"], "given": "", "when": "", "then": ""}]
    },
    "api_specifications": {
        "openapi": {},
        "feature_map": [{"feature_id": "F1", "operation_ids": ["list_books", "create_book"]}],
    },
    "implementation_plan": {
        "steps": [{"id": "P1", "title": "", "feature_ids": ["F1"], "files": ["app/store.py", "app/absent.py"]}]
    },
    "source_code": {
        "files": [
            {"path": "app/store.py", "content": "store = 1\n"},
            {"path": "app/rules.py", "content": "# R1: a title is required\n"},
            {"path": "app/other.py", "content": "# R10x and R100 are no mention\n"},
        ],
        "start": ["python", "-m", "app", "serve"],
    },
    "test_results": {
        "files": [{"path": "tests_acceptance/test_rules.py", "content": "# R1\n"}],
        "cases": [{"id": "test_rules.test_title", "outcome": "passed", "requirement_ids": ["R1"]}],
        "passed": 1,
        "failed": 0,
        "skipped": 0,
        "coverage": 0.9,
        "evidence": ["a" * 64],
    },
    "quality_report": {
        "quality": 1.0,
        "defects": [],
        "requirements": [
            {"requirement_id": "R1", "status": "verified", "tests": ["test_rules.test_title"]},
            {"requirement_id": "R10", "status": "uncovered", "tests": []},
        ],
        "summary": "",
    },
}

PHASE_OF = {
    "user_requirements": "Discovery",
    "feature_breakdown": "Discovery",
    "acceptance_criteria": "Discovery",
    "api_specifications": "Discovery",
    "implementation_plan": "Discovery",
    "source_code": "Build",
    "test_results": "Build",
    "quality_report": "Build",
}
AGENT_OF = {"Discovery": "analyst", "Build": "coder"}


def _version(kind: str, number: int, content: dict[str, Any], provider: str) -> ArtifactVersion:
    phase = PHASE_OF[kind]
    return ArtifactVersion(
        id=UUID(int=100 + number),
        project_id=PROJECT_ID,
        kind=kind,
        version=1,
        content=content,
        markdown=f"# {kind}\n",
        sha256=digest(content),
        provenance=Provenance(
            phase=phase,
            attempt=1,
            agent=AGENT_OF[phase],
            provider=provider,
            model="scaffold-1" if provider == "offline" else "m-1",
            template="t@1",
            template_sha256="0" * 64,
        ),
        created_at=START,
    )


def _attempt(position: int, phase: str, status: Status) -> Attempt:
    return Attempt(
        id=UUID(int=10 + position),
        project_id=PROJECT_ID,
        phase=phase,
        agent=AGENT_OF[phase],
        number=1,
        status=status,
        verdict=Verdict(decision=Decision.passed, reasons=("all criteria are met",)),
        started_at=START + timedelta(minutes=position),
        finished_at=START + timedelta(minutes=position, seconds=30) if status is Status.completed else None,
    )


def _gate(attempt: Attempt, heads: dict[str, ArtifactVersion], by: str, comment: str) -> GateRequest:
    return GateRequest(
        id=UUID(int=20 + attempt.id.int),
        project_id=PROJECT_ID,
        attempt_id=attempt.id,
        phase=attempt.phase,
        attempt=1,
        status=Status.approved,
        verdict=Verdict(decision=Decision.passed),
        hashes={kind: head.sha256 for kind, head in heads.items() if head.provenance.phase == attempt.phase},
        decision="approve",
        comment=comment,
        decided_by=by,
        decided_at=attempt.finished_at,
        created_at=attempt.started_at,
    )


def _evidence() -> tuple[Evidence, ...]:
    return (
        Evidence(
            check="tests",
            command=("python", "-m", "unittest"),
            exit_code=0,
            outcome="passed",
            tool_version="Python 3.11",
            log_sha256="b" * 64,
            figures={"tests": 3, "coverage": 0.91234, "cases": [{"id": "x", "outcome": "passed"}]},
            duration_s=1.25,
        ),
        Evidence(
            check="lint", command=("ruff",), exit_code=1, outcome="failed", trusted=False, reasons=("line | too long",)
        ),
    )


NOTHING_SPENT = Spending(
    known_usd=Decimal(0), unknown_calls=0, unknown_usd=Decimal(0), reserved_usd=Decimal(0), calls=0
)
MakeSnapshot = Callable[..., Snapshot]
MakeVersions = Callable[..., dict[str, ArtifactVersion]]


def _heads(versions: dict[str, ArtifactVersion]) -> tuple[ArtifactHead, ...]:
    return tuple(
        ArtifactHead(
            kind=kind,
            version=each.version,
            sha256=each.sha256,
            stale=False,
            provenance=each.provenance,
            created_at=each.created_at,
        )
        for kind, each in versions.items()
    )


@pytest.fixture
def make_versions() -> MakeVersions:
    """Return a maker of the project's current artifact versions."""

    def make(provider: str = "offline") -> dict[str, ArtifactVersion]:
        return {kind: _version(kind, at, content, provider) for at, (kind, content) in enumerate(CONTENTS.items())}

    return make


@pytest.fixture
def make_snapshot(make_versions: MakeVersions) -> MakeSnapshot:
    """Return a maker of snapshots: make_snapshot(provider=…, by=…, comment=…, build=Status.…, brief=…)."""

    def make(
        *,
        provider: str = "offline",
        by: str = "Ada",
        comment: str = "",
        build: Status = Status.completed,
        status: Status = Status.completed,
        brief: str = "A book has a title.\n",
    ) -> Snapshot:
        versions = make_versions(provider)
        attempts = (_attempt(0, "Discovery", Status.completed), _attempt(1, "Build", build))
        return Snapshot(
            project=Project(
                id=PROJECT_ID,
                name="Books\x1b[31m",
                slug="books",
                status=status,
                brief=brief,
                brief_sha256=digest(brief),
                workflow="sdlc-workflow",
                created_at=START,
                updated_at=START,
            ),
            phases=(("Discovery", "analyst"), ("Build", "coder"), ("Launch", "deployer")),
            attempts=attempts,
            heads=_heads(versions),
            evidence={attempts[1].id: _evidence()},
            gates=tuple(_gate(attempt, versions, by, comment) for attempt in attempts if attempt.finished_at),
            spending=NOTHING_SPENT,
        )

    return make
