"""Who can speak: the persona's cast, the names a text itself shows, and people who have only a role."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.stages.dialogues.cues import ADVERBS, LEADS, SPEECH_VERBS, TAKES_OBJECT

_ROLES: dict[str, str] = {
    "众人": "众人 大家 众姊妹 众姐妹 众门客 众清客",
    "丫鬟": "丫鬟 众丫鬟 众丫头 丫头 小丫头 小丫头子 小丫头们 丫鬟们 丫头们 小丫鬟 小鬟 丫环 侍女 使女",
    "婆子": "婆子 众婆子 众媳妇 老婆子 婆子们 老婆子们 老婆婆 老妪 婆娘",
    "媳妇": "媳妇们 媳妇子 一个媳妇",
    "小厮": "小厮 众小厮 小厮们 书童 小么儿 小么儿们",
    "老嬷嬷": "老嬷嬷 众嬷嬷 嬷嬷们 奶妈子 奶娘 老妈妈 老妈子",
    "家人": "家人 家人们 管家 仆人 家丁 长随 下人",
    "太监": "太监 小太监 内监 老太监 夏太监",
    "大夫": "大夫 太医 郎中",
    "门子": "门子 门上人 门上的人 门上的 门公 看门的",
    "和尚": "和尚 那僧 老僧 僧人 老和尚 癞头和尚",
    "道士": "道士 道人 那道 老道 跛足道人 老道士",
    "尼姑": "尼姑 姑子 小尼姑 老尼",
    "先生": "先生 老先生",
    "老者": "老者 老翁 老汉 老儿 老头子",
    "妇人": "妇人 那女人 老妇",
    "掌柜": "掌柜 掌柜的 店家 店主 伙计 店小二 小二",
    "差人": "差人 公差 衙役 差役 军士 官差",
    "门客": "清客 门客 清客相公 幕宾",
    "女先儿": "女先儿 女先生",
}
_ROLE_OF = {written: role for role, forms in _ROLES.items() for written in forms.split()}
_NEVER_IN_NAMES = frozenset(
    "的了着是在不有又也便就都忙因才却只且笑说道问听见看想叫骂哭叹答应回来去进出过起坐站走打拿把将被向对同跟给这那"
    "他她它我你您们其此彼几个众什么怎谁里外下前后左右手话事时日今昨半声各每或若果虽但可还再更最很极让使命知觉得到"
    "完罢吧呢吗啊呀哎嗳啐呸呵悄低冷怒急悲连口头心眼泪暗已经即遂乃故则以于从由向所之乎矣焉哉等与"
)
_NO_NAMES = frozenset(
    word
    for words in (
        "吩咐 勉强 俗语 常言 诧异 惊讶 思量 启奏 施礼 高呼 吆喝 含泪 滴泪 大惊 大喜 大怒 大叫 古语 微微 暗喜",
        "嘱咐 央告 沉吟 老人 别人 旁人 妇人 女人 男人 家人 主人 客人 佳人 美人 本人 夫人 一齐 十分 自古 二位 两位",
    )
    for word in words.split()
)
_COUNTED = re.compile("[一二三四五六七八九十两几些那这众]+人$")
_GESTURES = frozenset("大暗欢恨指惊怒喜心满急慌")
_CANDIDATE = re.compile(
    rf"(?:^|[。！？；，：”」…）])(?:{LEADS}){{0,4}}(?P<name>[一-龥·]{{2,5}}?)(?:{ADVERBS}){{0,4}}(?:{SPEECH_VERBS})[：:][“「‘\"]"
)
_RARE = 3
"""A name seen fewer times as a speaker is taken for chance, unless it begins like one."""
_MOST_NAMES = 2000
"""No book has more; what follows is noise."""
_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛范彭郎鲁韦马苗袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬"
    "傅卞康伍余卜顾孟黄穆萧尹姚邵汪祁毛狄戴宋庞熊纪项祝董梁杜阮蓝闵席贾江颜郭梅林刁钟徐邱骆夏蔡田樊胡凌霍虞柯卢莫裘丁邓洪崔龚程邢裴陆荣翁"
    "羊甄家封储靳焦牧山谷车侯伏仇暴甘厉戎符刘景詹龙叶幸司黎乔翟谭贡姬申冉桑濮牛寿边郏燕尚农庄晏柴瞿阎充慕连茹习艾鱼容古易廖终居衡步都耿满弘匡国"
    "文寇广禄阙东欧利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶乌"
) - frozenset("家山谷车终居步都满国文广东利师那连冷容古易华温荣严充习农")


@dataclass(frozen=True, slots=True)
class Names:
    """All names a text uses, as one pattern, and whom each means."""

    pattern: re.Pattern[str]
    meaning: Mapping[str, str]
    """Name as written -> canonical name or role."""

    def is_role(self, who: str) -> bool:
        """Whether this is somebody known only by what they do."""
        return who in _ROLES

    @classmethod
    def of(cls, cast: Mapping[str, Iterable[str]], discovered: Iterable[str] = ()) -> Names:
        """Join the cast (canonical name -> aliases), the discovered names and the roles; the cast wins."""
        meaning = dict(_ROLE_OF)
        meaning.update({name: name for name in discovered})
        for canonical, aliases in cast.items():
            meaning.update(dict.fromkeys((canonical, *aliases), canonical))
        meaning = {name: who for name, who in meaning.items() if name}
        return cls(re.compile(_trie_pattern(sorted(meaning))), meaning)


def discover_names(paragraphs: Sequence[str]) -> list[str]:
    """Return the names that the text itself shows as subjects of speech cues, the most frequent first."""
    counts: Counter[str] = Counter()
    for paragraph in paragraphs:
        counts.update(found["name"] for found in _CANDIDATE.finditer(paragraph))
    names: list[str] = []
    for name, count in counts.most_common():
        if count < _RARE and (len(name) > 3 or name[0] not in _SURNAMES or name.startswith(tuple(names))):
            continue
        if _plausible(name) and not any(_only_extends(name, known) for known in names):
            names.append(name)
        if len(names) == _MOST_NAMES:
            break
    return names


def _plausible(name: str) -> bool:
    if len(name) > 4 or name in _NO_NAMES or name[0] in "一上面令和者人" or name in _ROLE_OF or _COUNTED.match(name):
        return False
    return not any(letter in _NEVER_IN_NAMES for letter in name)


def _only_extends(name: str, known: str) -> bool:
    """Whether `name` is a more frequent name with a gesture after it or a verb before it (`三藏合掌`, `指宝玉`)."""
    if name.startswith(known):
        rest = name[len(known) :]
        return rest in _GESTURES if len(rest) == 1 else rest[-1] not in "儿家妈娘氏"
    return name.endswith(known) and name[0] in TAKES_OBJECT


def _trie_pattern(words: Sequence[str]) -> str:
    """Return a pattern that matches the longest of the words without trying each of them in turn."""
    branches: dict[str, list[str]] = {}
    for word in words:
        if word:
            branches.setdefault(word[0], []).append(word[1:])
    parts = []
    for letter, rests in branches.items():
        rest = _trie_pattern([one for one in rests if one])
        parts.append(re.escape(letter) + (f"{rest}?" if rest and "" in rests else rest))
    return f"(?:{'|'.join(parts)})" if parts else ""
