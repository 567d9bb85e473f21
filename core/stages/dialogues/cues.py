"""The words around a quotation that say who speaks and how: patterns over Chinese narration, kept as data."""

from __future__ import annotations

import re


def _one_of(*groups: str) -> str:
    """Return a pattern for any of the words, which stand between blanks."""
    return "|".join(word for group in groups for word in group.split())


SPEECH_VERBS = _one_of(
    "说道 问道 回道 答道 笑道 叹道 骂道 喝道 叫道 喊道 嚷道 哭道 劝道 啐道 忙道 便道 又道 因道 应道 禀道 告道",
    "吩咐道 嘱咐道",
    "回说 答说 笑说 因说 又说 便说 忙说 都说 只说 来说 笑问 因问 便问 忙问 又问 道 说 问 曰 云 喊 嚷 骂 喝 叫 答 回",
)
"""What may stand directly before the colon; the longer forms first."""

ADVERBS = _one_of(
    "冷笑 微笑 陪笑 赔笑 含笑 笑着 笑嘻嘻的? 哭着 听了 听说 听见 闻言 一面 一边 也不 忙忙的? 连忙 赶忙 慌忙",
    "急忙 即忙 悄悄的? 悄 低声 高声 大声 厉声",
    "不禁 不觉 不由得? 只得 只管 方才 于是 遂即 随即 早已 自己 在旁 一旁 点头 摇头 拍手 跺脚 回头 抬头 低头",
    "流泪 含泪 拭泪 叹气 叹了?口气",
    "笑 忙 便 因 又 也 都 就 才 方 却 乃 遂 即 只 还 再 先 早 正 急 怒 喜 叹 哭 泣 冷 连 亦 仍 已 且 更 皆 齐",
    "竟 原 自 奏 启 谢 求 央 恨 怨 赞 夸 惊 慌 羞 恼 咳 呼 猜 祝 祷 禀 复 报 嗔 劝 告 哼 大 高 暗",
)
"""What may stand between a name and its verb."""

LEADS = _one_of(
    "话说 却说 且说 再说 如今且说 原来 只见 忽见 却见 只听见 只听得 只听 忽听见 忽听得 忽听 听得 听见 早有",
    "便有 就有 又有 忽有 还有 只有 独有 惟有",
    "当下 当时 一时 这里 那里 那边 这边 里面 外面 外头 外间 里间 旁边 一旁 傍边 身后 后面 后边 前面 对面 门外",
    "窗外 地下 底下 炕上 床上 内中 其中",
    "于是 因此 所以 谁知 不想 不料 岂知 那知 忽然 忽 偏 恰好 恰值 可巧 正值 正是 正说着 说着 一语未了 次日",
    "这日 那日 一日 晚间 幸而 幸亏 幸有 后来 然后",
    "却是 惟 独 连 但 但见 又见 见是 却 因 便 又 那些 这些 有些 那位 这位 一位 几位 那 这 有 一个 几个 两个 那个 "
    "这个 有个 有一个 有几个 有两个 此时",
    "此刻 彼时 只因 先是 亏得 谁想",
    "急得 急的 气得 气的 唬得 唬的 慌得 慌的 喜得 喜的 把个",
)
"""What may stand before the subject of a clause."""

LEADING = re.compile(rf"(?:{LEADS}){{0,4}}$")
"""Matches a clause's beginning when nothing but leads stands before the name."""

_SHOWS = _one_of(
    "只见 忽见 却见 但见 又见 果见 便见 遂见 早见 只听见 只听得 只听 忽听见 忽听得 忽听 听得 早有 便有 就有",
    "又有 忽有 还有 只有 独有 惟有",
    "旁边 傍边 一旁 里面 里头 外面 外头 外间 里间 身后 后面 后边 背后 前面 对面 门外 窗外 窗内 屋内 房内 院内",
    "地下 底下 下面 上面 炕上 床上 内中 其中 那边 这边",
    "原来是 却是 正是 忽然 不想 不料 谁知 可巧 恰好 迎着",
)
_ARRIVES = "(?:遇见|撞见|走来|走进|进来|来了)了?(?:一个|几个|门下)?"
_EXISTS = "(?:(?:早|便|就|又|忽|还)?有|[坐站立跪围]着)(?:[^，]{0,8}的)?(?:一个|几个|两个|许多)?"
_CAUSED = "^[看瞧说笑哭吓唬急气慌喜羞哄逗引招问闹恨臊弄乐怄骂打][得的]"
_MODIFIER = "[那这]?(?:[一二三四五六七八九十百两几]+[个位员名路班])?(?:[^，。]{0,6}的)?"
SHOWING = re.compile(f"(?:(?:{_SHOWS}){_MODIFIER}|{_ARRIVES}|{_EXISTS}|{_CAUSED})$")
"""Words after which a new subject enters in the middle of a clause."""

TAKES_OBJECT = frozenset(
    "住着向对问与和同跟见叫命骂劝推拉指望看谢回求告诉送给替把将被让使令请搂抱唤扶携啐瞅到在过往拿寻找等候遇迎陪伴听谓语及连为因喝嘱咐托赞夸怪恨疼怕的打发瞧安慰",
)
"""Characters after which a name is an object."""

COLON = frozenset("：:")
DIRECT = re.compile(
    f"(?:{_one_of('道 说 问 叫 云 曰 喊 嚷 骂 回 念 想 诉 咐 告 劝 央 喝 命 令 求 让 听见 听得')})[他她我你人]?[，,]?$"
)
"""A verb that leads to a quotation without a colon."""

_THINK = _one_of("想 忖 忖度 寻思 思量 思想 自思 暗思 沉思 思忖 思 盘算 纳罕 纳闷 暗度 自度 暗道 疑惑 疑猜")
THINKING = re.compile(
    f"(?:{_THINK})(?:道|着|了|一回|起|[：:，,]|$)|暗(?:自|暗|中)?[笑喜算叹惊骂恨点][^，。]{{0,3}}道|心问[口心]|"
    "(?:心[里中下内上]|腹内|肚里|暗暗)[^，。]{0,8}(?:道|说|想|：|:|自语|念)|心想|心说|暗想|想来想去"
)
THOUGHT_AFTER = re.compile(
    "[他她我一-龥]{0,6}(?:心[里中]?|暗暗?|默默地?|暗自)(?:地|又|就|这么|这样)?(?:想|说道?|道)[^。]|[他她我](?:这么|这样)?想[。，]"
)
"""`“…”他心里想`."""
RECITING = re.compile(r"(?<![转沉一])[念吟诵唱](?:了?[一两]?[遍句首]?)?(?:道|曰|云|着|的?是|$)|便唱$|写道$")
"""Read or sung aloud, or written by somebody at this moment."""
INSCRIBED = re.compile(
    "(?:上面?|下面|额|榜|匾)(?:大?书|写|题|刻|錾|镌|注|批|画)|大书$|[写题书刻][下了着][^，。]{0,6}字[道云曰]?$|[写注刻题錾镌](?:着|的?是|道是)$|[注批][云着道]$|"
    "(?:诗|词|偈|联|铭|序|赋|书|破题|字)[上中]?[有写题]?[曰云]$"
)
"""Standing written somewhere: nobody says it."""

ANSWERED_WITH = re.compile(
    "[应答嗳啊哼说叫喊道叹啐念哭嚷笑][应答着了下道出是得过]*(?:[一几两数]|好几)?[个声句下]?$|[一几两][个声句]$"
)
"""`答应了个“是”`: a cry or a word, told as a deed."""
NAMING = re.compile("(?:[名号字称唤叫谓题写改取起赐封署作做为曰是着用个及或借将以有这把句一像得]|像是|的)$")
CITED_AFTER = re.compile(
    "[一二三四五六七八九十两几这那数]*个?字|[一二三四两几这那]句|之句|之类|等语|的话|之语|之说|等字|之意|之谓|的名|之名|一|两|三",
)
"""`“…”二字`: what follows words that are only cited."""
WORD_AFTER = re.compile("[一二三四五六七八九十两几这那]*个?大?字")
"""What follows written words that nobody says."""
SHOUTED_AFTER = re.compile("(?:地|的)?[混乱大高直齐连]*[叫喊嚷骂]")
"""`“…”混叫`."""
TELLING_OF = re.compile("[房里前处中上]说$")
"""`在房中说“…”`: what a short quotation names is talked of, not said."""
ENDS_SENTENCE = re.compile("[。！？…—～!?~，,]$")

_CLAUSE_MARKS = "，。；！？：:,;!?…—）)】"
_CLAUSE_END = re.compile(f"[{re.escape(_CLAUSE_MARKS)}]")
_LONGEST_CLAUSE = 200
"""How far back a clause is looked for; longer ones are no prose."""
REPLYING = re.compile("[回答应禀]")
HEARING = re.compile(_one_of("听了 听说 听见 听得 闻言 听毕 见说 听罢 见问"))
CONTINUING = re.compile(
    _one_of("又 说着 说毕 说罢 说完 接着 因 一面 一边 还 再 仍 复 遂 随 便 说道 向 回头 半日 半晌 一会")
)
"""After a quotation: the same person goes on."""
TOGETHER = re.compile(
    _one_of(
        "都 皆 二人 两人 两个 俩 三人 三个 四人 四个 一齐 一同 齐 姊妹 姐妹 兄妹 兄弟 夫妻 母女 父子 主仆 等 也都 忙都"
    )
)
PARTNERS = re.compile(
    rf"(?:{LEADS}|{ADVERBS}){{0,3}}(?P<who>他?(?:二人|两人|俩人|两个人?(?!指)|俩|三人|三个人?|二位|两位)|他们|彼此)"
)
SENT_TO_SPEAK = re.compile("(?:[来去]|过来|进来|出来|上来|前来|回来|走来)[就便又]?(?:回|说|问|请|告诉|传|报|禀|道)")
SENDING = re.compile("(?:打发|吩咐|[命叫令遣差派使着见央托教请])[了人]?$")
_SOMEWHERE = _one_of(
    "又值 正值 恰值 恰有 可巧 只听得 只听见 只听 忽听 忽见 只见 却见 忽 又 听得 听见 一语未了 正说着 便 就 早",
    "外面 外头 里面 里头 窗外 院内 门外 背后 身后 后面 旁边 傍边 有 早有 便有 忽有 就有 又有",
)
_SOMEBODY = _one_of(
    "[^，。]{0,4}[中里上内外]几个人 外面人? 外头人? 里面人? 窗外人? 门外人? 有人 一?人 那人 底下人 上头人",
    "[又那]?一个(?=[^一-龥]|[问说道答拍笑])",
)
COUNTED = re.compile("(?:[一二三四五六七八九十两几众那这]+[个位名]?)$")
"""Between a verb and the people it is done to: `对着三个差人`."""
TO_SOMEBODY = re.compile("[着向对与问同和跟][^，。]{0,3}$")
"""Before somebody who is spoken or pointed to, and what is said of them: `指着布客人`."""
HEARD = re.compile("听(?:见|得|着)$")
"""Before the one who is heard to speak."""
BY = re.compile("被(?:[那这])?$")
"""Makes the name after it the one who acts."""
ANOTHER_HE = re.compile(
    "[问劝叫请见对向拉骂怪说][着了]?[他她][^。”]*，[他她][^，。”]*(?:，[^，。”]*)?$|^[他她](?![又也还仍])[^，。]{0,6}$"
)
"""A pronoun that is not the one who acted before: `陆远问他，他说道`."""
HE_FIRST = re.compile("[他她](?:们)?[^他她]*$")
"""A cue whose subject is a pronoun."""
UNSEEN = re.compile(
    "(?:只|忽|又|猛|忽然|只管|但)?(?:听|闻)(?:得|见|着)?(?:[^，。]{0,8}(?:外|里|后|中|内|上))?[^，。]{0,4}(?:说|喊|叫|笑|问|道|嚷)(?:道)?$"
)
"""Heard before it is seen who speaks: `只听喊道`."""
REVEALS = re.compile("(?:只见|却见|见是|却是|原来是|便是|正是|乃是|是)$")
_NOBODY = re.compile("(?:[那这又]?[一二三四两几]?[个位]?人?|[他她它我你您咱们]+)$")
UNNAMED = re.compile(f"(?:{_SOMEWHERE}){{0,3}}?(?P<who>{_SOMEBODY})[^，。]{{0,8}}?[回报说道传禀问叫喊嚷答笑]")
NEWCOMER = re.compile(
    "(?:忽|只|又|早|却|但)见(?P<who>[\u4e00-\u9fa5]{2,3}?)(?:急忙|慌忙|连忙|忙|也|便|又)?"
    f"(?:[走跑赶]来|[进过出上回][来去])[^，。]{{0,4}}?(?:{SPEECH_VERBS})$"
)
"""`忽见桂儿进来说`: whoever comes in to speak is named, though the text may never name them again."""


def names_nobody(word: str) -> bool:
    """Whether the word only points: `那人`, `一个`, `他们`."""
    return _NOBODY.match(word) is not None


def clause_start(text: str, end: int) -> int:
    """Return where the clause begins that holds what stands before `end`."""
    lowest = max(end - _LONGEST_CLAUSE, 0)
    for at in range(end - 1, lowest - 1, -1):
        if text[at] in _CLAUSE_MARKS:
            return at + 1
    return lowest


def clause_end(text: str, start: int) -> int:
    """Return where the clause ends that goes on at `start`."""
    ending = _CLAUSE_END.search(text, start)
    return ending.start() if ending else len(text)
