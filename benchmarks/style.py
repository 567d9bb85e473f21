"""How well style alone tells her lines from everybody else's on a whole novel, and what shuffling who said what leaves.

    python -m benchmarks.style --text NOVEL.txt [--persona daiyu] [--folds 5] [--json]

Lines are the rule extractor's, names of the cast masked. Chapters are divided into folds; each is held out once and the
classifier learns from the others. `auc_lines` is of single lines, `auc_bundles` of ten lines of one speaker at a time;
`shuffled_*` the same after the speakers of all training lines were shuffled (0.5 is guessing). `copied_*` are the
shares of replies that the overlap calls copied: her real lines against the other chapters, and a parrot that answers
with her lines of the whole book. Decision: docs/decisions/0026-persona-fidelity.md.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.backends.rows import build
from core.backends.style import STYLE_CLASSIFIERS, StyleSource
from core.domain.persona_file import read_persona
from core.domain.text import UtteranceKind
from core.settings import CONFIGS
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.rules import extract
from core.stages.evaluation.fidelity.counting import BUNDLE
from core.stages.evaluation.fidelity.measures import RUN, Book, bundled, separation
from core.stages.evaluation.fidelity.scenes import letters, masked, masking

Said = tuple[int, str, str]
"""Chapter, speaker, words."""
_LEAST, _SURE = 4, 0.5


@dataclass(frozen=True)
class Novel:
    """Who says what, and where."""

    hers: str
    """The persona's name."""
    rows: list[Said]
    """Names masked."""
    plain: list[Said]
    """The same as they stand in the book."""
    chapters: dict[int, list[str]]
    """Paragraphs."""


def read_novel(text: str, persona_id: str) -> Novel:
    """Extract the lines of a novel, those of doubtful speakers and the very short left out."""
    persona = read_persona(CONFIGS / "personas" / f"{persona_id}.yaml")
    passages = split_passages(text, "book")
    found = [
        one
        for one in extract(passages, persona.alias_table())
        if one.kind is UtteranceKind.SPEECH
        and one.speaker
        and one.confidence >= _SURE
        and len(letters(one.text)) >= _LEAST
    ]
    words = masked((one.text for one in found), masking(persona))
    chapters: dict[int, list[str]] = {}
    for passage in passages:
        chapters.setdefault(passage.chapter, []).append(passage.text)
    plain = [(one.chapter, str(one.speaker), one.text) for one in found]
    rows = [(chapter, speaker, text) for (chapter, speaker, _), text in zip(plain, words, strict=True)]
    return Novel(persona.name, rows, plain, chapters)


def told_apart(novel: Novel, held: Sequence[int], *, shuffled: bool = False) -> tuple[float, float]:
    """Learn from all chapters but the held-out ones; return the areas for single lines and for bundles of those."""
    hers = novel.hers
    train = [one for one in novel.rows if one[0] not in held]
    if shuffled:
        speakers = [speaker for _, speaker, _ in train]
        random.Random(1).shuffle(speakers)
        train = [(chapter, speaker, text) for (chapter, _, text), speaker in zip(train, speakers, strict=True)]
    source = StyleSource(
        tuple(text for _, speaker, text in train if speaker == hers),
        tuple(text for _, speaker, text in train if speaker != hers),
    )
    classifier = build(STYLE_CLASSIFIERS, "character-ngrams", source)
    by_speaker: dict[str, list[str]] = {}
    for chapter, speaker, text in novel.rows:
        if chapter in held:
            by_speaker.setdefault(speaker, []).append(text)
    scores = {speaker: classifier.scores(texts) for speaker, texts in by_speaker.items()}
    own = scores.pop(hers, [])
    single = separation(own, [one for found in scores.values() for one in found])
    bundles = separation(bundled(own, BUNDLE), [one for found in scores.values() for one in bundled(found, BUNDLE)])
    return (float("nan") if single is None else single), (float("nan") if bundles is None else bundles)


def copied(texts: Sequence[str], book: Book) -> float:
    """Return which share of the texts that are long enough is mostly copied."""
    return fmean(book.copying(text).copied for text in texts if len(letters(text)) >= RUN)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--persona", default="daiyu")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    novel = read_novel(options.text.read_text(encoding="utf-8"), options.persona)
    order = sorted(novel.chapters)
    random.Random(0).shuffle(order)
    folds = [order[first :: options.folds] for first in range(options.folds)]
    real = [told_apart(novel, held) for held in folds]
    control = [told_apart(novel, held, shuffled=True) for held in folds]
    held = set(folds[0])
    others = Book(text for chapter, texts in novel.chapters.items() if chapter not in held for text in texts)
    whole = Book(text for texts in novel.chapters.values() for text in texts)
    own = [text for chapter, speaker, text in novel.plain if speaker == novel.hers and chapter in held]
    figures = {
        "lines": len(novel.rows),
        "hers": sum(speaker == novel.hers for _, speaker, _ in novel.rows),
        "auc_lines": round(fmean(one for one, _ in real), 3),
        "auc_bundles": round(fmean(ten for _, ten in real), 3),
        "auc_bundles_worst_fold": round(min(ten for _, ten in real), 3),
        "shuffled_lines": round(fmean(one for one, _ in control), 3),
        "shuffled_bundles": round(fmean(ten for _, ten in control), 3),
        "copied_real": round(copied(own, others), 3),
        "copied_parrot": round(copied(own, whole), 3),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
