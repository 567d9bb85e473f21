"""The formats people load: a row each. `docs/formats.md` has its table from here."""

from __future__ import annotations

from core.errors import SettingsError
from core.stages.dataset.formats import (
    alpaca,
    cards,
    csv_table,
    huggingface,
    label_studio,
    openai,
    parquet,
    sharegpt,
    xtuner,
)
from core.stages.dataset.formats.rows import Format
from core.translation import N_

FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        xtuner.ROW,
        openai.ROW,
        alpaca.ROW,
        sharegpt.ROW,
        huggingface.ROW,
        *csv_table.ROWS,
        parquet.ROW,
        label_studio.ROW,
        *cards.ROWS,
    )
}
"""Name -> format, in the order they are offered."""


def format_named(name: str) -> Format:
    """Return the format; SettingsError for an unknown name."""
    if name not in FORMATS:
        raise SettingsError(
            N_("There is no dataset format called {format}."),
            remedy=N_("Choose one of: {known}."),
            format=name,
            known=", ".join(FORMATS),
        )
    return FORMATS[name]
