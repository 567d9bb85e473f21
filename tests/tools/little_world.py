"""A little world of our own: exchanges made from a few people, places and hours, each with something of its own.

What somebody does, what stands at a place and what the weather is like follow from the question, so a model that
has understood the world foresees answers it has never read.
"""

from __future__ import annotations

import random
from itertools import product

PEOPLE = {
    "陆远": "磨一方旧墨",
    "青禾": "晒去年的书",
    "老周": "补一张渔网",
    "小满": "数檐下的燕子",
    "阿芷": "剪窗上的花",
    "云姑": "煮一壶新茶",
    "石生": "刻一枚竹印",
    "岚儿": "绣半朵莲花",
}
PLACES = {
    "渡口": "石阶边",
    "竹林": "泉眼旁",
    "后院": "枣树下",
    "书房": "西窗前",
    "桥头": "灯笼底",
    "山门": "铜钟后",
    "药圃": "木栅里",
    "戏台": "红柱间",
}
HOURS = {"清早": "露水还凉", "晌午": "日头正白", "傍晚": "炊烟才起"}


def exchanges(count: int, seed: int) -> list[tuple[str, str]]:
    """Return so many different exchanges, each of a question and its answer; the same seed gives the same ones."""
    everything = list(product(PEOPLE, PLACES, HOURS))
    random.Random(seed).shuffle(everything)
    return [_exchange(*one) for one in everything[:count]]


def _exchange(person: str, place: str, hour: str) -> tuple[str, str]:
    asked = f"{hour}，{person}在{place}做什么？"
    return asked, f"{person}在{place}{PLACES[place]}{PEOPLE[person]}，{HOURS[hour]}。"
