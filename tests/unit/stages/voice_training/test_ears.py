"""What a ranking is lent to listen with."""

from __future__ import annotations

from core.lending import ranking_ears
from core.stages.voice_training.ranking import RankingSettings


def test_nobody_listens_unless_asked_to() -> None:
    with ranking_ears(RankingSettings(run_id="run-1")) as (voiceprint, recogniser):
        assert voiceprint.name == "mfcc"
        assert recogniser is None


def test_a_recogniser_that_is_asked_for_is_named_with_its_model() -> None:
    wanted = RankingSettings(run_id="run-1", recogniser="openai", model="whisper-9", base_url="http://127.0.0.1:9/v1")

    with ranking_ears(wanted) as (_, recogniser):
        assert recogniser is not None
        assert "whisper-9" in recogniser.label
