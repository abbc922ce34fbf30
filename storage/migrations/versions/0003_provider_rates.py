"""The schedule of provider calls that keeps rate limits across workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_rates",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("requests_until", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("tokens_until", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("provider", "model", name="pk_provider_rates"),
    )


def downgrade() -> None:
    op.drop_table("provider_rates")
