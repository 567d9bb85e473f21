"""The head of a screenplay line: the shapes a label has, and what is a direction or a note to the crew instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class HeadStyle(StrEnum):
    """How a label is set off from the words; becomes part of the reason a line gives."""

    COLON = "label"
    SEMICOLON = "label-semicolon"
    BRACKET = "label-bracket"
    GAP = "label-gap"
    """Parted by a wide blank, as printed plays do."""
    BLANK = "label-blank"
    """Parted by one blank only."""
    ACTION = "label-action"
    """Only a direction between name and words."""
    ALONE = "label-alone"
    """The name has its line to itself, the words follow."""


@dataclass(frozen=True, slots=True)
class Head:
    """One way to read the front of a line."""

    label: str
    """Without numbering and marks; blanks within it kept."""
    action: str
    """The directions beside the label, brackets included."""
    style: HeadStyle
    words: int
    """Index in the line where the words begin; its length where there are none."""


_BLANK = r"[ \u3000\t\u00a0]"
_PIECE = r"[^\s：:︰﹕∶；;。，！？!?…—~“”\"「」『』（）()【】〔〕\[\]{}《》<>*#△▲∆※|=]{1,24}"
_LABEL = rf"{_PIECE}(?:{_BLANK}{{1,4}}{_PIECE}){{0,3}}"
_ACTION = rf"(?:{_BLANK}{{0,4}}[（(\[【〔][^（）()\[\]【】〔〕]{{0,80}}[）)\]】〕])"
_FRONT = re.compile(
    r"(?:\*{2}|[>•·*-]+\s+|[（(]?\d{1,4}(?:[）)]|[.、．](?!\d))\s*|"
    r"[\[【]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\]】]?\s+){0,3}"
)
"""List marks, numbers and clock times before the label."""
_SHAPES = (
    re.compile(
        rf"(?P<lead>{_ACTION}?){_BLANK}*(?P<label>{_LABEL})\*{{0,2}}(?P<action>{_ACTION}{{0,3}}){_BLANK}{{0,4}}\*{{0,2}}"
        rf"(?P<mark>[：:︰﹕∶；;])(?!//){_BLANK}*\*{{0,2}}{_BLANK}*"
    ),
    re.compile(
        rf"[【\[](?P<label>{_LABEL})(?P<lead>{_ACTION}?)[】\]](?:(?P<action>{_ACTION}{{0,3}}){_BLANK}*[：:；;])?{_BLANK}*"
    ),
    re.compile(rf"(?P<label>{_LABEL})\*{{0,2}}(?P<action>{_ACTION}{{0,3}}){_BLANK}*$"),
    re.compile(rf"(?P<label>\w{_BLANK}\w|{_PIECE})(?:[\u3000\t]{_BLANK}*|{_BLANK}{{2,}})(?=\S)"),
    re.compile(rf"(?P<label>{_PIECE}){_BLANK}(?=\S)"),
    re.compile(rf"(?P<label>{_PIECE})(?P<action>{_ACTION}{{1,3}}){_BLANK}*(?=\S)"),
)
_STYLES = (
    HeadStyle.COLON,
    HeadStyle.BRACKET,
    HeadStyle.ALONE,
    HeadStyle.GAP,
    HeadStyle.BLANK,
    HeadStyle.ACTION,
)


def heads(line: str) -> Iterator[Head]:
    """Yield the ways the front of a line may be a label, the likeliest first."""
    found = _FRONT.match(line)
    front = found.end() if found else 0
    for shape, style in zip(_SHAPES, _STYLES, strict=True):
        match = shape.match(line, front)
        if match:
            parts = match.groupdict()
            if parts.get("mark") in ("；", ";"):
                style = HeadStyle.SEMICOLON
            action = (parts.get("lead") or "") + (parts.get("action") or "")
            yield Head(match["label"], action, style, match.end())


_NOTE = re.compile(
    r"(?:旁白|[画畫]外音|解[说說][词詞]?|字幕|[弹彈]幕|片[名头頭尾]|[剧劇本作]名|[编編][剧劇]|[导導]演|作者|原著|改[编編]|主演|出品人?|"
    r"[制製]片人?|[监監]制|集[数數]|版本|[类類]型|[题題]材|主[题題]|[时時][间長长代]|年代|日期|地[点點區区]|[场場](?:[景次记記号號地])?|"
    r"[内內外]?景|日|夜|人|人物|(?:主要|[出登][场場])?(?:人物|角色|人[员員]|[演群]?演?[员員]?表)|(?:人物|角色)(?:表|小[传傳]|介[绍紹]|[关關]系)|"
    r"[剧劇]中人物?|道具|服[装裝]|化[妆妝]|布景|舞[台臺]|背景|[灯燈]光|音[乐樂效响響]|配[乐樂音]|歌[词詞曲]|[主插][题題]?曲|[镜鏡][头頭]|机位|景[别別]|"
    r"特[写寫]|大?[全中近远遠]景|空[镜鏡]|航拍|[俯仰跟]拍|[画畫]面|蒙太奇|[闪閃][回前]|回[忆憶]|[转轉][场場]|[切淡叠疊化][入出至换換黑印]?|"
    r"黑[场場屏]|定格|[剧劇]情|梗概|大[纲綱]|[简簡]介|提要|故事|[内內]容|[说說]明|提示|注[意释釋]?|[备備]注|備註|附[注录錄]?|[来來]源|"
    r"[幕场場][启啟落间間]|(?:第[一二三四五六七八九十百\d]+)?[场場](?:[景次])?|[开開][场場]|尾[声聲]|序幕|楔子|"
    r"(?i:o\.?s\.?|v\.?o\.?|p\.?s\.?|bgm|se|sfx|narrator|note|title|super|scene|setting|time|place|location|characters?|cast|camera|sound|"
    r"music|cut to|fade (?:in|out|to)|dissolve to|https?)|"
    r"[纸紙][条條]|书?信|短信|微信|屏幕|黑板|招牌|牌子|[标標][语語题題]|[横橫]幅|[报報][纸紙]|日[记記]|卡片|地址|[结結]果|原因|目的|答案|"
    r"[总總]之|[例比]如|[规規][则則])"
    r"[\s\d一二三四五六七八九十A-Z]{0,4}"
)
_SCENE_TOKEN = (
    "日|夜|晨|昏|晚|黄昏|黃昏|傍晚|清晨|早晨|凌晨|深夜|中午|下午|[内內外]景?|[日夜晨昏][内內外]|[内內外][日夜]|"
    "DAY|NIGHT|DAWN|DUSK"
)
_SCENE_WORD = re.compile(rf"(?:{_SCENE_TOKEN})")
_SCENE_START = re.compile(
    r"[#*\s【\[]*(?:第[\d零一二三四五六七八九十百]+[场場]|[场場](?:[景次])?\s*[\d一二三四五六七八九十]|"
    r"\d{1,3}\s*[-－–]\s*\d{1,3}(?!\d|:)|(?:INT|EXT|I/E)[./\s]|[内內外]景)"
)
_BETWEEN_TOKENS = re.compile(r"[\s·・/／,，、\-—–|.．【】\[\]]+")
_SENTENCE = re.compile("[。！？…：“”「」!?]")
_STAGE_WORD = re.compile(
    r"[（(【\[〔]?(?:[幕剧劇本全][落终終完集]+[终終完]?|完|[终終]|[转轉][场場]|切[黑至]?|黑[场場屏]|暗[转轉]|[静靜][场場]|"
    r"[淡渐漸][入出隐隱]|[闪閃][回前]|回[忆憶](?:[结結]束)?|定格|"
    r"(?i:(?:cut|fade|dissolve|smash|match)\b.{0,20}|the end|blackout))"
    r"[。.：:]?[）)】\]〕]?"
)
_DIRECTION_MARK = re.compile(r"[△▲∆▽※●◆■□◎]|[-—–=_*~]{3,}|#{1,6}\s")
_GROUP = re.compile(r"[（(【〔\[][^（）()【】〔〕\[\]]*[）)】〕\]]")
_DEEPEST = 3
"""Brackets within brackets that are followed."""
_OPENING = "（(【〔["
_CLOSING = "）)】〕]"
_CAST_HEADER = re.compile(
    r"[【\[*#\s]*(?:(?:主要|[出登][场場])?(?:人物|角色)(?:表|介[绍紹]|小[传傳])?|[剧劇]中人物?|[演职職]+[员員]表|"
    r"(?i:cast|characters|dramatis personae))[】\]*\s]*[：:]?[*\s]*"
)
_CAST_ENTRY = re.compile(
    rf"{_FRONT.pattern}(?P<name>{_PIECE}(?:{_BLANK}{_PIECE})?)\s*(?:[：:—–－-]{{1,3}}|[（(，,]|{_BLANK}|$)"
)


def is_note(label: str) -> bool:
    """Whether a label belongs to the narrator, the camera or the crew: 旁白, 镜头2, 时间."""
    return bool(_NOTE.fullmatch(label))


def is_scene_heading(line: str) -> bool:
    """Whether a line says where and when a scene plays, or that one ends."""
    if _STAGE_WORD.fullmatch(line):
        return True
    if len(line) > 40 or _SENTENCE.search(line):
        return False
    return bool(_SCENE_START.match(line)) or any(map(_SCENE_WORD.fullmatch, _BETWEEN_TOKENS.split(line)[1:]))


def is_direction(line: str) -> bool:
    """Whether a line holds nothing but directions; so does one that opens a bracket and leaves it open."""
    if _DIRECTION_MARK.match(line):
        return True
    return line[:1] in tuple(_OPENING) and (leaves_open(line) or not without_directions(line).strip("。，,. \u3000"))


def leaves_open(line: str) -> bool:
    """Whether a direction that begins a line goes on in the next."""
    return line[:1] in tuple(_OPENING) and not any(mark in line for mark in _CLOSING)


def closes(line: str) -> bool:
    """Whether a direction from a line above may end here."""
    return any(mark in line for mark in _CLOSING)


def without_directions(words: str) -> str:
    """Return the words without what stands in brackets, nested brackets included."""
    for _ in range(_DEEPEST):
        words = _GROUP.sub("", words)
    return words


def directions(words: str) -> str:
    """Return what stands in brackets, and nothing else."""
    return "".join(_GROUP.findall(words))


def is_cast_header(line: str) -> bool:
    """Whether the lines below introduce the play's people."""
    return bool(_CAST_HEADER.fullmatch(line))


def cast_entry(line: str) -> str | None:
    """Return the name a line of a cast list introduces."""
    found = _CAST_ENTRY.match(line)
    return found["name"] if found else None
