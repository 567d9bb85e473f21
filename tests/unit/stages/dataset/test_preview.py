"""The preview tells what is learnt, what is only read and what is cut."""

from __future__ import annotations

import pytest

from core.domain.identity import now
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.errors import MissingArtifactError, SettingsError
from core.stages.dataset.preview import Preview, preview, reader_of, token_lengths
from core.store import Store

SYSTEM = "你是沈青。"
TALK = (("冷么？", "不冷。"), ("走罢？", "再立一会儿。"))


def sample(ordinal: int = 0, *, context: bool = False, times: int = 1) -> Sample:
    turns = [
        turn
        for number, (asked, answered) in enumerate(TALK)
        for turn in (
            Turn(TurnRole.COUNTERPART, "陆远", asked * times),
            Turn(TurnRole.PERSONA, "沈青", answered, context=context and number == 0),
        )
    ]
    return Sample(ordinal, "src-1", 1, Split.TRAIN, tuple(turns))


@pytest.fixture
def version(store: Store) -> DatasetVersion:
    samples = [sample(0), sample(1, context=True), sample(2, times=60)]
    made = DatasetVersion("ver-1", "a-qing", "v1", "", "f" * 64, SYSTEM, {}, len(samples), 0, now())
    store.datasets.add(made, samples)
    return made


def shown(version: DatasetVersion, store: Store, one: Sample, *, max_length: int = 256) -> Preview:
    return preview(one, reader_of(version, store, vocabulary=600), version=version, max_length=max_length)


def said(found: Preview, *, loss: bool) -> str:
    return "".join(token.text for token in found.seen if token.loss is loss)


def test_loss_is_on_her_replies_and_their_ends_only(version, store):
    found = shown(version, store, sample())

    assert said(found, loss=True) == "不冷。<|im_end|>再立一会儿。<|im_end|>"
    assert said(found, loss=False).count("<|im_start|>") == 5
    assert SYSTEM in said(found, loss=False)


def test_a_reply_that_is_context_is_read_without_loss(version, store):
    found = shown(version, store, sample(context=True))

    assert said(found, loss=True) == "再立一会儿。<|im_end|>"
    assert "不冷。" in said(found, loss=False)


def test_the_words_of_all_tokens_are_the_sample(version, store):
    found = shown(version, store, sample())

    text = "".join(token.text for token in found.tokens)
    assert text.startswith("<s><|im_start|>system\n你是沈青。<|im_end|>\n<|im_start|>user\n冷么？")
    assert found.like_a_chat is True


def test_what_is_too_long_is_cut_and_what_is_left_without_loss_is_lost(version, store):
    short = shown(version, store, sample(), max_length=12)
    lengths = token_lengths(version, store, reader_of(version, store, vocabulary=600), max_length=80)

    assert (len(short.seen), len(short.cut), short.learnt) == (12, len(short.tokens) - 12, 0)
    assert (len(lengths.lengths), lengths.samples, lengths.cut, lengths.lost) == (3, 3, 1, 1)
    assert sum(lengths.histogram().values()) == 3
    assert lengths.lengths[0] == len(shown(version, store, sample()).tokens)


def test_of_a_large_version_some_samples_are_measured_always_the_same(version, store):
    reader = reader_of(version, store, vocabulary=600)

    drawn = [token_lengths(version, store, reader, max_length=80, most=2).lengths for _ in range(2)]

    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 2


def test_a_missing_model_and_an_unknown_chat_form_are_named(version, store):
    with pytest.raises(MissingArtifactError, match="models/none"):
        reader_of(version, store, base="models/none")
    with pytest.raises(SettingsError, match="papyrus"):
        reader_of(version, store, template="papyrus")
    (store.workspace / "empty").mkdir()
    with pytest.raises(MissingArtifactError, match="empty"):
        reader_of(version, store, base="empty")
