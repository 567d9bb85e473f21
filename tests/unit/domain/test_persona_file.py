"""A persona is a file."""

from __future__ import annotations

import pytest

from core.domain.persona_file import read_persona
from core.errors import SettingsError

GOOD = """
name: 沈青
book: 竹声
aliases: [青儿]
system_prompt: 你是沈青。
greeting: 你来了。
facts: {你是谁？: 我是沈青。}
cast: {陆远: [远哥], 赵嬷嬷: []}
voice: {pitch: 60, variant: f3}
"""


def test_a_persona_is_read_from_her_file(tmp_path):
    file = tmp_path / "a-qing.yaml"
    file.write_text(GOOD, encoding="utf-8")

    persona = read_persona(file)

    assert (persona.id, persona.name, persona.facts) == ("a-qing", "沈青", {"你是谁？": "我是沈青。"})
    assert persona.alias_table() == {"沈青": ("青儿",), "陆远": ("远哥",), "赵嬷嬷": ()}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name: 沈青", "book"),
        (GOOD + "colour: green", "colour"),
        ("name: [", r"a-qing\.yaml"),
        ("", "file"),
        (GOOD.replace("你是沈青。", "", 1), "system_prompt"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path, content, words):
    file = tmp_path / "a-qing.yaml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError, match=words):
        read_persona(file)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nobody\.yaml"):
        read_persona(tmp_path / "nobody.yaml")
