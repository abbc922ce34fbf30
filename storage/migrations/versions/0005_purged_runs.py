"""Which flow runs belonged to purged projects: ids and a time, no content. None of them makes its project anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_GUARDS = """
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON purged_runs FOR EACH ROW EXECUTE FUNCTION botarmy_never();
CREATE TRIGGER guard_all BEFORE TRUNCATE ON purged_runs FOR EACH STATEMENT EXECUTE FUNCTION botarmy_never();
"""


def upgrade() -> None:
    op.create_table(
        "purged_runs",
        sa.Column("flow_run_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("purged_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("flow_run_id", name="pk_purged_runs"),
    )
    op.create_index("ix_purged_runs_project_id", "purged_runs", ["project_id"])
    op.execute(_GUARDS)


def downgrade() -> None:
    op.drop_table("purged_runs")
