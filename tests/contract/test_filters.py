"""What every content filter promises, asked of each backend and of the double."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.backends.filters import FILTERS, ContentFilter, FilterSource
from core.backends.llm import Endpoint
from core.backends.rows import build
from core.errors import SettingsError, ToolFailedError
from tests.contract.doubles import WordyFilter
from tests.contract.moderation_server import ModerationServer


@pytest.fixture(params=[*FILTERS, "wordy"])
def content_filter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ContentFilter]:
    with ExitStack() as stack:
        made: ContentFilter
        if request.param == "wordy":
            made = WordyFilter("毒药")
        elif request.param == "words":
            made = build(FILTERS, "words", FilterSource(words=listed(tmp_path, "[violence]\n毒药")))
        else:
            server = stack.enter_context(ModerationServer("毒药"))
            made = build(FILTERS, "openai", FilterSource(endpoint=Endpoint(server.base_url, "m", "k")))
        yield made
        made.close()


def listed(folder: Path, text: str) -> Path:
    file = folder / "words.txt"
    file.write_text(text, encoding="utf-8")
    return file


def words(folder: Path, text: str) -> ContentFilter:
    return build(FILTERS, "words", FilterSource(words=listed(folder, text)))


def moderated(server: ModerationServer, seconds: float = 5) -> ContentFilter:
    endpoint = Endpoint(server.base_url, "m", "secret")
    return build(FILTERS, "openai", FilterSource(endpoint=endpoint, timeout_seconds=seconds))


def test_what_is_not_to_be_said_is_refused_with_its_category(content_filter):
    verdict = content_filter.refused("哪里买得到毒药？")

    assert verdict is not None
    assert verdict.category


@pytest.mark.parametrize("text", ["今日天气好，竹子又高了。", "", "  \n"])
def test_everything_else_passes(content_filter, text):
    assert content_filter.refused(text) is None


def test_a_filter_says_which_row_it_is(content_filter):
    assert content_filter.name in {*FILTERS, "wordy"}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_without_its_source_says_what_to_do(name):
    with pytest.raises(SettingsError) as refused:
        build(FILTERS, name, FilterSource())

    assert refused.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "賣毒藥的", "毒 药", "毒\u200b药", "毒\ufe0f药", "毒\U000e0101\u034f药", "ＰＯＩＳＯＮ！", "some poison.",
        "no  way out",
    ],
    ids=[
        "traditional", "spaces", "unseen characters", "a variation", "more of them", "full width", "another case",
        "more space",
    ],
)  # fmt: skip
def test_a_word_is_found_however_it_is_written(tmp_path, text):
    assert words(tmp_path, "毒药\nPoison\nno way out\n").refused(text) is not None


@pytest.mark.parametrize("text", ["first class", "毒性药物", "poisonous", "CAFÉS", "décafé", "assé"])
def test_a_word_inside_another_is_not_that_word(tmp_path, text):
    assert words(tmp_path, "毒药\npoison\nass\ncafé\n").refused(text) is None


@pytest.mark.parametrize("text", ["Café!", "在cafe\u0301里", "나쁜말은"])
def test_a_word_is_found_whatever_its_letters(tmp_path, text):
    assert words(tmp_path, "café\n나쁜말\n").refused(text) is not None


@pytest.mark.parametrize("pattern", ["/殺[人手]/", "/你,好/", "/ｋｉｌｌ/", "/[一-龍]人/", "/殺.$/", "/\\１杀人/"])
@pytest.mark.parametrize("text", ["殺人", "杀人", "殺\u200d手", "你,好", "你，好", "ＫＩＬＬ"])
def test_a_pattern_finds_what_it_names_however_either_is_written(tmp_path, pattern, text):
    meant = {
        "/殺[人手]/": {"殺人", "杀人", "殺\u200d手"},
        "/你,好/": {"你,好", "你，好"},
        "/ｋｉｌｌ/": {"ＫＩＬＬ"},
        "/[一-龍]人/": {"殺人", "杀人"},
        "/殺.$/": {"殺人", "杀人", "殺\u200d手"},
        "/\\１杀人/": set(),
    }

    assert (words(tmp_path, pattern).refused(text) is not None) is (text in meant[pattern])


def test_patterns_categories_and_remarks_are_read(tmp_path):
    listed_words = words(tmp_path, "# ours\n无名\n[numbers]\n/1[3-9][0-9]{9}/\n\n[names]\n陆远\n")
    found = [listed_words.refused(text) for text in ("无名", "打１３８００００００００给我", "陆远在么", "ours")]

    assert [verdict and verdict.category for verdict in found] == ["words", "numbers", "names", None]


def test_an_edited_list_counts_from_the_next_words_on(tmp_path):
    content_filter = words(tmp_path, "毒药")
    before = content_filter.refused("砒霜")
    (tmp_path / "words.txt").write_text("毒药\n砒霜", encoding="utf-8")
    os.utime(tmp_path / "words.txt", ns=(1, 1))  # a clock too coarse would hide the edit

    assert before is None
    assert content_filter.refused("砒霜") is not None


@pytest.mark.parametrize("content", [b"/(/", b"\xff\xfe\x00"], ids=["no pattern", "no text"])
def test_a_list_that_cannot_be_read_is_refused_with_a_remedy(tmp_path, content):
    (tmp_path / "words.txt").write_bytes(content)

    with pytest.raises(SettingsError) as refused:
        build(FILTERS, "words", FilterSource(words=tmp_path / "words.txt"))

    assert refused.value.remedy


def test_the_server_is_told_the_words_the_model_and_the_key_and_its_categories_are_named():
    with ModerationServer("毒药") as server:
        verdict = moderated(server).refused("毒药")

    assert server.requests == [("/v1/moderations", {"input": "毒药", "model": "m"})]
    assert server.keys == ["Bearer secret"]
    assert verdict is not None
    assert verdict.category == "self-harm, violence"


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, None), (429, None), (500, None), (200, "{}"), (200, "[]"), (200, "<html>")],
    ids=["no key", "busy", "broken", "another answer", "a list", "a page"],
)
def test_a_server_that_does_not_tell_is_a_failure_with_a_remedy_and_without_the_key(status, body):
    with ModerationServer(status=status, body=body) as server, pytest.raises(ToolFailedError) as failed:
        moderated(server).refused("好")

    assert failed.value.remedy
    assert "secret" not in str(failed.value)


def test_a_server_that_hangs_is_waited_for_only_so_long():
    with ModerationServer(hang=True) as server, pytest.raises(ToolFailedError):
        moderated(server, seconds=0.2).refused("好")


def test_a_server_that_is_gone_is_a_failure():
    with ModerationServer() as server:
        content_filter = moderated(server)

    with pytest.raises(ToolFailedError):
        content_filter.refused("好")
