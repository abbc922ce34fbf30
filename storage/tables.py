"""The tables as typed SQLAlchemy models: the schema that the migrations must equal, and the names that writes use."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    desc,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.words import EVIDENCE_OUTCOMES, GATE_KINDS, GATE_STATUSES, RESOLUTIONS, SCOPES, STATUSES

Json = Any
"""A JSON value; the column is JSONB."""


def _one_of(column: str, words: tuple[str, ...], name: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


class Table(DeclarativeBase):
    """Base of all tables: constraint names are fixed, so that migrations can name what they drop."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        int: Integer(),
        float: Double(),
        bool: Boolean(),
        UUID: Uuid(),
        Decimal: Numeric(),
        datetime: TIMESTAMP(timezone=True),
    }


def _key() -> Mapped[UUID]:
    return mapped_column(primary_key=True, default=uuid4)


def _moment() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


def _project() -> Mapped[UUID]:
    return mapped_column(ForeignKey("projects.id"))


def _words() -> Mapped[str]:
    return mapped_column(server_default=text("''"))


def _object() -> Mapped[Json]:
    return mapped_column(JSONB, server_default=text("'{}'::jsonb"))


def _array() -> Mapped[Json]:
    return mapped_column(JSONB, server_default=text("'[]'::jsonb"))


class Projects(Table):
    """One product idea carried through one workflow. `fence` rises with every run that takes the project."""

    __tablename__ = "projects"
    id: Mapped[UUID] = _key()
    name: Mapped[str]
    slug: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    brief: Mapped[str]
    brief_sha256: Mapped[str]
    workflow: Mapped[str]
    settings: Mapped[Json] = _object()
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    holder: Mapped[str] = _words()
    held_since: Mapped[datetime | None]
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()
    __table_args__ = (
        UniqueConstraint("slug"),
        _one_of("status", STATUSES, "status"),
        Index(None, "created_at"),
        Index(None, "status", "created_at"),
        Index(None, "brief_sha256"),
    )


class Tasks(Table):
    """One row per attempt at a phase. `superseded_at` marks what a rollback or rerun has set aside."""

    __tablename__ = "tasks"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    phase: Mapped[str]
    agent_type: Mapped[str]
    attempt: Mapped[int]
    status: Mapped[str]
    feedback: Mapped[Json] = _array()
    result: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True), nullable=True)
    verdict: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True), nullable=True)
    superseded_at: Mapped[datetime | None]
    started_at: Mapped[datetime] = _moment()
    finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()
    __table_args__ = (
        UniqueConstraint("project_id", "phase", "attempt"),
        _one_of("status", STATUSES, "status"),
        CheckConstraint("attempt >= 1", name="attempt"),
        Index(None, "project_id", "agent_type", "status"),
        # An attempt is gone on with, never doubled: at most one open attempt at a phase.
        Index(
            "uq_tasks_open",
            "project_id",
            "phase",
            unique=True,
            postgresql_where=text("status IN ('pending', 'running', 'waiting')"),
        ),
    )


class ArtifactVersions(Table):
    """Immutable content with its hash and provenance; a trigger refuses every change."""

    __tablename__ = "artifact_versions"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    artifact_type: Mapped[str]
    version: Mapped[int]
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id"))
    content: Mapped[Json] = mapped_column(JSONB)
    markdown: Mapped[str]
    sha256: Mapped[str]
    provenance: Mapped[Json] = mapped_column(JSONB)
    created_at: Mapped[datetime] = _moment()
    __table_args__ = (
        UniqueConstraint("project_id", "artifact_type", "version"),
        CheckConstraint("version >= 1", name="version"),
        Index(None, "project_id", "sha256"),
        Index(None, "task_id"),
    )


class ContextArtifacts(Table):
    """The named artifact: which version is its head, and whether what it was made from has moved (stale)."""

    __tablename__ = "context_artifacts"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    artifact_type: Mapped[str]
    head_version: Mapped[int | None]
    stale: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()
    __table_args__ = (
        # Unique, and so the index on (project_id, artifact_type) as well.
        Index(None, "project_id", "artifact_type", unique=True),
        ForeignKeyConstraint(
            ["project_id", "artifact_type", "head_version"],
            ["artifact_versions.project_id", "artifact_versions.artifact_type", "artifact_versions.version"],
        ),
    )


class ArtifactLinks(Table):
    """Which artifact version was made from which."""

    __tablename__ = "artifact_links"
    version_id: Mapped[UUID] = mapped_column(ForeignKey("artifact_versions.id"), primary_key=True)
    made_from_id: Mapped[UUID] = mapped_column(ForeignKey("artifact_versions.id"), primary_key=True)
    created_at: Mapped[datetime] = _moment()
    __table_args__ = (CheckConstraint("version_id <> made_from_id", name="not_itself"), Index(None, "made_from_id"))


class Evidences(Table):
    """Stored executions of checks."""

    __tablename__ = "evidence"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    project_id: Mapped[UUID] = _project()
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    check_name: Mapped[str]
    command: Mapped[Json] = mapped_column(JSONB)
    exit_code: Mapped[int | None]
    outcome: Mapped[str]
    trusted: Mapped[bool]
    tool_version: Mapped[str] = _words()
    log: Mapped[str] = _words()
    log_sha256: Mapped[str] = _words()
    figures: Mapped[Json] = _object()
    reasons: Mapped[Json] = _array()
    duration_s: Mapped[float] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = _moment()
    __table_args__ = (
        _one_of("outcome", EVIDENCE_OUTCOMES, "outcome"),
        Index(None, "task_id"),
        Index(None, "project_id"),
    )


class Handoffs(Table):
    """What an attempt hands to the next phase."""

    __tablename__ = "handoffs"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    from_phase: Mapped[str]
    to_phase: Mapped[str | None]
    artifacts: Mapped[Json] = _object()
    summary: Mapped[str] = _words()
    open_questions: Mapped[Json] = _array()
    created_at: Mapped[datetime] = _moment()
    __table_args__ = (UniqueConstraint("task_id"), Index(None, "project_id"))


class HitlRequests(Table):
    """Gates that ask a person, and their decisions."""

    __tablename__ = "hitl_requests"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    phase: Mapped[str]
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(server_default=text("'approval'"))
    ask: Mapped[int] = mapped_column(server_default=text("1"))
    status: Mapped[str]
    verdict: Mapped[Json] = mapped_column(JSONB)
    hashes: Mapped[Json] = _object()
    hashes_sha256: Mapped[str]
    payload: Mapped[Json] = _object()
    answers: Mapped[Json] = _object()
    decision: Mapped[str | None]
    comment: Mapped[str] = _words()
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    flow_run_id: Mapped[str] = _words()
    shown_at: Mapped[datetime | None]
    resume_wanted: Mapped[bool] = mapped_column(server_default=text("false"))
    resumed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()
    __table_args__ = (
        _one_of("status", GATE_STATUSES, "status"),
        _one_of("kind", GATE_KINDS, "kind"),
        CheckConstraint("ask >= 1", name="ask"),
        CheckConstraint("decision IN ('approve', 'reject')", name="decision"),
        CheckConstraint("(decision IS NULL) = (decided_by IS NULL)", name="decided_by"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_at"),
        Index(None, "project_id", "status"),
        Index(None, "task_id"),
        # A gate that was voided may be asked again with the same hashes; any other only once.
        Index(
            "uq_hitl_requests_ask",
            "task_id",
            "kind",
            "ask",
            "hashes_sha256",
            unique=True,
            postgresql_where=text("status <> 'cancelled'"),
        ),
        Index("ix_hitl_requests_inbox", "created_at", "id", postgresql_where=text("status = 'waiting'")),
        Index(
            "ix_hitl_requests_resume",
            "decided_at",
            postgresql_where=text("resume_wanted AND resumed_at IS NULL"),
        ),
    )


class WorkflowExecutions(Table):
    """Runs: one execution for a project, with the id of its Prefect flow run."""

    __tablename__ = "workflow_executions"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    workflow_template: Mapped[str]
    flow_run_id: Mapped[str] = _words()
    current_phase: Mapped[str | None]
    phase_history: Mapped[Json] = _array()
    execution_context: Mapped[Json] = _object()
    status: Mapped[str]
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()
    __table_args__ = (
        _one_of("status", STATUSES, "status"),
        Index(None, "project_id", "status"),
        Index(
            "uq_workflow_executions_flow_run",
            "flow_run_id",
            "project_id",
            unique=True,
            postgresql_where=text("flow_run_id <> ''"),
        ),
        Index("ix_workflow_executions_live", "updated_at", postgresql_where=text("status IN ('running', 'waiting')")),
    )


class AgentConflicts(Table):
    """Recorded contradictions between artifact versions, and how they were settled."""

    __tablename__ = "agent_conflicts"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    conflicting_agents: Mapped[Json] = _array()
    conflict_description: Mapped[str]
    artifact_hashes: Mapped[Json] = _array()
    resolution_attempts: Mapped[Json] = _array()
    resolution_status: Mapped[str] = mapped_column(server_default=text("'open'"))
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _moment()
    __table_args__ = (
        _one_of("resolution_status", RESOLUTIONS, "resolution_status"),
        Index(None, "project_id", "resolution_status"),
    )


class LLMProviderConfigs(Table):
    """Which provider and model an agent uses, by configuration."""

    __tablename__ = "llm_provider_configs"
    id: Mapped[UUID] = _key()
    agent_type: Mapped[str]
    provider_name: Mapped[str]
    model_name: Mapped[str]
    configuration: Mapped[Json] = _object()
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()
    __table_args__ = (UniqueConstraint("agent_type"),)


class LLMCalls(Table):
    """The ledger: one row per provider call, failures included. A reservation becomes a settled row, once."""

    __tablename__ = "llm_calls"
    id: Mapped[UUID] = _key()
    project_id: Mapped[UUID] = _project()
    phase: Mapped[str]
    attempt: Mapped[int]
    ordinal: Mapped[int]
    key: Mapped[str]
    role: Mapped[str]
    purpose: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str]
    outcome: Mapped[str]
    answer: Mapped[str] = mapped_column("text", server_default=text("''"))
    stop_reason: Mapped[str] = _words()
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cached_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    cost_usd: Mapped[Decimal | None]
    reserved_usd: Mapped[Decimal | None]
    price_version: Mapped[str] = _words()
    latency_s: Mapped[float] = mapped_column(server_default=text("0"))
    request_id: Mapped[str] = _words()
    error: Mapped[str] = _words()
    confidence: Mapped[float | None]
    created_at: Mapped[datetime] = _moment()
    settled_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("cost_usd >= 0", name="cost_usd"),
        CheckConstraint("reserved_usd >= 0", name="reserved_usd"),
        CheckConstraint("outcome <> ''", name="outcome"),
        Index(
            "uq_llm_calls_completed",
            "key",
            unique=True,
            postgresql_where=text("outcome = 'completed'"),
        ),
        Index(None, "project_id", "created_at"),
        Index("ix_llm_calls_reserved", "created_at", postgresql_where=text("outcome = 'reserved'")),
    )


class Budgets(Table):
    """Spending limits of a project, of one of its phases or of one role in it."""

    __tablename__ = "budgets"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True, server_default=text("''"))
    limit_usd: Mapped[Decimal]
    set_by: Mapped[str]
    updated_at: Mapped[datetime] = _moment()
    __table_args__ = (
        _one_of("scope", SCOPES, "scope"),
        CheckConstraint("limit_usd >= 0", name="limit_usd"),
        CheckConstraint("(scope = 'project') = (name = '')", name="name"),
    )


class AuditHeads(Table):
    """The last link of each project's audit chain: locked to append, and shows when the end was cut off."""

    __tablename__ = "audit_heads"
    chain: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]


class AuditEvents(Table):
    """Who changed what, when, on which hash. Append-only; has no foreign key, so that it survives a purge."""

    __tablename__ = "audit_events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    chain: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    project_id: Mapped[UUID | None]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    sha256: Mapped[str] = _words()
    detail: Mapped[Json] = _object()
    prev_sha256: Mapped[str]
    own_sha256: Mapped[str]
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("chain", "seq"),
        Index("ix_audit_events_time", desc("created_at")),
    )


class ProviderRates(Table):
    """Until when the calls of a provider's model are booked, in seconds since 1970 by Postgres's clock."""

    __tablename__ = "provider_rates"
    provider: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    requests_until: Mapped[float] = mapped_column(server_default=text("0"))
    tokens_until: Mapped[float] = mapped_column(server_default=text("0"))
    written_at: Mapped[float] = mapped_column(server_default=text("0"))


class PurgedRuns(Table):
    """A flow run whose project was purged. Append-only; holds no content, so that it may outlive the project."""

    __tablename__ = "purged_runs"
    flow_run_id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    purged_at: Mapped[datetime] = _moment()
    __table_args__ = (Index(None, "project_id"),)
