"""Words of a book inside Streamlit's Markdown: shown as they are, whatever signs they hold."""

from __future__ import annotations

import re
from typing import Final

from core.domain.markdown import in_one_paragraph

_OWN: Final = re.compile(
    r"(?<=:)(?=material[/_]|streamlit:)"
    # and by themselves: <-> <- <=, -> --, >= ~=
    r"|(?<=(?<!\S)<)(?=(?:->|-|=)(?!\S))|(?<=(?<!\S)-)(?=[>-](?!\S))|(?<=(?<!\S)[>~])(?==(?!\S))"
)
"""Where a text that Streamlit makes pictures and arrows of is broken: it does so behind every escape."""
_JOINER: Final = "\u2060"
"""Has no width, and no line ends at it."""


def plain(text: str) -> str:
    """Return the text so that Markdown shows every sign and line of it, as one paragraph; addresses still link."""
    return in_one_paragraph(_OWN.sub(_JOINER, text))
