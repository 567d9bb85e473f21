"""Scores near-duplicates on labelled pairs and clocks the search on large sets beside datasketch's MinHashLSH.

    python benchmarks/near_duplicates.py --pairs PAIRS.jsonl [--cast ALIASES.json] [--books FOLDER] [--quick] [--json]

Pairs: objects with `a, b, label, kind`; kinds with `minimal` in their name count only in the second score. `f1` is
of the thresholds as they are; `f1_cross_validated` fits both thresholds on one half and scores the other, both ways
round, over 20 splits. Names come from `--cast`, or from `hlm_aliases.json` beside the pairs or the books.

Large sets are made from the books (see planted_lines.py); seconds are CPU seconds of one process, its table of
characters being loaded before. Both sides normalise the same lines and compare what they propose in the same way;
recall is the share of planted pairs that end up connected.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.planted_lines import planted
from core.stages.dataset.near_duplicates import Line, Settings, near_duplicates, similar
from core.stages.dataset.near_duplicates.candidates import Indices, candidates
from core.stages.dataset.near_duplicates.meaning import Cast
from core.stages.dataset.near_duplicates.measure import LEAST
from core.stages.dataset.near_duplicates.pairs import Pairs
from core.stages.dataset.near_duplicates.words import plain, spelt, words_of

Figures = dict[str, Any]
Blocks = Iterable[tuple[Indices, Indices]]
_SPLITS = 20
_BASES = [base / 100 for base in range(10, 60, 3)]
_PER_LENGTH = [per / 10 for per in range(10, 80, 4)]
_SIDE_BY_SIDE = 100_000


def main() -> None:
    """Print the figures as a table, and as one JSON object last with `--json`."""
    parser = argparse.ArgumentParser(description="Score and clock near-duplicates.")
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--cast", type=Path, help="canonical name -> aliases")
    parser.add_argument("--books", type=Path, default=Path("../shared/data"), help="where the books lie")
    parser.add_argument("--quick", action="store_true", help="leave the large sets out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--errors", action="store_true", help="list what was wrong")
    chosen = parser.parse_args()

    beside = (folder / "hlm_aliases.json" for folder in (chosen.pairs.parent, chosen.books))
    names = chosen.cast or next((path for path in beside if path.exists()), None)
    cast = json.loads(names.read_text(encoding="utf-8")) if names else {}
    pairs = [json.loads(line) for line in chosen.pairs.read_text(encoding="utf-8").splitlines() if line.strip()]
    figures = scored(pairs, cast, show=chosen.errors)
    if not chosen.quick:
        figures |= side_by_side(chosen.books)
        figures |= clocked(chosen.books, 100_000, "100k") | clocked(chosen.books, 1_000_000, "1m")
    for name, figure in figures.items():
        print(f"{name:36} {figure:>10}")
    if chosen.json:
        print(json.dumps(figures))


def scored(pairs: Sequence[Mapping[str, Any]], cast: Mapping[str, Iterable[str]], *, show: bool = False) -> Figures:
    """Return F1 without and with the pairs of minimal edits, and the same cross-validated."""
    said = [similar(pair["a"], pair["b"], cast=cast).duplicate for pair in pairs]
    labels = [bool(pair["label"]) for pair in pairs]
    plainly = [place for place, pair in enumerate(pairs) if "minimal" not in pair["kind"]]
    everything = list(range(len(pairs)))
    for pair, answer, label in zip(pairs, said, labels, strict=True):
        if show and answer != label:
            verdict = similar(pair["a"], pair["b"], cast=cast)
            print(f"{'missed' if label else 'wrong'} {pair['kind']}: {verdict.reason} {verdict.details}")
            print(f"   {pair['a']}\n   {pair['b']}")
    return {
        "pairs": len(pairs),
        "f1": round(f1(said, labels, plainly), 4),
        "f1_with_minimal_edits": round(f1(said, labels, everything), 4),
        "f1_cross_validated": round(cross_validated(pairs, labels, cast, plainly), 4),
        "f1_with_minimal_edits_cross_validated": round(cross_validated(pairs, labels, cast, everything), 4),
    }


def f1(said: Sequence[bool], labels: Sequence[bool], places: Iterable[int]) -> float:
    """Return the harmonic mean of precision and recall at those places."""
    both = [(said[place], labels[place]) for place in places]
    right = sum(answer and label for answer, label in both)
    return 2 * right / max(sum(answer + label for answer, label in both), 1)


def cross_validated(
    pairs: Sequence[Mapping[str, Any]],
    labels: Sequence[bool],
    cast: Mapping[str, Iterable[str]],
    places: Sequence[int],
) -> float:
    """Return the mean F1 on halves whose thresholds were fitted on the other half."""
    lax = Settings(strictness=-0.2)
    verdicts = [similar(pair["a"], pair["b"], cast=cast, settings=lax) for pair in pairs]
    lengths = [max(1, min(len(spelt(plain(pair["a"]))), len(spelt(plain(pair["b"]))))) for pair in pairs]
    answers = {
        (base, per): [
            verdict.duplicate and (not verdict.needed or verdict.similarity >= max(base + per / length, LEAST))
            for verdict, length in zip(verdicts, lengths, strict=True)
        ]
        for base in _BASES
        for per in _PER_LENGTH
    }
    scores = []
    for seed in range(_SPLITS):
        mixed = random.Random(seed).sample(places, len(places))
        halves = mixed[::2], mixed[1::2]
        for fitted, held in (halves, halves[::-1]):
            best = max(answers, key=lambda chosen: f1(answers[chosen], labels, fitted))
            scores.append(f1(answers[best], labels, held))
    return mean(scores)


def side_by_side(books: Path) -> Figures:
    """Return how much faster than datasketch we are on the same lines, and how much more of the planted is found."""
    ours = _apart(_searched, books, _SIDE_BY_SIDE, "ours")
    theirs = _apart(_searched, books, _SIDE_BY_SIDE, "datasketch")
    return {
        "recall": round(ours["recall"], 4),
        "recall_datasketch": round(theirs["recall"], 4),
        "seconds_datasketch_100k": round(theirs["seconds"], 1),
        "seconds_ours_same_work": round(ours["seconds"], 1),
        "proposed_pairs": ours["proposed"],
        "proposed_pairs_datasketch": theirs["proposed"],
        "speedup_vs_datasketch": round(theirs["seconds"] / ours["seconds"], 2),
        "recall_ratio_vs_datasketch": round(ours["recall"] / theirs["recall"], 4),
    }


def clocked(books: Path, count: int, name: str) -> Figures:
    """Return CPU seconds and peak memory of clustering so many lines, from text to clusters."""
    run = _apart(_clustered, books, count)
    return {
        f"seconds_{name}": round(run["seconds"], 1),
        f"clusters_{name}": run["clusters"],
        f"recall_{name}": round(run["recall"], 4),
        f"peak_gb_{name}": round(run["peak"], 2),
    }


def _apart(work: Callable[..., Figures], *arguments: object) -> Figures:
    """Run in a fresh process, so that its peak of memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def _searched(books: Path, count: int, side: str) -> Figures:
    lines, pairs = planted(books, count)
    propose = candidates if side == "ours" else _minhash
    words_of(["warm"])
    begin = time.process_time()
    words = words_of(lines)
    texts = sorted(set(words) - {""})
    proposed: list[int] = []
    found = list(Pairs(texts, Cast({}), Settings()).alike(_counted(propose(texts), proposed)))
    seconds = time.process_time() - begin
    group = _connected(len(texts), found)
    places = {text: place for place, text in enumerate(texts)}
    together = [group[places[words[one]]] == group[places[words[other]]] for one, other in pairs]
    return {"seconds": seconds, "recall": mean(together), "proposed": sum(proposed)}


def _clustered(books: Path, count: int) -> Figures:
    texts, pairs = planted(books, count)
    lines = [Line(str(place), text) for place, text in enumerate(texts)]
    words_of(["warm"])
    begin = time.process_time()
    clusters = near_duplicates(lines)
    seconds = time.process_time() - begin
    cluster = {id: place for place, one in enumerate(clusters) for id in (member.id for member in one.members)}
    together = [cluster.get(str(one), -1) == cluster.get(str(other), -2) for one, other in pairs]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"seconds": seconds, "clusters": len(clusters), "recall": mean(together), "peak": peak}


def _minhash(texts: Sequence[str]) -> Iterator[tuple[Indices, Indices]]:
    """Propose as datasketch does: 128 permutations over pairs of characters, threshold 0.5, in its bulk calls."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]

    shingles = ([text[at : at + 2].encode() for at in range(max(len(text) - 1, 1))] for text in texts)
    index = MinHashLSH(threshold=0.5, num_perm=128)
    sketches = list(MinHash.generator(shingles, num_perm=128))
    with index.insertion_session() as session:
        for place, sketch in enumerate(sketches):
            session.insert(place, sketch, check_duplication=False)
    for place, sketch in enumerate(sketches):
        others = np.array([other for other in index.query(sketch) if other > place], np.int64)
        yield np.full_like(others, place), others


def _counted(blocks: Blocks, counts: list[int]) -> Iterator[tuple[Indices, Indices]]:
    """Hand on in large blocks, so that neither side pays for small ones."""
    waiting: list[tuple[Indices, Indices]] = []
    for block in blocks:
        waiting.append(block)
        counts.append(len(block[0]))
        if len(waiting) >= 10_000:
            yield tuple(map(np.concatenate, zip(*waiting, strict=True)))  # type: ignore[misc]
            waiting = []
    if waiting:
        yield tuple(map(np.concatenate, zip(*waiting, strict=True)))  # type: ignore[misc]


def _connected(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return a group for every text."""
    above = list(range(count))

    def root(one: int) -> int:
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    for one, other in pairs:
        above[root(one)] = root(other)
    return [root(one) for one in range(count)]


if __name__ == "__main__":
    main()
