"""docs/formats.md says of each format what its row says."""

from __future__ import annotations

from core.stages.dataset.formats import FORMATS
from core.stages.dataset.formats.rows import Carried, Format
from tests.conftest import PROJECT


def line_of(row: Format) -> str:
    carried = " | ".join("yes" if one in row.carries else "–" for one in Carried)
    return f"| `{row.name}` | {row.title} | {carried} | {row.loses or 'Nothing.'} |"


def test_the_table_of_formats_is_the_table_of_rows():
    head = f"| name | what it is | {' | '.join(one.value for one in Carried)} | what is lost in its own files |"
    table = "\n".join([head, "|" + "---|" * (len(Carried) + 3), *map(line_of, FORMATS.values())])

    text = (PROJECT / "docs" / "formats.md").read_text(encoding="utf-8")
    written = text.partition("<!-- table -->\n")[2].partition("\n<!-- end of table -->")[0]

    assert written == table
