"""Votes of the arena: the replies they were cast on, and what a curator should look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WORDS = ("first_reply", "second_reply", "flagged", "reason")
_LINES = ("first_line", "second_line")


def upgrade() -> None:
    """Apply."""
    for name in _WORDS:
        op.add_column("vote", sa.Column(name, sa.Text(), nullable=True))
    for name in _LINES:
        op.add_column("vote", sa.Column(name, sa.String(64), nullable=True))
    op.create_index("ix_vote_in_order", "vote", ["persona_id", "voted_at", "id"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_vote_in_order", "vote")
    for name in (*_LINES, *_WORDS):
        op.drop_column("vote", name)
