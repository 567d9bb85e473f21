"""Takes the READMEs' pictures: walks the real path on a whole book, in English and in Chinese.

    python docs/screenshots.py BOOK.txt [--workspace FOLDER]

What the workspace already holds is not made anew, so a second call only takes the pictures again. The fine-tuning
is the real one; where XTuner's environment is not built yet, it is built first.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.domain.run import RunState
from core.domain.text import ReviewStatus
from core.domain.training import ModelKind
from core.services import Services
from core.settings import PROJECT, stage_defaults
from core.stages.evaluation.scorecards import import_summary
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.finetuning.settings import PRESETS, preset_values
from core.store.clips import ClipFilter
from core.store.utterances import UtteranceFilter
from tests.browser.running_app import RunningApp, wait_until
from tests.browser.spoken_episode import spoken_episode
from tests.browser.visitor import PATIENCE, Visitor, chromium

IMAGES = PROJECT / "docs" / "images"
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
SUMMARY = PROJECT / "tests" / "data" / "evaluation" / "summary_current.csv"
QUESTIONS = ("你为什么爱哭？", "你是谁？")
"""Said to her in the picture of the chat: first to her own lines, then to the new model."""
CHAPTER = "8"
"""Whose lines the picture of the dialogues shows."""

Show = Callable[[Visitor], None]
"""Brings the part of the page that the picture is about into the window."""


def main() -> None:
    """Walk the path and write the pictures."""
    parser = argparse.ArgumentParser(description="Take the pictures of the READMEs.")
    parser.add_argument("book", type=Path)
    parser.add_argument("--workspace", type=Path, default=Path(tempfile.gettempdir()) / "daiyu-screenshots")
    chosen = parser.parse_args()

    app = RunningApp(chosen.workspace)
    services = app.services()
    try:
        walk(services, chosen.book)
        with sync_playwright() as playwright, chromium(playwright) as browser:
            if not services.store.talks.conversations(services.settings.persona):
                talk(browser, app, services)  # loads what answers and speaks
                talk(browser, app, services)
            for language, locale in LANGUAGES.items():
                take(browser, app, services, language, locale)
    finally:
        services.close()
        app.stop()


def walk(services: Services, book: Path) -> None:
    """Make what the pages are to show: corpus, lines, dataset, model, recording, clip, scores."""
    store, persona = services.store, services.settings.persona
    if book.name not in {source.name for source in store.corpus.sources(persona)}:
        with book.open("rb") as stream:
            do(services, "corpus", {"uploads": services.receive_texts(stream, book.name)})
        do(services, "dialogues", {})
    if not store.duplicates.count(persona, open_only=False):
        do(services, "cleaning", {})
    if not store.datasets.versions(persona):
        do(services, "dataset", {})
    if not store.models.all(persona, ModelKind.TEXT):
        do(services, "finetuning", preset_values(PRESETS[0]))
        store.models.use(store.models.all(persona, ModelKind.TEXT)[0].id, who="screenshots")
    if len(store.models.all(persona, ModelKind.TEXT)) < 2:
        do(services, "finetuning", {**preset_values(PRESETS[0]), "name": "gentler", "learning_rate": 1e-3})
    if not store.voice.recordings(persona):
        add_a_recording(services)
    if not store.scorecards.all(persona):
        settings = stage_defaults("evaluation", EvaluationSettings)
        with SUMMARY.open("rb") as stream:
            import_summary(stream, "daiyu-1.8b.csv", persona_id=persona, settings=settings, store=store)


def do(services: Services, kind: str, settings: Mapping[str, object]) -> None:
    """Have the app's worker do a run, and wait for it."""
    run = services.jobs.submit(kind, services.settings.persona, settings, who="screenshots")
    wait_until(lambda: services.store.runs.get(run.id).state.over, 3600)
    ended = services.store.runs.get(run.id)
    if ended.state is not RunState.SUCCEEDED:
        raise SystemExit(f"{kind} ended {ended.state}: {ended.error}")


def add_a_recording(services: Services) -> None:
    """Import an episode that the built-in voice speaks, with subtitles, find her lines in it, and decide about some."""
    store, persona = services.store, services.store.personas.get(services.settings.persona)
    sample = store.corpus.sources(persona.id)[-1]
    lines = [one for one in store.utterances.iterate(UtteranceFilter(persona.id, sample.id)) if len(one.text) > 5]
    with tempfile.TemporaryDirectory() as folder:
        sound, subtitles = spoken_episode(Path(folder), lines[:40], persona.name)
        with sound.open("rb") as stream, subtitles.open("rb") as words:
            wanted = services.receive_recording(stream, "听雨·第一集.wav", words, "听雨·第一集.srt")
    do(services, "recording", wanted)
    do(services, "voice_dataset", {"recording_id": store.voice.recordings(persona.id)[0].id, "by": "lines"})
    clips = list(store.clips.iterate(ClipFilter(persona.id)))
    store.clips.edit_these({one.id: one.revision for one in clips[:5]}, who="local", status=ReviewStatus.ACCEPTED)
    store.clips.edit_these({clips[6].id: clips[6].revision}, who="local", status=ReviewStatus.REJECTED)


def talk(browser: Browser, app: RunningApp, services: Services) -> None:
    """Talk with her in the browser, once by her own lines and once by the model in use."""
    visitor = a_tab(browser, app, "zh-CN")
    visitor.open("chat?lang=en")
    model = services.store.models.all(services.settings.persona, ModelKind.TEXT)[0]
    footers = visitor.page.locator("[class*='st-key-footer-']")
    for number, (question, answerer) in enumerate(zip(QUESTIONS, ("Her own lines", model.name), strict=True)):
        visitor.choose("Who answers", answerer)
        visitor.settled()
        visitor.page.get_by_placeholder("Write to").fill(question)
        visitor.page.get_by_placeholder("Write to").press("Enter")
        expect(footers).to_have_count(number + 1, timeout=4 * PATIENCE)
        visitor.settled()
    visitor.page.context.close()


def a_tab(browser: Browser, app: RunningApp, locale: str, *, width: int = 1280, height: int = 900) -> Visitor:
    """Open a tab of that size."""
    context = browser.new_context(
        locale=locale, timezone_id="Asia/Shanghai", viewport={"width": width, "height": height}
    )
    return Visitor(context.new_page(), app.url)


def take(browser: Browser, app: RunningApp, services: Services, language: str, locale: str) -> None:
    """Take every picture in one language."""
    visitor = a_tab(browser, app, locale)
    for name, (address, show) in scenes(services).items():
        visitor.open(address)
        show(visitor)
        picture(visitor, f"{name}-{language}")
    visitor.page.context.close()
    phone = a_tab(browser, app, locale, width=390, height=844)
    for name, address in (
        ("home", ""),
        ("dialogues", "dialogues?queue=all"),
        ("voice_dataset", "voice_dataset?part=clips"),
        ("chat", the_talk(services)),
    ):
        phone.open(address)
        picture(phone, f"{name}-phone-{language}")
    phone.page.context.close()


def scenes(services: Services) -> dict[str, tuple[str, Show]]:
    """Return picture -> address and what is to be seen."""
    store, persona = services.store, services.settings.persona
    gentler, trained = store.runs.all(persona_id=persona, kind="finetuning", limit=2)
    return {
        "home": ("", lambda visitor: drawn(visitor, ".stage-count")),
        "corpus": ("corpus", lambda visitor: visitor.pick_row(3)),
        "dialogues": (f"dialogues?queue=all&chapter={CHAPTER}", lambda visitor: drawn(visitor, "mark.chosen")),
        "dialogues-table": (f"dialogues?view=table&queue=all&chapter={CHAPTER}", lambda visitor: visitor.pick_row(3)),
        "dataset-clean": ("dataset?part=clean", lambda visitor: drawn(visitor, "[class*='st-key-cluster']")),
        "dataset": ("dataset?part=versions", lambda visitor: drawn(visitor, "[class*='st-key-sample-']")),
        "finetuning": ("finetuning", lambda visitor: drawn(visitor, ".js-plotly-plot .scatterlayer path.js-line")),
        "finetuning-form": ("finetuning", the_form),
        "finetuning-models": ("finetuning?part=models", lambda visitor: drawn(visitor, "[class*='st-key-model-']")),
        "finetuning-bases": ("finetuning?part=bases", lambda visitor: None),
        "runs": (f"runs?run={trained.id}&against={gentler.id}", the_comparison),
        "chat": (the_talk(services), lambda visitor: drawn(visitor, "[data-testid=stChatMessage]")),
        "voice_dataset": ("voice_dataset", lambda visitor: drawn(visitor, ".js-plotly-plot .scatterlayer path")),
        "voice_dataset-clips": ("voice_dataset?part=clips", lambda visitor: drawn(visitor, ".st-key-clip-made audio")),
        "voice_training": ("voice_training", lambda visitor: None),
        "evaluation": ("evaluation", lambda visitor: drawn(visitor, ".js-plotly-plot .bars path")),
        "arena": ("arena", lambda visitor: None),
    }


def the_form(visitor: Visitor) -> None:
    """Unfold the form and wait until its check has been made."""
    titles = {"en-US": "Fine-tune a model", "zh-CN": "微调一个模型"}
    visitor.unfold(titles[str(visitor.page.evaluate("navigator.language"))])
    visitor.page.locator(".st-key-training-needs").scroll_into_view_if_needed(timeout=4 * PATIENCE)


def the_comparison(visitor: Visitor) -> None:
    """Bring two runs side by side into the window."""
    visitor.page.locator(".st-key-comparison").scroll_into_view_if_needed(timeout=PATIENCE)


def the_talk(services: Services) -> str:
    """Return the address of the newest talk."""
    return f"chat?talk={services.store.talks.conversations(services.settings.persona)[0].id}"


def drawn(visitor: Visitor, what: str) -> None:
    """Wait until that is on the page."""
    visitor.page.locator(what).first.wait_for(state="attached", timeout=PATIENCE)


def picture(visitor: Visitor, name: str) -> None:
    """Write the window as a small PNG."""
    visitor.page.mouse.move(1270, 890)  # no tool bar of whatever lies below the mouse
    visitor.page.wait_for_timeout(500)  # what slides or fades in has then arrived
    visitor.settled()
    raw = Image.open(io.BytesIO(visitor.page.screenshot())).convert("RGB")
    IMAGES.mkdir(parents=True, exist_ok=True)
    raw.quantize(128, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
