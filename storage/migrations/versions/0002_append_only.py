"""Guards: what happened cannot be changed, by no program that goes through SQL.

A purge (the only deletion) says in its own transaction which project it removes; audit events are not even then let go.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FUNCTIONS = """
CREATE FUNCTION botarmy_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'BA001';
END $$;

CREATE FUNCTION botarmy_only_purge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.project_id::text = current_setting('botarmy.purge', true) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% of % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'BA001';
END $$;

CREATE FUNCTION botarmy_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.decision, NEW.comment, NEW.decided_by, NEW.decided_at, NEW.answers, NEW.hashes, NEW.status)
        IS DISTINCT FROM
       (OLD.decision, OLD.comment, OLD.decided_by, OLD.decided_at, OLD.answers, OLD.hashes, OLD.status) THEN
        RAISE EXCEPTION 'the decision of gate % stands', OLD.id USING ERRCODE = 'BA001';
    END IF;
    RETURN NEW;
END $$;
"""

_GUARDED = ("audit_events", "artifact_versions", "evidence", "llm_calls", "hitl_requests")

_TRIGGERS = """
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION botarmy_never();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON artifact_versions FOR EACH ROW EXECUTE FUNCTION botarmy_only_purge();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION botarmy_only_purge();
CREATE TRIGGER guard BEFORE DELETE ON llm_calls FOR EACH ROW EXECUTE FUNCTION botarmy_only_purge();
CREATE TRIGGER guard BEFORE DELETE ON hitl_requests FOR EACH ROW EXECUTE FUNCTION botarmy_only_purge();
CREATE TRIGGER guard_settled BEFORE UPDATE ON llm_calls FOR EACH ROW
    WHEN (OLD.outcome <> 'reserved') EXECUTE FUNCTION botarmy_only_purge();
CREATE TRIGGER guard_decided BEFORE UPDATE ON hitl_requests FOR EACH ROW
    WHEN (OLD.decision IS NOT NULL) EXECUTE FUNCTION botarmy_decided_once();
"""


def upgrade() -> None:
    op.execute(_FUNCTIONS)
    op.execute(_TRIGGERS)
    for table in _GUARDED:
        op.execute(
            f"CREATE TRIGGER guard_all BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION botarmy_never()"
        )


def downgrade() -> None:
    for table in _GUARDED:
        for name in ("guard", "guard_all", "guard_settled", "guard_decided"):
            op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    op.execute("DROP FUNCTION botarmy_never, botarmy_only_purge, botarmy_decided_once")
