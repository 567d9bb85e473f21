"""The store as one thing: a room for each kind of record, one engine, one content store."""

from __future__ import annotations

from pathlib import Path

from core.store.bases import Bases
from core.store.calls import Calls
from core.store.charts import Charts
from core.store.checkouts import Checkouts
from core.store.clip_sets import ClipSets
from core.store.clips import Clips
from core.store.corpus import Corpus
from core.store.custody import Custody
from core.store.database import connect, migrate
from core.store.datasets import Datasets
from core.store.duplicates import Duplicates
from core.store.events import Events
from core.store.expansions import Expansions
from core.store.files import Files
from core.store.gpus import Gpus
from core.store.models import Models
from core.store.personas import Personas
from core.store.ratings import Ratings
from core.store.review import Review
from core.store.runs import Runs
from core.store.scorecards import Scorecards
from core.store.suspicions import Suspicions
from core.store.talks import Talks
from core.store.utterances import Utterances
from core.store.voice import Voice
from core.store.votes import Votes


class Store:
    """All records and files of one workspace."""

    def __init__(self, url: str, workspace: Path) -> None:
        """Open the store and bring its schema to the newest revision."""
        self.workspace = workspace
        self._engine = connect(url)
        migrate(self._engine)
        self.files = Files(str(workspace / "files"))
        self.personas = Personas(self._engine)
        self.corpus = Corpus(self._engine)
        self.utterances = Utterances(self._engine)
        self.review = Review(self._engine)
        self.charts = Charts(self._engine)
        self.calls = Calls(self._engine)
        self.expansions = Expansions(self._engine)
        self.duplicates = Duplicates(self._engine)
        self.suspicions = Suspicions(self._engine)
        self.datasets = Datasets(self._engine)
        self.voice = Voice(self._engine)
        self.clips = Clips(self._engine)
        self.clip_sets = ClipSets(self._engine)
        self.bases = Bases(self._engine)
        self.models = Models(self._engine)
        self.checkouts = Checkouts(self._engine)
        self.votes = Votes(self._engine)
        self.runs = Runs(self._engine)
        self.gpus = Gpus(self._engine)
        self.scorecards = Scorecards(self._engine)
        self.talks = Talks(self._engine)
        self.ratings = Ratings(self._engine)
        self.events = Events(self._engine)
        self.custody = Custody(self._engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
