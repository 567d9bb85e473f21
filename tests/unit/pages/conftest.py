"""The app as a visitor meets it, without a browser: Streamlit's own test driver on a workspace of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services as wiring
from core.domain.text import Source, SourceKind, Utterance, UtteranceKind
from core.services import Services
from core.stages.corpus.run import read_source
from core.stages.corpus.settings import UploadedText

ENTRANCE = Path(__file__).resolve().parents[3] / "pages" / "ui" / "entrance.py"
BOOK = """第一回　竹下初逢

林黛玉笑道：“外头风大，你且进来坐。”宝玉听了，忙道：“我才从那边来。”

第二回　夜雨

黛玉叹道：“这雨下得人心里都湿了。”
"""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services that the pages will use: a fresh workspace with the personas of the project."""
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path))
    wiring.services.cache_clear()
    yield wiring.services()
    wiring.services().close()
    wiring.services.cache_clear()


@pytest.fixture
def book(studio: Services) -> Source:
    """A small book in the corpus of the persona, with its three lines found."""
    persona = studio.store.personas.get(studio.settings.persona)
    upload = UploadedText(sha256=studio.store.files.put(BOOK.encode()), name="竹下.txt")
    source, passages = read_source(
        BOOK.encode(), upload, source_id="src-1", persona_id=persona.id, kind=SourceKind.NOVEL
    )
    studio.store.corpus.add(source, passages)
    lines = []
    for passage in passages:
        at = -1
        while (at := passage.text.find("“", at + 1)) >= 0:
            end = passage.text.index("”", at) + 1
            speaker = "贾宝玉" if "宝玉" in passage.text[:at] else persona.name
            place = (source.id, passage.ordinal, passage.chapter, passage.para, at, end)
            lines.append(
                Utterance(
                    *place,
                    passage.text[at + 1 : end - 1],
                    UtteranceKind.SPEECH,
                    speaker,
                    "rules",
                    0.9,
                    "cue-before:笑道",
                )
            )
    studio.store.utterances.replace(source.id, "rules", lines, None)
    return source


@pytest.fixture
def app(studio: Services) -> AppTest:
    """The app, not yet visited."""
    return AppTest.from_file(str(ENTRANCE), default_timeout=60)
