"""Parquet: the flat table of turns, typed and compressed. Source: Apache Parquet format, as pyarrow writes it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample
from core.errors import InvalidInputError
from core.stages.dataset.formats import table
from core.stages.dataset.formats.intake import Intake
from core.stages.dataset.formats.report import Place
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_MAX_BYTES = 1 << 30
"""Of all columns, unpacked: a file of a few kilobytes may claim terabytes."""
_MAX_ROWS = 5_000_000
_BATCH = 10_000


def write(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return the table as one file."""
    import pandas as pd

    frame = pd.DataFrame(list(table.rows(samples, origins)), columns=list(table.COLUMNS))
    types = {name: "int64" if name in table.NUMBERS else "string" for name in table.COLUMNS}
    out = io.BytesIO()
    frame.astype(types).to_parquet(out, engine="pyarrow", index=False, compression="zstd")
    return {"turns.parquet": out.getvalue()}


def read(files: Files) -> Imported:
    """Return the conversations of all tables; InvalidInputError when a file is none or has no place for turns."""
    intake = Intake()
    for name, data in sorted(files.items()):
        if name.casefold().endswith(".parquet"):
            table.take(_rows(data, name, intake), intake)
    return intake.imported(name=", ".join(files))


def _rows(data: bytes, name: str, intake: Intake) -> Iterator[tuple[Place, Mapping[str, object]]]:
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        file: Any = parquet.ParquetFile(io.BytesIO(data))
        wanted = _columns(file, name, intake)
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
            for row in batch.to_pylist():
                number += 1
                yield Place(name, number), row
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError):
        raise InvalidInputError(
            N_("{name} is no Parquet file that can be read."), remedy=N_("Export it again."), name=name
        ) from None


def _columns(file: Any, name: str, intake: Intake) -> list[str]:
    """Return the columns to read; InvalidInputError when they are missing, nested, or too large."""
    import pyarrow

    schema, about = file.schema_arrow, file.metadata
    simple = {
        field.name
        for field in schema
        if pyarrow.types.is_string(field.type)
        or pyarrow.types.is_large_string(field.type)
        or pyarrow.types.is_integer(field.type)
    }
    missing = [column for column in table.NEEDED if column not in simple]
    if missing:
        raise InvalidInputError(
            N_("{name} has no column {column} of texts or whole numbers."),
            remedy=N_("Give it these columns at least: {needed}."),
            name=name,
            column=missing[0],
            needed=", ".join(table.NEEDED),
        )
    unpacked = sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))
    if unpacked > _MAX_BYTES or about.num_rows > _MAX_ROWS:
        raise InvalidInputError(
            N_("{name} unpacks to {rows} rows and {megabytes} MB, which is too much."),
            remedy=N_("Split it into parts."),
            name=name,
            rows=about.num_rows,
            megabytes=unpacked // 1_000_000,
        )
    intake.fields(dict.fromkeys(schema.names, ""), table.COLUMNS)
    return [column for column in table.COLUMNS if column in simple]


ROW = Format(
    name="parquet",
    title=N_("Parquet"),
    extension="parquet",
    write=write,
    read=read,
    carries=frozenset({Carried.TURNS, Carried.LOSS, Carried.SPEAKERS, Carried.SPLIT, Carried.ORIGINS}),
    loses=N_("The system prompt; it is in the manifest."),
)
