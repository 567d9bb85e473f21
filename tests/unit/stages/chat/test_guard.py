from __future__ import annotations

import logging

import pytest

from core import settings as all_settings
from core.backends.llm import Delta
from core.errors import InvalidInputError, SettingsError, ToolFailedError
from core.lending import guard_of
from core.stages.chat.guard import Guard
from core.stages.chat.settings import ChatSettings
from tests.contract.doubles import WordyFilter
from tests.contract.moderation_server import ModerationServer


def test_words_that_are_not_to_be_said_are_refused_kindly_and_never_logged(caplog):
    guard = Guard(WordyFilter("毒药"))
    with caplog.at_level(logging.DEBUG), pytest.raises(InvalidInputError) as refused:
        guard.check_said("哪里买毒药")
    guard.check_said("竹子高了")

    assert refused.value.remedy
    assert "毒药" not in str(refused.value) + caplog.text


def test_a_reply_ends_before_what_she_may_not_say():
    guard = Guard(WordyFilter("毒药"))

    assert [guard.check_reply(clause) for clause in ("竹子高了，", "去买毒药。")] == [True, False]


def watched(guard: Guard, *pieces: str, line: str | None = None) -> str:
    """Return what is left of a reply."""
    return "".join(delta.text for delta in guard.watched(Delta(piece, line) for piece in pieces))


@pytest.mark.parametrize("reply", ["……", "😊", "嗯。😊", "好。~", "“", "你来了？坐。\n"])
def test_a_reply_that_may_be_said_comes_whole_with_its_signs(reply):
    assert watched(Guard(WordyFilter("毒药")), *reply) == reply


@pytest.mark.parametrize("broken", ["哪里有毒\n药卖。", "长" * 79 + "毒药。"])
def test_what_is_not_to_be_said_is_seen_across_the_end_of_a_clause(broken):
    assert "药" not in watched(Guard(WordyFilter("毒药", "毒\n药")), *broken)


def test_a_line_of_the_book_comes_whole_or_not_at_all():
    guard = Guard(WordyFilter("毒药"))

    assert watched(guard, "你好。", "去买毒药。", line="u.1") == ""
    assert watched(guard, "你好。", "竹子高了。", line="u.1") == "你好。竹子高了。"


def test_a_filter_that_fails_lets_nothing_pass_unless_it_is_told_to():
    closed, opened = Guard(WordyFilter(breaks=True)), Guard(WordyFilter(breaks=True), open_on_failure=True)
    with pytest.raises(ToolFailedError) as failed:
        closed.check_said("好")
    assert "double" not in str(failed.value), "a visitor is not told what is behind it"
    opened.check_said("好")

    assert (closed.check_reply("好"), opened.check_reply("好")) == (False, True)


def test_a_guard_gives_its_filter_back():
    content_filter = WordyFilter()
    Guard(content_filter).close()

    assert content_filter.closed


def test_without_a_filter_everything_passes():
    guard = guard_of(ChatSettings())
    guard.check_said("毒药")

    assert guard.check_reply("毒药")


def test_a_guard_is_made_once_for_the_same_settings_with_a_list_below_configs(tmp_path, monkeypatch):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "ours.txt").write_text("毒药", encoding="utf-8")
    monkeypatch.setattr(all_settings, "CONFIGS", tmp_path)
    settings = ChatSettings(filter="words", filter_words="lists/ours.txt")
    guard = guard_of(settings)

    assert not guard.check_reply("毒药")
    assert guard_of(settings.model_copy()) is guard


def test_a_server_is_asked_with_the_key_of_the_environment(monkeypatch):
    monkeypatch.setenv("FILTER_API_KEY", "k-1")
    with ModerationServer("毒药") as server:
        settings = ChatSettings(filter="openai", filter_url=server.base_url, filter_key="FILTER_API_KEY")
        refused = not guard_of(settings).check_reply("毒药")

    assert refused
    assert server.keys == ["Bearer k-1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"filter": "oracle"},
        {"filter": "words"},
        {"filter": "words", "filter_words": "nowhere.txt"},
        {"filter": "words", "filter_words": "../pyproject.toml"},
        {"filter": "openai"},
    ],
    ids=["unknown", "no list", "no file", "elsewhere", "no server"],
)
def test_a_filter_that_cannot_be_built_is_no_chat_rather_than_an_unwatched_one(changes):
    with pytest.raises(SettingsError) as refused:
        guard_of(ChatSettings(**changes))

    assert refused.value.remedy
