"""Characters that turn a sentence round when they change places, and characters that only look alike."""

from __future__ import annotations

import re
from collections.abc import Mapping

NEGATIONS = frozenset("不没未别莫勿休甭非无")
NUMERALS = frozenset("零一二两三四五六七八九十百千万亿半几0123456789")
RANKS = NUMERALS | frozenset("大老小")
"""What tells apart people addressed by the same word: the second master, the old mistress."""
PERSONS = {"我": 1, "咱": 1, "你": 2, "他": 3}
TITLES = re.compile(
    "老太太|太太|老爷|太爷|少爷|爷|少奶奶|奶奶|夫人|娘娘|姑娘|小姐|妹妹|姐姐|哥哥|哥儿|大哥|弟弟|嫂|丫头|婶|叔|伯|姨|舅"
    "|公子|相公|先生|大人|妈妈|嬷嬷|师父|和尚"
)
"""Forms of address."""
SIBLINGS = frozenset("姐妹哥弟兄")
"""Said to equals by courtesy, now this, now that."""


def _groups(text: str) -> Mapping[str, frozenset[str]]:
    """Return each character with those that share a group with it."""
    found: dict[str, set[str]] = {}
    for group in text.split():
        for char in group:
            found.setdefault(char, set()).update(set(group) - {char})
    return {char: frozenset(others) for char, others in found.items()}


OPPOSITES = _groups(
    """
    来去 上下 大小 多少 好坏歹恶丑 前后 左右 里外 内外 男女 有无没 是非 买卖 进出 进退 开关 早晚迟 高低 长短 冷热 黑白
    轻重 远近 新旧 真假 东西南北 生死 哭笑 老少幼 古今 贵贱 贫富穷 胜败 输赢 快慢 深浅 宽窄 厚薄 强弱 软硬 干湿 明暗
    善恶 得失 爱恨 喜怒悲 始终 首尾 升降 收放 借还 送收 问答 嫁娶 父母 夫妻妇 兄弟 春夏秋冬 昼夜 年月日 天地 先后 香臭
    甜苦 美丑 忠奸 赏罚 许禁 可否 增减 满空 饱饿 醒睡 聚散 离合 主仆 今明昨后 信疑 难易 安危 祸福 吉凶
    """
)
"""Opposites, and members of one small set: seasons, quarters, days."""

LOOKALIKES = _groups(
    """
    人入八 己已巳 日曰目 末未 土士 干千于 侯候喉 太大犬 夭天夫 王玉主 刀力 免兔 今令 拔拨 戊戌戍 折拆析 晴睛 清请情 师帅
    鸟乌 问间闲 处外 木本术 刁习 卜下 爪瓜 汩汨 茶荼 祟崇 苦若 由田甲申 白自 斤斥 见贝 又叉义 毋母 冶治 侍待 徒徙 陪倍
    枚枝 狠狼 孤狐 历厉 竟竞 概慨 坐座 住往 任仕 活话 代伐 壁璧 辨辩 密蜜 栗粟 粱梁 炙灸 丐丏 盲肓 赢嬴 既即 暧暖 瞻赡
    肆肄 戴载 祗衹 遗遣 亳毫 券卷 洒酒 挟扶 塌榻 搏博 沾沽 姥佬 岐歧 刺剌 裸祼 玫致 弥弦 惟推 谁推 锤睡 揣端 捐损 拎挎
    稍梢捎 幕慕暮 墓幕 隐稳 谦嫌 摸模 胸脑 眼眠 昧味 肚肝 胆担 抱抢 吵炒 喝渴 挑桃 跳眺 晓饶绕 拼拚 淮准 冻练 决诀 快块
    """
)
"""What a scanner, or a tired eye, takes for one another: general confusions of print, not those of one book."""
