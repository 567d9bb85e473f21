"""What a curator decided about a cluster stays decided when new text arrives."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from core.stages.dataset.near_duplicates.records import Cluster, Decision
from core.stages.dataset.near_duplicates.words import plain, spelt


def content_of(text: str) -> str:
    """Return the name of a line's words, the same for every spelling, script and punctuation of them."""
    return hashlib.blake2b(spelt(plain(text)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def undecided(clusters: Iterable[Cluster], decisions: Iterable[Decision]) -> list[Cluster]:
    """Return the clusters with words in them that no single decision has seen together."""
    by_content: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for decision in decisions:
        seen = decision.kept | decision.dropped
        for content in seen:
            by_content[content].append(seen)
    return [
        cluster
        for cluster in clusters
        if not any(cluster.content <= seen for seen in by_content[cluster.survivor.content])
    ]


def left_out(clusters: Iterable[Cluster], decisions: Iterable[Decision]) -> frozenset[str]:
    """Return the ids of the lines that stay out by what was decided; the latest decision about a line holds."""
    latest: dict[str, tuple[bool, bool]] = {}
    for decision in decisions:
        latest |= dict.fromkeys(decision.dropped, (False, False))
        latest |= dict.fromkeys(decision.kept, (True, decision.with_copies))
    out: set[str] = set()
    for cluster in clusters:
        stood: set[str] = set()
        for member in cluster.members:
            keep, with_copies = latest.get(member.content, (True, True))
            if not keep or (member.content in stood and not with_copies):
                out.add(member.id)
            stood.add(member.content)
    return frozenset(out)
