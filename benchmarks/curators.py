"""Lets simulated curators, a process each, change the same lines through the store at once, and audits the result.

    python benchmarks/curators.py [--seconds 60] [--curators 20] [--rows 1000] [--url URL] [--json]

Every curator reads a line at random, changes it naming the revision it saw, and looks again when somebody was
faster; some changes are splits, merges, whole chapters, undo and redo. At the end the store's history must know
every change that it confirmed, and must lead from what each line was to what it is.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.domain.persona import Persona
from core.store import Store
from tests.contract.curators import Audit, Diary, audited, book, curate

PERSONA = Persona(id="a-qing", name="沈青", book="竹声", system_prompt="", greeting="", aliases=(), cast={}, facts={})


def main() -> None:
    """Print the figures, and with `--json` one JSON object last."""
    parser = argparse.ArgumentParser(description="Let many curators change the same lines at once.")
    parser.add_argument("--seconds", type=float, default=60, help="how long they work")
    parser.add_argument("--curators", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1000, help="how many lines they share")
    parser.add_argument("--url", help="the database, an empty one; SQLite in a new folder without it")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        url = chosen.url or f"sqlite:///{folder}/store.db"
        audit = worked(url, Path(folder), chosen.curators, chosen.rows, chosen.seconds)
    figures = {**asdict(audit), "edits_per_second": round(audit.edits / chosen.seconds, 1)}
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<18}{value:>10}")
    if chosen.json:
        print(json.dumps({**figures, "curators": chosen.curators, "rows": chosen.rows, "seconds": chosen.seconds}))
    if audit.lost_updates or audit.torn_rows or not audit.history_replays:
        raise SystemExit("the store lost or tore a change")


def worked(url: str, folder: Path, curators: int, rows: int, seconds: float) -> Audit:
    """Let the curators work and return what they left."""
    store = Store(url, folder)
    store.personas.put(PERSONA)
    before = book(store, PERSONA.id, rows)
    processes = multiprocessing.get_context("spawn")
    with processes.Manager() as manager:
        together = manager.Barrier(curators)
        with ProcessPoolExecutor(curators, mp_context=processes) as crowd:
            jobs = [
                crowd.submit(_curator, url, folder, f"curator-{n}", list(before), seconds, together)
                for n in range(curators)
            ]
            audit = audited(store, PERSONA.id, before, [job.result() for job in jobs])
    store.close()
    return audit


def _curator(url: str, folder: Path, who: str, ids: Sequence[str], seconds: float, together: object) -> Diary:
    store = Store(url, folder)
    together.wait()  # type: ignore[attr-defined]  # all begin when the last one is here
    try:
        return curate(store, PERSONA.id, who, ids, seconds)
    finally:
        store.close()


if __name__ == "__main__":
    main()
