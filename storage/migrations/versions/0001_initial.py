"""All tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("detail", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("prev_sha256", sa.Text(), nullable=False),
        sa.Column("own_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("chain", "seq", name=op.f("uq_audit_events_chain_seq")),
    )
    op.create_index("ix_audit_events_time", "audit_events", [sa.literal_column("created_at DESC")])
    op.create_table(
        "audit_heads",
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "llm_provider_configs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agent_type", sa.Text(), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("configuration", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_provider_configs")),
        sa.UniqueConstraint("agent_type", name=op.f("uq_llm_provider_configs_agent_type")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("brief", sa.Text(), nullable=False),
        sa.Column("brief_sha256", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("settings", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("holder", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("held_since", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'waiting', 'approved', 'rejected', 'completed', 'failed', 'stopped', 'cancelled')",
            name=op.f("ck_projects_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("slug", name=op.f("uq_projects_slug")),
    )
    op.create_index(op.f("ix_projects_brief_sha256"), "projects", ["brief_sha256"])
    op.create_index(op.f("ix_projects_created_at"), "projects", ["created_at"])
    op.create_index(op.f("ix_projects_status_created_at"), "projects", ["status", "created_at"])
    op.create_table(
        "agent_conflicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("conflicting_agents", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("conflict_description", sa.Text(), nullable=False),
        sa.Column("artifact_hashes", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("resolution_attempts", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("resolution_status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "resolution_status IN ('open', 'mediated', 'escalated', 'resolved')",
            name=op.f("ck_agent_conflicts_resolution_status"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_agent_conflicts_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_conflicts")),
    )
    op.create_index(
        op.f("ix_agent_conflicts_project_id_resolution_status"), "agent_conflicts", ["project_id", "resolution_status"]
    )
    op.create_table(
        "budgets",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("limit_usd", sa.Numeric(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(scope = 'project') = (name = '')", name=op.f("ck_budgets_name")),
        sa.CheckConstraint("scope IN ('project', 'phase', 'role')", name=op.f("ck_budgets_scope")),
        sa.CheckConstraint("limit_usd >= 0", name=op.f("ck_budgets_limit_usd")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_budgets_project_id")),
        sa.PrimaryKeyConstraint("project_id", "scope", "name", name=op.f("pk_budgets")),
    )
    op.create_table(
        "llm_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("stop_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost_usd", sa.Numeric(), nullable=True),
        sa.Column("reserved_usd", sa.Numeric(), nullable=True),
        sa.Column("price_version", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("latency_s", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("request_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("error", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("outcome <> ''", name=op.f("ck_llm_calls_outcome")),
        sa.CheckConstraint("cost_usd >= 0", name=op.f("ck_llm_calls_cost_usd")),
        sa.CheckConstraint("reserved_usd >= 0", name=op.f("ck_llm_calls_reserved_usd")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_llm_calls_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_calls")),
    )
    op.create_index(op.f("ix_llm_calls_project_id_created_at"), "llm_calls", ["project_id", "created_at"])
    op.create_index(
        "ix_llm_calls_reserved", "llm_calls", ["created_at"], postgresql_where=sa.text("outcome = 'reserved'")
    )
    op.create_index(
        "uq_llm_calls_completed", "llm_calls", ["key"], unique=True, postgresql_where=sa.text("outcome = 'completed'")
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("agent_type", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("feedback", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("result", JSONB(none_as_null=True), nullable=True),
        sa.Column("verdict", JSONB(none_as_null=True), nullable=True),
        sa.Column("superseded_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("started_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'waiting', 'approved', 'rejected', 'completed', 'failed', 'stopped', 'cancelled')",
            name=op.f("ck_tasks_status"),
        ),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_tasks_attempt")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tasks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("project_id", "phase", "attempt", name=op.f("uq_tasks_project_id_phase_attempt")),
    )
    op.create_index(op.f("ix_tasks_project_id_agent_type_status"), "tasks", ["project_id", "agent_type", "status"])
    op.create_index(
        "uq_tasks_open",
        "tasks",
        ["project_id", "phase"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'running', 'waiting')"),
    )
    op.create_table(
        "workflow_executions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("workflow_template", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("current_phase", sa.Text(), nullable=True),
        sa.Column("phase_history", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("execution_context", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'waiting', 'approved', 'rejected', 'completed', 'failed', 'stopped', 'cancelled')",
            name=op.f("ck_workflow_executions_status"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_workflow_executions_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_executions")),
    )
    op.create_index(
        "ix_workflow_executions_live",
        "workflow_executions",
        ["updated_at"],
        postgresql_where=sa.text("status IN ('running', 'waiting')"),
    )
    op.create_index(op.f("ix_workflow_executions_project_id_status"), "workflow_executions", ["project_id", "status"])
    op.create_index(
        "uq_workflow_executions_flow_run",
        "workflow_executions",
        ["flow_run_id", "project_id"],
        unique=True,
        postgresql_where=sa.text("flow_run_id <> ''"),
    )
    op.create_table(
        "artifact_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("artifact_type", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("provenance", JSONB(), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_artifact_versions_version")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_artifact_versions_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_artifact_versions_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_versions")),
        sa.UniqueConstraint(
            "project_id", "artifact_type", "version", name=op.f("uq_artifact_versions_project_id_artifact_type_version")
        ),
    )
    op.create_index(op.f("ix_artifact_versions_project_id_sha256"), "artifact_versions", ["project_id", "sha256"])
    op.create_index(op.f("ix_artifact_versions_task_id"), "artifact_versions", ["task_id"])
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("command", JSONB(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("tool_version", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("log", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("log_sha256", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("figures", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("reasons", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("duration_s", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("outcome IN ('passed', 'failed', 'unverified')", name=op.f("ck_evidence_outcome")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_evidence_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_evidence_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_project_id"), "evidence", ["project_id"])
    op.create_index(op.f("ix_evidence_task_id"), "evidence", ["task_id"])
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("from_phase", sa.Text(), nullable=False),
        sa.Column("to_phase", sa.Text(), nullable=True),
        sa.Column("artifacts", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("summary", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("open_questions", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_handoffs_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_handoffs_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
        sa.UniqueConstraint("task_id", name=op.f("uq_handoffs_task_id")),
    )
    op.create_index(op.f("ix_handoffs_project_id"), "handoffs", ["project_id"])
    op.create_table(
        "hitl_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'approval'"), nullable=False),
        sa.Column("ask", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("verdict", JSONB(), nullable=False),
        sa.Column("hashes", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("hashes_sha256", sa.Text(), nullable=False),
        sa.Column("payload", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("answers", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("flow_run_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("shown_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resume_wanted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("resumed_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision IN ('approve', 'reject')", name=op.f("ck_hitl_requests_decision")),
        sa.CheckConstraint(
            "kind IN ('approval', 'questions', 'budget', 'conflict')", name=op.f("ck_hitl_requests_kind")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'approved', 'rejected', 'cancelled')", name=op.f("ck_hitl_requests_status")
        ),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_hitl_requests_decided_at")),
        sa.CheckConstraint("(decision IS NULL) = (decided_by IS NULL)", name=op.f("ck_hitl_requests_decided_by")),
        sa.CheckConstraint("ask >= 1", name=op.f("ck_hitl_requests_ask")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_hitl_requests_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_hitl_requests_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hitl_requests")),
    )
    op.create_index(
        "ix_hitl_requests_inbox", "hitl_requests", ["created_at", "id"], postgresql_where=sa.text("status = 'waiting'")
    )
    op.create_index(op.f("ix_hitl_requests_project_id_status"), "hitl_requests", ["project_id", "status"])
    op.create_index(
        "ix_hitl_requests_resume",
        "hitl_requests",
        ["decided_at"],
        postgresql_where=sa.text("resume_wanted AND resumed_at IS NULL"),
    )
    op.create_index(op.f("ix_hitl_requests_task_id"), "hitl_requests", ["task_id"])
    op.create_index(
        "uq_hitl_requests_ask",
        "hitl_requests",
        ["task_id", "kind", "ask", "hashes_sha256"],
        unique=True,
        postgresql_where=sa.text("status <> 'cancelled'"),
    )
    op.create_table(
        "artifact_links",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("made_from_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version_id <> made_from_id", name=op.f("ck_artifact_links_not_itself")),
        sa.ForeignKeyConstraint(
            ["made_from_id"], ["artifact_versions.id"], name=op.f("fk_artifact_links_made_from_id")
        ),
        sa.ForeignKeyConstraint(["version_id"], ["artifact_versions.id"], name=op.f("fk_artifact_links_version_id")),
        sa.PrimaryKeyConstraint("version_id", "made_from_id", name=op.f("pk_artifact_links")),
    )
    op.create_index(op.f("ix_artifact_links_made_from_id"), "artifact_links", ["made_from_id"])
    op.create_table(
        "context_artifacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("artifact_type", sa.Text(), nullable=False),
        sa.Column("head_version", sa.Integer(), nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "artifact_type", "head_version"],
            ["artifact_versions.project_id", "artifact_versions.artifact_type", "artifact_versions.version"],
            name=op.f("fk_context_artifacts_project_id_artifact_type_head_version"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_context_artifacts_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_context_artifacts")),
    )
    op.create_index(
        op.f("ix_context_artifacts_project_id_artifact_type"),
        "context_artifacts",
        ["project_id", "artifact_type"],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("context_artifacts")
    op.drop_table("artifact_links")
    op.drop_table("hitl_requests")
    op.drop_table("handoffs")
    op.drop_table("evidence")
    op.drop_table("artifact_versions")
    op.drop_table("workflow_executions")
    op.drop_table("tasks")
    op.drop_table("llm_calls")
    op.drop_table("budgets")
    op.drop_table("agent_conflicts")
    op.drop_table("projects")
    op.drop_table("llm_provider_configs")
    op.drop_table("audit_heads")
    op.drop_table("audit_events")
