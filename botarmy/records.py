"""The glossary's words as frozen records. Times are aware UTC; hashes are lower-case hex sha256."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Status(StrEnum):
    """The status words of projects and attempts."""

    pending = "pending"
    running = "running"
    waiting = "waiting"
    approved = "approved"
    rejected = "rejected"
    completed = "completed"
    failed = "failed"
    stopped = "stopped"
    cancelled = "cancelled"


class Decision(StrEnum):
    """What a gate evaluation says."""

    passed = "pass"
    needs_approval = "needs approval"
    reject = "reject"


class Record(BaseModel):
    """Base of all records: immutable, unknown fields refused."""

    # Schemas are built when first used: a short command uses few of the records that it imports.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Approval(StrEnum):
    """When a phase wants a person."""

    always = "always"
    when_needed = "when_needed"


class GateRule(Record):
    """The criteria of one phase, as workflow data.

    Attributes:
        approval: whether a person decides always or only when the evidence does not.
        quality: least share (0..1) of measured checks that must hold.
        confidence: least self-reported model confidence (0..1); skipped where not applicable.
        measures: least value (0..1) for each named deterministic measure, e.g. {"requirements_covered": 1.0}.
        max_attempts: after how many rejected attempts the project stops.
        questions: what a person is to look at when deciding: the checklist's items that nothing measures.
    """

    approval: Approval = Approval.when_needed
    quality: float = Field(default=0.85, ge=0, le=1)
    confidence: float = Field(default=0.8, ge=0, le=1)
    measures: dict[str, float] = {}
    max_attempts: int = Field(default=3, ge=1, le=20)
    questions: tuple[str, ...] = ()


class Phase(Record):
    """A stage of a workflow.

    Attributes:
        template: stem of the prompt template in .bmad-core/templates, e.g. "prd-template".
        dependencies: names of the phases whose artifacts this one reads.
        expected_outputs: artifact kinds, in order.
        checks: names of the sandbox checks that must run, see botarmy.checks.
    """

    name: str
    agent: str
    template: str
    dependencies: tuple[str, ...] = ()
    expected_outputs: tuple[str, ...]
    checks: tuple[str, ...] = ()
    gate: GateRule = GateRule()


class Workflow(Record):
    """Ordered phase definitions."""

    name: str
    version: str
    description: str = ""
    phases: tuple[Phase, ...]
    sha256: str


class Project(Record):
    """One product idea carried through one workflow."""

    id: UUID
    name: str
    slug: str
    status: Status
    brief: str
    brief_sha256: str
    workflow: str
    settings: dict[str, Any] = {}
    created_at: datetime
    updated_at: datetime


class Provenance(Record):
    """Where an artifact version came from."""

    phase: str
    attempt: int
    agent: str
    provider: str
    model: str
    template: str
    template_sha256: str
    call_ids: tuple[UUID, ...] = ()
    inputs: tuple[str, ...] = ()  # sha256 of the artifact versions it was made from


class ArtifactVersion(Record):
    """Immutable content of a named work product. `content` is JSON that fits the kind's schema."""

    id: UUID
    project_id: UUID
    kind: str
    version: int
    content: dict[str, Any]
    markdown: str
    sha256: str
    provenance: Provenance
    created_at: datetime


class Evidence(Record):
    """A stored execution of a check.

    Attributes:
        check: the check's name, e.g. "tests".
        command: what ran, as a list of words.
        exit_code: the process's exit code; None when nothing could be run.
        outcome: "passed", "failed" or "unverified" (could not be shown either way).
        trusted: False where isolation was off.
        tool_version: e.g. "ruff 0.17.6".
        log: the (bounded) output; log_sha256 is over the stored text.
        figures: numbers and short facts that the check measured.
        reasons: sentences for a person, and for the next attempt's prompt.
        duration_s: wall seconds.
    """

    check: str
    command: tuple[str, ...]
    exit_code: int | None
    outcome: str = Field(pattern="^(passed|failed|unverified)$")
    trusted: bool = True
    tool_version: str = ""
    log: str = ""
    log_sha256: str = ""
    figures: dict[str, Any] = {}
    reasons: tuple[str, ...] = ()
    duration_s: float = 0.0


class Measure(Record):
    """One deterministic measure: `value` is a share 0..1 or None for unknown; the reasons say what is missing."""

    name: str
    value: float | None
    reasons: tuple[str, ...] = ()


class Criterion(Record):
    """One line of a verdict: wanted, got, by how much it was missed and what would raise it."""

    name: str
    wanted: float
    got: float | None
    met: bool
    advice: str = ""


class Verdict(Record):
    """The gate's answer."""

    decision: Decision
    criteria: tuple[Criterion, ...] = ()
    reasons: tuple[str, ...] = ()


class Handoff(Record):
    """Typed transfer from one phase to the next: references, not copies."""

    from_phase: str
    to_phase: str | None
    artifacts: dict[str, str]  # kind -> sha256
    summary: str
    open_questions: tuple[str, ...] = ()


class WorkResult(Record):
    """What an attempt's saved work amounts to; the gate is evaluated on it and on the evidence.

    Attributes:
        measures: what was measured on the artifacts.
        confidence: what the model says of itself (0..1); None where it says nothing.
        deterministic: no model was involved.
        summary: one or two sentences for the gate and the next phase.
        open_questions: what a person must answer.
    """

    measures: tuple[Measure, ...] = ()
    confidence: float | None = None
    deterministic: bool = False
    summary: str = ""
    open_questions: tuple[str, ...] = ()


class Attempt(Record):
    """One try at a phase. `result` is there as soon as its work is saved."""

    id: UUID
    project_id: UUID
    phase: str
    agent: str
    number: int
    status: Status
    verdict: Verdict | None = None
    feedback: tuple[str, ...] = ()  # reasons of the attempt before, for the prompt
    result: WorkResult | None = None
    handoff: Handoff | None = None
    superseded: bool = False  # set aside by a rerun or a rollback; it counts no more
    started_at: datetime
    finished_at: datetime | None = None


class GateRequest(Record):
    """A gate that asks a person, or the record of its decision.

    Attributes:
        status: waiting, approved, rejected, or cancelled (void: what it was about has changed).
        hashes: artifact kind -> sha256 that the decision binds.
        decision: "approve", "reject" or None while open.
        decided_by: a person's name as claimed, or "policy:auto".
        kind: what is asked: "approval", "questions", "budget" or "conflict".
        ask: number of the question within the attempt, from 1.
        payload: what the person needs to decide: questions, budget figures, a summary.
        answers: what the person gave beside the decision: answers by question, a new limit.
        flow_run_id: the Prefect flow run that waits for this gate; "" while none does.
        resume_wanted: decided, and that run has not been woken yet.
    """

    id: UUID
    project_id: UUID
    attempt_id: UUID
    phase: str
    attempt: int
    status: Status
    verdict: Verdict
    hashes: dict[str, str]
    decision: str | None = None
    comment: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None
    created_at: datetime
    kind: str = Field(default="approval", pattern="^(approval|questions|budget|conflict)$")
    ask: int = Field(default=1, ge=1)
    payload: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    flow_run_id: str = ""
    shown_at: datetime | None = None
    resume_wanted: bool = False
    resumed_at: datetime | None = None
    expires_at: datetime | None = None


class ArtifactHead(Record):
    """Which version of an artifact counts, without its content; `stale`: what it was made from has changed since."""

    kind: str
    version: int
    sha256: str
    stale: bool
    provenance: Provenance
    created_at: datetime


class PhaseVisit(Record):
    """What a run did at a phase: one entry of its history.

    Attributes:
        status: running until its attempt ended, then how it ended; a run that died leaves it running.
    """

    phase: str
    attempt: int
    started_at: datetime
    ended_at: datetime | None = None
    status: Status = Status.running


class Execution(Record):
    """A run: one execution for a project.

    Attributes:
        flow_run_id: Prefect's id; "" for a run without one.
        current_phase: the last phase that it worked on; None before the first.
        phase_history: the attempts that it worked on, oldest first; another run may have begun or ended them.
    """

    id: UUID
    project_id: UUID
    workflow: str
    flow_run_id: str
    current_phase: str | None
    phase_history: tuple[PhaseVisit, ...] = ()
    status: Status
    created_at: datetime
    updated_at: datetime


class Conflict(Record):
    """A recorded contradiction between artifact versions, and how it was settled.

    Attributes:
        agents: whose artifacts contradict each other.
        hashes: the sha256 of those artifact versions.
        attempts: one JSON object per attempt to settle it.
        status: open, mediated (settled automatically), escalated (a person decides) or resolved (by a person).
    """

    id: UUID
    project_id: UUID
    agents: tuple[str, ...]
    description: str
    hashes: tuple[str, ...] = ()
    attempts: tuple[dict[str, Any], ...] = ()
    status: str
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    created_at: datetime


class ProviderConfig(Record):
    """Which provider and model an agent uses, by configuration in the database."""

    agent: str
    provider: str
    model: str
    configuration: dict[str, Any] = {}
    updated_at: datetime


class Budget(Record):
    """A spending limit. scope is "project", "phase" or "role"; name is the phase's or the role's, "" for the project."""

    scope: str
    name: str
    limit_usd: Decimal
    set_by: str
    updated_at: datetime


class Spending(Record):
    """What a project's calls cost so far.

    Attributes:
        known_usd: sum of all known costs, exact.
        unknown_calls: settled calls whose cost is not known.
        unknown_usd: what was reserved for those, so what they can have cost at most.
        reserved_usd: reserved for calls that have not ended.
        calls: rows of the ledger, failures included.
        input_tokens, output_tokens, cached_tokens, reasoning_tokens: sums in inclusive buckets.
    """

    known_usd: Decimal
    unknown_calls: int
    unknown_usd: Decimal
    reserved_usd: Decimal
    calls: int
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def counted_usd(self) -> Decimal:
        """What budgets count: nothing unknown or under way counts as free."""
        return self.known_usd + self.unknown_usd + self.reserved_usd


class LLMCall(Record):
    """One row of the ledger: one exchange with a provider, failures included.

    `cost_usd` None means unknown, never zero. `key` makes a repeated call free: all tries of a call share it, and at
    most one row of a key is completed. `text` is the answer as canonical JSON.
    """

    id: UUID
    project_id: UUID
    phase: str
    attempt: int
    ordinal: int
    key: str
    role: str
    purpose: str
    provider: str
    model: str
    outcome: str  # "reserved" (under way), "completed", "repeated" (completed twice), "abandoned" or an error code
    text: str = ""
    stop_reason: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal | None = None
    price_version: str = ""
    latency_s: float = 0.0
    request_id: str = ""
    error: str = ""
    confidence: float | None = None
    created_at: datetime
    reserved_usd: Decimal | None = None
    settled_at: datetime | None = None


class AuditEvent(Record):
    """Who changed what, when, on which hash. Each event carries the hash of the one before it in its project."""

    id: int
    project_id: UUID | None
    actor: str
    action: str
    subject: str
    sha256: str = ""
    detail: dict[str, Any] = {}
    created_at: datetime
    seq: int = 0
    prev_sha256: str = ""
    own_sha256: str = ""


class AuditCheck(Record):
    """Whether a project's chain of audit events is whole; if not, the first event that is wrong and why."""

    whole: bool
    events: int
    broken_at: int | None = None
    reason: str = ""


def canonical_json(value: Any) -> str:
    """Serialise JSON data in one way only: sorted keys, no spaces, real characters."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Return the sha256 of text as UTF-8, or of any other JSON value in canonical form."""
    text = value if isinstance(value, str) else canonical_json(value)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
