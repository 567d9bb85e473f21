"""What is said in one cue of subtitles: markup, sounds and translations out, a speech for each speaker."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_TAG = re.compile(r"<[^<>\n]{0,200}>|\{[^{}\n]{0,500}\}")
VOICE = re.compile(r"<v(?:\.[\w.-]{1,40})?[ \t]+([^<>\n]{1,60})>")
"""WebVTT's mark of a speaker."""
_MUSIC = re.compile("[♪♫♬♩🎵🎶]")
_ASIDE = re.compile(r"[（(\[【〔]([^（()）\[\]【】〔〕\n]{0,40})[）)\]】〕]")
_HEAD = re.compile(rf"{_ASIDE.pattern}[ \t]*[：:]?(?=[ \t]*[^\s：:])")
_LABEL = re.compile(r"([^\W_][\w·・ ]{0,11}?)(?:[（(][^（()）\n]{0,30}[）)])?[ \t]*(?:：|:(?![/\d]))[ \t]*")
_NEXT_LABEL = re.compile(r"[ \t](?=[^\W\d_]{2,6}[：:])")
_DASH = re.compile(r"[-–—‐][ \t]*(?=[^\s\d–—‐-])")
_NEXT_DASH = re.compile(r"[ \t](?=[-–—‐][ \t]*[^\s\d–—‐-])")
_TELLING = re.compile("[说說道曰讲講问問答喊叫是云写寫想念唱见見]$")
"""A Han word ending so before a colon introduces a quotation; it names nobody."""
_SOUND = re.compile(
    "[声聲响響鸣鳴歌笑哭叹嘆咳泣喘]|音乐|音樂|掌|沉默|music|laugh|applause|sigh|cough|cry|sob|noise", re.IGNORECASE
)
_STAGE = re.compile("^(?:对|對|向|冲|低|轻|輕|大声|小声|看|望|转|轉|指|心|画外|畫外|字幕)")
_UNTOLD = re.compile(r"(?:default|comment|note|style|speaker|unknown|ntp|\W*\d*)$", re.IGNORECASE)
"""Names that programs put where a person's should stand."""
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3040-\u30ff]")
_LONGEST_NAME = 12
_LONGEST = 3_000
"""Characters of a cue that are looked at, markup included."""


@dataclass(frozen=True, slots=True)
class Speech:
    """The words of one speaker."""

    speaker: str | None
    text: str


def speeches(text: str, name: str = "") -> list[Speech]:
    """Return what is said in a cue, in order; none where it only tells of sounds. `name` is who speaks by its file."""
    told = _named(name)
    found: list[Speech] = []
    text = _TAG.sub("", VOICE.sub(r"\1：", text[:_LONGEST])).replace("<", "").replace("{", "")
    for line in _chinese([line for raw in html.unescape(text).split("\n") for line in _lines(raw)]):
        dashed = _DASH.match(line)
        speaker, words = _labelled(line[dashed.end() :] if dashed else line)
        words = _spaced(_ASIDE.sub(" ", words))
        if speaker or dashed or not found:
            found.append(Speech(speaker or (None if dashed else told), words))
        else:
            found[-1] = Speech(found[-1].speaker, f"{found[-1].text} {words}".strip())
    return [one for one in found if any(map(str.isalnum, one.text))]


def written_in_han(text: str) -> bool:
    """Whether there are Chinese words in it and no Japanese ones."""
    return _HAN.search(text) is not None and _KANA.search(text) is None


def _lines(raw: str) -> list[str]:
    """Return the line, cut where another speaker's words begin within it; none when it is music."""
    if _MUSIC.search(raw):
        return []
    line = _spaced(raw)
    if _DASH.match(line):
        return _NEXT_DASH.sub("\n", line).split("\n")
    if _LABEL.match(line):
        return _NEXT_LABEL.sub("\n", line).split("\n")
    return [line] if line else []


def _chinese(lines: list[str]) -> list[str]:
    """Return the Chinese lines where a cue has others beside them."""
    chinese = [line for line in lines if written_in_han(line)]
    return chinese or lines


def _labelled(line: str) -> tuple[str | None, str]:
    """Return who the line says speaks, and the words after that."""
    head = _HEAD.match(line)
    if head and not head[0].rstrip().endswith(("：", ":")) and (_SOUND.search(head[1]) or _STAGE.match(head[1])):
        return _labelled(line[head.end() :].strip())
    if head and (name := _named(head[1])):
        return name, line[head.end() :]
    label = _LABEL.match(line)
    if label is None or _TELLING.search(label[1]):
        return None, line
    name = _named(label[1])
    return (name, line[label.end() :]) if name else (None, line)


def _named(name: str) -> str | None:
    name = _spaced(name).strip("：: ")
    if not name or len(name) > _LONGEST_NAME or _UNTOLD.match(name):
        return None
    return name


def _spaced(text: str) -> str:
    """Return it on one line, without characters that are not seen."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
