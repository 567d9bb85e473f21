"""The way of a voice through the pages once more, with the GPT-SoVITS of this machine in the place of the stand-in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.backends.tts.formant import FormantVoice
from tests.browser import voice_walk
from tests.browser.running_app import RunningApp
from tests.browser.visitor import Visitor
from tests.little_clips import spoken_set

CHECKOUT, PYTHON = "GPT_SOVITS_CHECKOUT", "GPT_SOVITS_PYTHON"
"""Environment variables that name the folder of a checkout and the Python of its environment."""
PICTURES = "GPT_SOVITS_PICTURES"
"""Names a folder that keeps pictures of the pages."""
HOURS = 2
REWRITTEN_BY_UPSTREAM = " M GPT_SoVITS/text/g2pw/polyphonic.md5"
LINES = (
    "你来了，外头冷，快坐下罢。今日可好些了？",
    "这几日园子里的花都谢了，看着叫人心里难过。",
    "我不过是随口说说，你倒当真起来了，真好笑。",
    "把窗子关上罢，这风吹得我头疼。",
    "昨夜下了一场雨，今早起来便觉得凉快多了。",
    "你若是有空，就多来陪我说说话，我一个人闷得很。",
    "姐姐这首诗写得真好，我是再写不出来的。",
    "天色不早了，你也该回去歇着，路上小心些。",
)


@pytest.mark.skipif(PYTHON not in os.environ, reason=f"no GPT-SoVITS here: {CHECKOUT} and {PYTHON} name it")
@pytest.mark.tools
@pytest.mark.slow
@pytest.mark.timeout(HOURS * 3600)
@pytest.mark.parametrize("version", ["v2", "v2Pro"])
def test_the_real_tool_goes_the_whole_way_from_a_checkout_to_the_chat(
    version: str, start_app: Callable[..., RunningApp], open_tab: Callable[..., Visitor]
) -> None:
    app = start_app()
    services = app.services()
    spoken_set(services.store, services.settings.persona, FormantVoice({"variant": "f3"}), LINES)
    pictures = Path(os.environ[PICTURES]) if PICTURES in os.environ else None
    studio = voice_walk.Studio(
        app,
        services,
        Path(os.environ[CHECKOUT]),
        Path(os.environ[PYTHON]),
        version=version,
        gpt_epochs=1,  # two pairs of weights are enough for a vote, and each speaks for minutes
        patience=HOURS * 1800,
        pictures=pictures,
    )
    try:
        visitor = open_tab(app)
        voice_walk.walk(studio, visitor)
        assert studio.changed_files().rstrip() in ("", REWRITTEN_BY_UPSTREAM)
        assert visitor.strangers == []
    finally:
        studio.close()
