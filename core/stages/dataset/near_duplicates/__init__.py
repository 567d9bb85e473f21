"""Lines that say the same: found among a million, with a measure and a reason to show for every pair."""

from core.stages.dataset.near_duplicates.clusters import near_duplicates
from core.stages.dataset.near_duplicates.measure import similar
from core.stages.dataset.near_duplicates.records import (
    Cluster,
    Line,
    Member,
    Reason,
    Settings,
    Verdict,
)

__all__ = [
    "Cluster",
    "Line",
    "Member",
    "Reason",
    "Settings",
    "Verdict",
    "near_duplicates",
    "similar",
]
