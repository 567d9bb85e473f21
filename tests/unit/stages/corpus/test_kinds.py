"""A text's kind shows in its lines."""

from __future__ import annotations

import pytest

from core.domain.text import SourceKind
from core.stages.corpus.chapters import split_passages
from core.stages.corpus.kinds import detect_kind

NOVEL = "第一回　雨\n这一日青儿在窗下看书，陆远进来，笑道：“好雨。”\n青儿道：“有什么好？”陆远只管笑，半日不言语。"
SCREENPLAY = "第一幕\n（雨声）\n青儿：好雨。\n陆远（笑）：有什么好？\n青儿：你不懂。"
QUOTES = "我不怕雨，只怕雨停了。\n“竹子也有竹子的心事。”\n3. 来的人总要走的。"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (NOVEL, SourceKind.NOVEL),
        (SCREENPLAY, SourceKind.SCREENPLAY),
        (QUOTES, SourceKind.QUOTES),
        ("第一回　只有回目", SourceKind.NOVEL),
        ("青儿一路走来，" * 60, SourceKind.NOVEL),
        ("，" * 100_000, SourceKind.NOVEL),  # does not stall either
    ],
)
def test_the_kind_is_told_by_the_shape_of_the_lines(text, kind):
    assert detect_kind(split_passages(text, "src")) is kind
