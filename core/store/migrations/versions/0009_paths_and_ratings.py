"""Messages are a tree with one path shown, conversations have owners and origins, replies are rated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_LONG_AGO = "1970-01-01 00:00:00"
"""SQLite adds no column without a constant for the rows that are there; these get their own value below."""


def upgrade() -> None:
    """Apply; a conversation of before is one path, in the order of writing."""
    moment = sa.DateTime(timezone=True)
    op.add_column("conversation", sa.Column("updated_at", moment, nullable=False, server_default=_LONG_AGO))
    op.add_column("conversation", sa.Column("owner", sa.Text(), nullable=False, server_default="local"))
    op.add_column("conversation", sa.Column("leaf_id", sa.String(64), nullable=True))
    op.add_column("conversation", sa.Column("branched_from", sa.String(64), nullable=True))
    op.execute(  # as it stands, because Alembic adds no foreign key to a table that SQLite has already
        "ALTER TABLE message ADD COLUMN parent_id VARCHAR(64) "
        "CONSTRAINT fk_message_parent_id_message REFERENCES message (id)"
    )
    op.add_column("message", sa.Column("memories", sa.JSON(), nullable=False, server_default="[]"))
    _lay_paths()
    op.create_index(op.f("ix_message_parent_id"), "message", ["parent_id"])
    op.create_index(op.f("ix_conversation_branched_from"), "conversation", ["branched_from"])
    op.create_index("ix_conversation_newest", "conversation", ["persona_id", "updated_at", "id"])
    op.create_index("ix_conversation_owners", "conversation", ["persona_id", "owner", "updated_at", "id"])
    op.create_table(
        "rating",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("persona_id", sa.String(64), nullable=False),
        sa.Column("value", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("rated_at", moment, nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_rating_message_id_message"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["persona_id"], ["persona.id"], name=op.f("fk_rating_persona_id_persona")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("message_id", "who", name=op.f("uq_rating_message_id_who")),
    )
    op.create_index(op.f("ix_rating_persona_id"), "rating", ["persona_id"])
    waiting = sa.text("settled_at IS NULL")
    order = ["persona_id", "value", "rated_at", "id"]
    op.create_index("ix_rating_waiting", "rating", order, sqlite_where=waiting, postgresql_where=waiting)


def _lay_paths() -> None:
    op.execute(
        "UPDATE message SET parent_id = (SELECT earlier.id FROM message AS earlier WHERE "
        "earlier.conversation_id = message.conversation_id AND earlier.ordinal < message.ordinal "
        "ORDER BY earlier.ordinal DESC LIMIT 1)"
    )
    op.execute(
        "UPDATE conversation SET leaf_id = (SELECT id FROM message WHERE conversation_id = conversation.id "
        "ORDER BY ordinal DESC LIMIT 1), updated_at = COALESCE((SELECT max(created_at) FROM message "
        "WHERE conversation_id = conversation.id), created_at)"
    )


def downgrade() -> None:
    """Take back; every message of a conversation is on its one path again, in the order of writing."""
    op.drop_table("rating")
    for name in ("ix_conversation_owners", "ix_conversation_newest", op.f("ix_conversation_branched_from")):
        op.drop_index(name, "conversation")
    op.drop_index(op.f("ix_message_parent_id"), "message")
    for table, columns in (
        ("message", ("memories", "parent_id")),
        ("conversation", ("branched_from", "leaf_id", "owner", "updated_at")),
    ):
        for column in columns:
            op.drop_column(table, column)
