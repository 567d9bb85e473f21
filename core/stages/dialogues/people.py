"""Finds the people of a modern text, which names its speakers by what they do: who acts, and who is he or she.

A modern cue stands behind the words or is a mere deed (`“…”她放下杯子。`), so a name is whatever stands
again and again where a sentence begins and does what only people do, or is called by others.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from core.stages.dialogues import roles
from core.stages.dialogues.discovery import NEVER_IN_NAMES, SELDOM_IN_NAMES
from core.stages.dialogues.paragraphs import Paragraph
from core.stages.dialogues.roles import SURNAMES

_HUMAN = (
    "说 问 答 笑 喊 叫 叹 骂 嚷 哭 嘟囔 嘀咕 点点头 点了点头 点头 摇头 摇摇头 摇了摇头 看看 看了 看着 看见 望着 "
    "盯着 瞪 抬起 抬头 低下 低头 想了 想起 "
    "愣 怔 皱 眯 睁 咬 沉默 耸 撇 压低 清了 张了 叫住 听见 听了 听完 插嘴 追问 补充 回答 解释 打断 吃了一惊 "
    "忍不住 举起 举手 站起 蹲下 坐下 转身 转过身"
)
_DEED = (
    "凑 是 指 看 望 盯 想 听 站 坐 走 跑 转 伸 拿 放 拍 推 接过 掏 端 蹲 靠 抱 扶 提 拎 合上 翻 打开 停 挪 爬 跟 捂 "
    "挥 摆 摘 披 戴 把 在 从 对 冲 朝 向 也 没 终于 忽然 突然 "
    "慢慢 轻轻 轻声 低声 小声 大声 连忙 赶紧 立刻 连 一边 还 又 正 才 就 已经 早 不 只 第一个 最后一个 给 被 跳 趴"
)
_BEGIN = r"(?:^|(?<=[。！？…§]))(?:这时|忽然|突然|只有|那天|于是|然后|可是|但是|但|而|可)?"
_NAME = "(?P<name>[一-龥]{2,5}?)"
_ACTS = re.compile(f"{_BEGIN}{_NAME}(?P<human>{'|'.join(_HUMAN.split())})")
_DOES = re.compile(f"{_BEGIN}{_NAME}(?:{'|'.join(_DEED.split())})")
_SAYS = re.compile(
    f"(?:^|(?<=[。！？…§，])){_NAME}(?:[一-龥]{{1,8}}?地)?(?:又|也|便|才|就|终于|忽然|轻声|低声|小声|大声|沉声|笑着|继续|接着|在[^，。]{{1,4}}){{0,2}}"
    "(?:说道?|问道?|喊道?|叫道|喝道|叹道|笑道|答道|回答|追问|开口)(?=[，。：！？]|$)"
)
_TITLES = (
    "老师 总 经理 医生 大夫 警长 警官 太太 夫人 先生 小姐 女士 奶奶 爷爷 队长 局长 主任 师傅 阿姨 叔叔 教授 校长 "
    "老板 书记 院长 处长 科长 厂长 护士 姐 哥 嫂 婶 伯 "
    "大爷 大妈 大娘 大叔 大婶 掌柜"
)
_TITLED = re.compile(f"(?:[{''.join(sorted(SURNAMES))}])(?:{'|'.join(sorted(_TITLES.split(), key=len, reverse=True))})")
_FAMILIAR = re.compile(f"[老小阿](?:[{''.join(sorted(SURNAMES))}]|[一-龥])")
_CALLED = re.compile("(?:^|[，。！？…—])(?P<name>[一-龥]{2,4})(?=[，！？。…—]|$)")
_EVERYDAY = (
    "什么 怎么 为什么 没有 是的 好的 不是 可是 但是 不过 谢谢 对不起 真的 当然 也许 可能 大概 而且 所以 因为 如果 "
    "这样 那样 这么 那么 你们 我们 他们 她们 咱们 大家 自己 别人 "
    "现在 今天 明天 昨天 后来 晚上 早上 下午 上午 中午 时候 然后 于是 忽然 突然 终于 其实 原来 果然 再见 晚安 "
    "早安 你好 您好 没事 不用 不行 可以 知道 老天 上帝 天哪 "
    "两人 三人 众人 有人 没人 一个 两个 几个 那人 这人 谁也 人们 人家 声音 目光 眼睛 眼泪 屋子 房间 门口 窗外 "
    "电话 手机 电视 火车 汽车 马车 会议 饭桌 晚饭 早饭 午饭 "
    "老家 老资 小心 小声 小时 小区 老样 老实 老师 阿姨 小孩 小学 小说 老是 小路 小镇 小小 老老 小子 小伙 老人 "
    "老太 老大 小姐 小组 小手 小脸 小声 老了 小了 老套 老房 小房 小包 小吃 小店 小桌 老板 "
    "周围 马上 高兴 黄昏 方才 房间 安静 金色 江边 许多 毛巾 时间 任何 常常 高高 白天 夏天 雷声 钟声 计程 "
    "全班 全部 全家 白色 黄色 红色 高大 高中 安全 应该 明白 明显 年轻 路上 路边 水里 花园 车站 车里 车门 车子 "
    "马车 马路 金属 石膏 白大 方向 方便 万一 万分 段时 于我 史书 左手 左边 右手 安排 安慰 安心 童年 毕竟 毕业 "
    "费力 江水 江面 "
    "向前 向后 向着 向来 向上 向下 向左 向右 向他 向她 容易 习惯 梅花 古老 时而 任务 连忙 严肃 包括 包里 祝福 祝你 "
    "程度 房东 党员 高三 "
    "高二 高一 沉默 "
    "一连 一时 一下 一阵 半天 片刻 随后 随即 此时 此刻 同时 起初 最后 首先 其中 周围 四周 外面 里面"
)
_NOT_NAMES = frozenset(_EVERYDAY.split())
_TRIGRAM = re.compile(f"(?=([{''.join(sorted(SURNAMES))}][一-龥]{{2}}))")
_SAME = 0.6
"""The share at which a third letter belongs to the name."""
_TITLE_WORDS = tuple(_TITLES.split())
_TITLE_LETTERS = frozenset("".join(_TITLE_WORDS))
_AFTER_NAMES = frozenset("的是和了不有跟与同、，。") | {word[0] for word in f"{_HUMAN} {_DEED}".split()}
_NEVER_IN_GIVEN = frozenset(
    "的了着是在不有又也便就都却只且说问听看想叫他她它我你您们什么怎谁里下前后很再还更没给被把对从跟上个些起来去过到会能要可能色天年日月边头面间候声常是"
)
_FOREIGN = frozenset(
    "阿埃艾安奥巴班贝本比彼宾波伯勃布查达戴丹德迪蒂杜厄恩尔法菲费弗夫福盖冈戈格根古哈赫亨霍基吉加杰卡凯坎康考科克肯库拉莱兰朗劳勒雷黎里利莉丽林琳卢鲁伦罗洛马玛"
    "迈麦曼梅蒙米密莫默姆穆纳娜内尼妮纽诺欧帕派佩彭皮普奇乔切琼丘茹瑞萨塞桑莎沙舍什史丝斯司苏索塔泰坦汤唐特提图托瓦旺威韦维沃乌西希夏肖辛休雅亚扬耶伊因尤约泽詹兹佐逊顿森"
)
_TRADE_ENDS = frozenset("员师匠客贩婆徒兵童商犯贼")
"""How words for what somebody does end: `通讯员`, `茶客`."""
_ENOUGH = 2.0
"""How many human deeds make a name (a weak deed counts half)."""


class Gender(Enum):
    """What a text calls somebody: 他 or 她."""

    HE = "他"
    SHE = "她"


_SHE = frozenset("妈婶姨娘姐妹婆嫂姑奶母女娜婷莉莎媛芳丽娟萍兰雪娥玉珍琴静雯佳妻妇媳婷娇嫣姗妮莲菊婉蓉薇妃后")
_HE = frozenset("爸爹爷叔伯父哥弟舅公刚强军伟勇龙虎山海建国涛辉杰超磊鹏飞汉男夫婿僧")


@dataclass(slots=True)
class _Seen:
    deeds: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Name -> the different things it does."""
    called: Counter[str] = field(default_factory=Counter)
    begun: Counter[str] = field(default_factory=Counter)
    """The same by how the words begin: a name with more behind it."""
    trigrams: Counter[str] = field(default_factory=Counter)
    """What begins with a surname, wherever it stands."""
    shown: Counter[str] = field(default_factory=Counter)
    """Titles and familiar names, wherever they stand."""


def discover_people(chapters: Iterable[Sequence[Paragraph]]) -> list[str]:
    """Return the names of those who act or are called in modern prose."""
    seen = _Seen()
    for chapter in chapters:
        for paragraph in chapter:
            _look(paragraph, seen)
    people = {name for name in seen.deeds if _is_person(name, seen)}
    people |= {name for name, count in seen.shown.items() if count > 1 and _is_shown(name, seen)}
    return sorted(people | set(_surnamed(seen)))


def narration_of(paragraph: Paragraph) -> str:
    """Return a paragraph's narration, with a mark where its quotations stand."""
    parts = [line.before for line in paragraph.lines]
    return "§".join([*parts, paragraph.rest]) if parts else paragraph.rest


def short_forms(names: Iterable[str]) -> dict[str, str]:
    """Return which of the names is the end of just one longer one (`明远` of `顾明远`)."""
    known = set(names)
    longer: dict[str, set[str]] = defaultdict(set)
    for name in known:
        if name[0] in SURNAMES and len(name) == 3 and name[1:] in known:
            longer[name[1:]].add(name)
    return {short: next(iter(full)) for short, full in longer.items() if len(full) == 1}


def genders(mentioned: Mapping[str, Counter[str]]) -> dict[str, Gender]:
    """Return who is he and who is she; `mentioned`: name -> the pronouns that followed it in its sentence."""
    known: dict[str, Gender] = {}
    for name, pronouns in mentioned.items():
        she = pronouns["她"] + 2 * sum(letter in _SHE for letter in name)
        he = pronouns["他"] + 2 * sum(letter in _HE for letter in name)
        if she != he:
            known[name] = Gender.SHE if she > he else Gender.HE
    return known


def _look(paragraph: Paragraph, seen: _Seen) -> None:
    narration = narration_of(paragraph)
    for pattern, weight in ((_SAYS, 2), (_ACTS, 2), (_DOES, 1)):
        for found in pattern.finditer(narration):
            name = found["name"]
            after_words = narration[max(found.start() - 1, 0) : found.start()] == "§"
            seen.deeds[name] += weight + after_words
            seen.kinds[name].add(found.group()[-2:])
            for length in range(2, min(len(name), 4)):
                seen.begun[name[:length]] += weight + after_words
    for text in (narration, *(line.words for line in paragraph.lines)):
        seen.shown.update(_TITLED.findall(text))
        seen.shown.update(_FAMILIAR.findall(text))
        seen.trigrams.update(_TRIGRAM.findall(text))
    for line in paragraph.lines:
        seen.called.update(found["name"] for found in _CALLED.finditer(line.words))


def _is_person(name: str, seen: _Seen) -> bool:
    """Whether it is somebody by what it does: often and of several sorts, or when called, or as its form tells."""
    if name in _NOT_NAMES or name in roles.MEANING:
        return False
    strange = any(letter in NEVER_IN_NAMES - _TITLE_LETTERS for letter in name)
    if _looks_like_somebody(name, strange=strange):
        return seen.deeds[name] > 1
    if any(letter in SELDOM_IN_NAMES for letter in name):
        return False
    if strange:
        return len(name) == 2 and seen.called[name] > 0 and seen.deeds[name] > 3
    if seen.deeds[name] / 2 >= _ENOUGH and len(seen.kinds[name]) > 1:
        return True
    return len(name) < 4 and seen.called[name] > 0 and seen.deeds[name] + 2 * seen.called[name] > 2


def _looks_like_somebody(name: str, *, strange: bool) -> bool:
    """Whether the form alone tells: a foreign sound, a title, a trade; `strange`: it has letters seldom in names."""
    if len(name) > 2 and all(letter in _FOREIGN for letter in name):
        return True
    if strange:
        return False
    titled = name.endswith(_TITLE_WORDS) and len(name) < 6 and (len(name) < 3 or name[-1] not in "总姐哥嫂婶伯")
    return titled or (len(name) < 4 and name[-1] in _TRADE_ENDS)


def _is_shown(name: str, seen: _Seen) -> bool:
    """Whether a title or a familiar form is somebody's: it acts or is called somewhere."""
    if name in _NOT_NAMES or name in roles.MEANING or any(letter in NEVER_IN_NAMES - _TITLE_LETTERS for letter in name):
        return False
    return name.endswith(_TITLE_WORDS) or seen.deeds[name] + seen.called[name] > 0


def _surnamed(seen: _Seen) -> Iterator[str]:
    """Yield what begins with a surname and acts: three letters where the third is mostly the same."""
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    for words, count in seen.trigrams.items():
        if not words[1:].startswith(_TITLE_WORDS) and words[:2] not in _NOT_NAMES and words[1] != "老":
            pairs[words[:2]][words] += count
    for pair, longer in pairs.items():
        words, most = longer.most_common(1)[0]
        total = sum(longer.values())
        name = words if most >= _SAME * total and words[2] not in _AFTER_NAMES else pair
        acts = seen.deeds[name] + seen.begun[name] + min(seen.called[name], 2)
        given = name[1:] in seen.deeds and len(name) > 2
        known = name in _NOT_NAMES or name in roles.MEANING or any(letter in _NEVER_IN_GIVEN for letter in name[1:])
        if (acts > 1 or (acts and total > 2) or given) and not known:
            yield name
