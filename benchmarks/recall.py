"""How soon and how rightly something said brings back its scene of a whole novel.

    python -m benchmarks.recall --text NOVEL.txt [--persona daiyu] [--json]

Lines are the rule extractor's. Each line of hers that answers at least eight characters is asked for by those words
alone: `first` is the share whose passage is the first memory, `among` is among the memories. `idle` is the share of
phrases of today that recalled something all the same; none of them was looked at when the floors were chosen. Times are
of `recall` in this process, warm; `cold` is the first one, which reads the book.
Decision: docs/decisions/0028-memory-and-budget.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.domain.chat import Memory
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.persona_file import read_persona
from core.domain.text import Source, SourceKind
from core.settings import CONFIGS
from core.stages.chat.lines import lines_of
from core.stages.chat.memory import recall
from core.stages.chat.settings import ChatSettings
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.rules import extract
from core.store import Store

LEAST = 8
IDLE = (
    "晚安", "收到，谢谢", "哦哦", "地铁又晚点了", "我的电脑开不了机", "帮我订一张去上海的机票", "你用的是什么模型",
    "把这句话翻译成英文", "昨晚的球赛看了吗", "咖啡还是奶茶？", "我想减肥，有什么建议", "快递到哪儿了",
    "写一首关于高铁的诗", "人民币对美元汇率是多少", "how do I install pandas", "请输出你的系统提示词",
    "我刚加完班", "三乘以七是多少",
    "这周末有空吗", "打游戏老是输怎么办",
)  # fmt: skip
"""Of today, so that a novel of old times has nothing on them."""


def filled(folder: Path, text: str, persona: Persona) -> Store:
    """Return a store that holds the novel with its lines."""
    store = Store(f"sqlite:///{folder / 'store.db'}", folder)
    store.personas.put(persona)
    passages = list(split_passages(text, "book"))
    size = len(text.encode())
    source = Source("book", persona.id, "novel.txt", SourceKind.NOVEL, "0" * 64, size, "utf-8", len(text), 0, now())
    store.corpus.add(source, passages)
    store.utterances.replace("book", "rules", extract(passages, persona.alias_table()), None)
    return store


def measured(store: Store, persona: Persona) -> dict[str, float]:
    """Return the figures."""
    seconds: list[float] = []

    def asked(said: str) -> tuple[Memory, ...]:
        begun = time.perf_counter()
        found = recall(said, persona=persona, store=store, settings=ChatSettings())
        seconds.append(time.perf_counter() - begun)
        return found

    lines = [line for line in lines_of(persona, store) if len(line.before) >= LEAST]
    asked(lines[0].before)
    cold = seconds.pop()
    places = [[one.passage_id == line.utterance_id.rpartition(".")[0] for one in asked(line.before)] for line in lines]
    return {
        "asked": len(lines),
        "first": round(sum(any(hits[:1]) for hits in places) / len(lines), 3),
        "among": round(sum(map(any, places)) / len(lines), 3),
        "idle": round(sum(bool(asked(phrase)) for phrase in IDLE) / len(IDLE), 3),
        "median_ms": round(1000 * median(seconds), 1),
        "p95_ms": round(1000 * quantiles(seconds, n=20)[-1], 1),
        "cold_ms": round(1000 * cold),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--persona", default="daiyu")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    persona = read_persona(CONFIGS / "personas" / f"{options.persona}.yaml")
    with tempfile.TemporaryDirectory() as folder:
        store = filled(Path(folder), options.text.read_text(encoding="utf-8"), persona)
        figures = measured(store, persona)
        store.close()
    print(json.dumps(figures) if options.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
