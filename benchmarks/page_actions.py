"""What a person does on each page again and again, and how to see that the page has answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.clocked_tab import Tab
from core.services import Services


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do on a page, the n-th time a little different from the one before."""

    page: str
    """The stage's id, or the script's name."""
    name: str
    do: Callable[[Tab, int], None]
    prepare: Callable[[Tab], None] = lambda tab: None
    address: Callable[[Services], str] | None = None
    """Where it begins; the page itself where nothing is said."""

    def begin(self, services: Services) -> str:
        """Return the address the tab opens first."""
        return self.address(services) if self.address else self.page


def _text(selector: str, which: int = 0) -> str:
    return f"[...document.querySelectorAll({json.dumps(selector)})].at({which})?.textContent"


def _arrive_by_menu(title: str, landmark: str) -> Callable[[Tab, int], None]:
    def do(tab: Tab, _number: int) -> None:
        away = "Arena" if title != "Arena" else "Runs"
        entries = tab.page.get_by_test_id("stSidebarNavLink")
        entries.filter(has_text=away).click()
        tab.page.wait_for_function(f"{_text('h1')} === {json.dumps(away)}")
        tab.settled()
        tab.clock(entries.filter(has_text=title).first.click, landmark)

    return do


def _open_a_chapter(tab: Tab, number: int) -> None:
    tab.clock_change(lambda: tab.pick_row(1 + number % 8), _text(".reader h4"))


_CHOSEN = "[...document.querySelectorAll('.reader mark.chosen')].map(one => one.textContent).join()"
"""The words under review: others when the page has gone on."""
_MINE = "document.querySelector(\"[class*='st-key-queue-mine']\")?.textContent"
"""How many lines one has decided about, as the queue's button says."""


def _next_page(tab: Tab, number: int) -> None:
    there = 2 - number % 2
    pager = f"[...document.querySelectorAll('p')].some(one => one.textContent.startsWith('page {there} of'))"
    tab.clock(lambda: tab.press("Later" if there == 2 else "Earlier"), pager)


def _filter_by_speaker(tab: Tab, number: int) -> None:
    tab.clock_change(lambda: tab.pick("Speaker", ("贾宝玉", "薛宝钗", "紫鹃")[number % 3]), _CHOSEN)


def _filter_by(label: str, *options: str) -> Callable[[Tab, int], None]:
    def do(tab: Tab, number: int) -> None:
        tab.press("Filters")
        tab.clock_change(lambda: tab.pick(label, options[number % len(options)]), _text(".st-key-queues"))
        tab.page.keyboard.press("Escape")

    return do


def _wait_for_the_keys(tab: Tab) -> None:
    tab.page.locator(".st-key-review-accept button").first.wait_for()
    tab.page.wait_for_function(f"Boolean({_CHOSEN})")
    tab.settled()


def _decide_by_button(name: str) -> Callable[[Tab, int], None]:
    return lambda tab, _number: tab.clock_change(lambda: tab.press(name), _CHOSEN)


def _decide_by_key(*keys: str) -> Callable[[Tab, int], None]:
    return lambda tab, number: tab.clock_change(lambda: tab.page.keyboard.press(keys[number % len(keys)]), _CHOSEN)


def _undo(tab: Tab, _number: int) -> None:
    tab.page.keyboard.press("a")
    tab.page.wait_for_timeout(200)
    tab.settled()
    tab.clock_change(lambda: tab.page.keyboard.press("Control+z"), _CHOSEN)


def _turn_to_another_queue(tab: Tab, number: int) -> None:
    queues = tab.page.locator(".st-key-queues")
    tab.clock_change(lambda: tab.press(("All", "Uncertain first")[number % 2], within=queues), _CHOSEN)


def _split(tab: Tab, _number: int) -> None:
    tab.page.keyboard.press("s")
    tab.sees("Split here")
    tab.settled()
    tab.clock_change(lambda: tab.press("Split here"), _CHOSEN)
    for _part in range(2):
        _go_on(tab)


def _join(tab: Tab, _number: int) -> None:
    tab.clock_change(lambda: tab.page.keyboard.press("m"), _CHOSEN)
    _go_on(tab)


def _go_on(tab: Tab) -> None:
    now = tab.page.evaluate(_CHOSEN)
    tab.page.keyboard.press("j")
    tab.page.wait_for_function(f"{_CHOSEN} !== {json.dumps(now)}")
    tab.settled()


def _choose_a_page_of_rows(tab: Tab, _number: int) -> None:
    tab.clock(lambda: tab.pick_row(-1), _reads("50 lines chosen"))
    tab.pick_row(-1)
    tab.page.wait_for_function(f"!({_reads('50 lines chosen')})")
    tab.settled()


def _accept_a_page_of_rows(tab: Tab, _number: int) -> None:
    tab.pick_row(-1)
    tab.sees("50 lines chosen")
    tab.settled()
    tab.clock_change(lambda: tab.press("Accept 50"), _MINE)


def _turn_to_cells(tab: Tab) -> None:
    tab.page.get_by_text("Edit cells").click()
    tab.page.get_by_text(re.compile("^(Saved|What you write)")).first.wait_for()
    tab.table().locator("canvas tr[aria-rowindex='2']").wait_for(state="attached")
    tab.settled()


def _write_into_a_cell(tab: Tab, number: int) -> None:
    tab.open_cell(number % 8).fill(f"这是第{number}回写的话。")
    tab.clock_change(lambda: tab.page.keyboard.press("Enter"), _text(".st-key-bulk-bar"))


def _see_the_charts(tab: Tab, number: int) -> None:
    views = tab.page.get_by_test_id("stMain")
    if number:
        views.get_by_role("radio", name="One by one").click()
        tab.page.wait_for_function(f"Boolean({_CHOSEN})")
        tab.settled()
    click = views.get_by_role("radio", name="Charts").click
    tab.clock(click, "Boolean(document.querySelector('.js-plotly-plot .main-svg'))")


def _see_another_chart(tab: Tab, number: int) -> None:
    chart = ("Speakers", "Who to whom", "Review")[number % 3]
    click = tab.page.get_by_test_id("stMain").get_by_role("radio", name=chart).click
    tab.clock_change(
        click, "[...document.querySelectorAll('.js-plotly-plot .gtitle')].map(one => one.textContent).join()"
    )


def _reads(words: str) -> str:
    return f"[...document.querySelectorAll('p')].some(one => one.textContent === {json.dumps(words)})"


def _lines_in_a_table(_services: Services) -> str:
    return "dialogues?view=table"


def _choose_a_version(tab: Tab, number: int) -> None:
    tab.page.wait_for_timeout(200)  # a click on a table that still draws itself is lost
    tab.clock_change(lambda: tab.pick_row(1 - number % 2), _text("[data-testid=stMetricValue]"))


def _see_the_other_side(tab: Tab, number: int) -> None:
    side = ("held out", "training")[number % 2]
    click = tab.page.get_by_test_id("stMain").get_by_role("radio", name=side).click
    tab.clock_change(click, _text("[class*='st-key-sample-']", -1))


def _see_the_differences(tab: Tab, number: int) -> None:
    views = tab.page.get_by_test_id("stMain")
    if number:
        views.get_by_role("radio", name="Samples").click()
        tab.page.wait_for_function(f"Boolean({_text(_SAMPLES)})")
        tab.settled()
    tab.clock(views.get_by_role("radio", name="Differences").click, f"Boolean({_text('.st-key-difference-head')})")


_SAMPLES = "[class*='st-key-sample-']"
_CLUSTER = "document.querySelector(\"[class*='st-key-keep-dup-']\")?.className"
"""Names the cluster one decides about."""


def _wait_for_a_cluster(tab: Tab) -> None:
    tab.page.locator(".st-key-cluster-undo button").first.wait_for()
    tab.page.wait_for_function(f"Boolean({_CLUSTER})")
    tab.settled()


def _decide_a_cluster(key: str) -> Callable[[Tab, int], None]:
    return lambda tab, _number: tab.clock_change(lambda: tab.page.keyboard.press(key), _CLUSTER)


def _undo_a_cluster(tab: Tab, _number: int) -> None:
    now = tab.page.evaluate(_CLUSTER)
    tab.page.keyboard.press("a")
    tab.page.wait_for_function(f"{_CLUSTER} !== {json.dumps(now)}")
    tab.settled()
    tab.clock_change(lambda: tab.page.keyboard.press("Control+z"), _CLUSTER)


def _leave_out_a_doubt(tab: Tab, _number: int) -> None:
    tab.clock_change(lambda: tab.press("Leave out", within=tab.page.locator(_DOUBT).first), _text(_DOUBT))


_DOUBT = "[class*='st-key-doubt-']"


def _turn_to_a_part(tab: Tab, number: int) -> None:
    part, there = (("Exchange", "Download the zip"), ("Clean", "Keep all"))[number % 2]
    landmark = f"[...document.querySelectorAll('button')].some(one => one.textContent.includes('{there}'))"
    tab.clock(tab.page.get_by_role("tab", name=part).click, landmark)


def _doubtful(_services: Services) -> str:
    return "dataset?part=clean&queue=doubtful"


def _differences(_services: Services) -> str:
    return "dataset?part=versions&look=differences"


def _the_part(part: str) -> Callable[[Services], str]:
    return lambda _services: f"dataset?part={part}"


def _choose_a_preset(tab: Tab, number: int) -> None:
    preset = re.compile(("internlm2", "tiny")[number % 2])
    tab.clock_change(lambda: tab.choose("Preset", preset), "document.querySelector('input[aria-label=Base]')?.value")


def _choose_a_recording(tab: Tab, _number: int) -> None:
    name = tab.the_other("Recording", "morning", "evening")
    drawn = "document.querySelector('.js-plotly-plot .scatterlayer path.js-line')?.getAttribute('d')"
    tab.clock_change(lambda: tab.choose("Recording", name), drawn)


def _decide_about_a_clip(key: str) -> Callable[[Tab, int], None]:
    def do(tab: Tab, _number: int) -> None:
        tab.clock_change(lambda: tab.page.keyboard.press(key), _CLIP)

    return do


def _sort_the_clips(tab: Tab, number: int) -> None:
    order = ("sureness of the words", "place in the recording")[number % 2]
    box = tab.page.locator(".st-key-clip-filters").get_by_test_id("stSelectbox").nth(1)

    def choose() -> None:
        box.locator("input").click()
        tab.page.get_by_role("option", name=order, exact=True).first.click()

    tab.clock_change(choose, _CLIP)


_CLIP = "document.querySelector('.st-key-clip-panel textarea')?.value"
"""The words of the clip one looks at."""


def _wait_for_a_clip(tab: Tab) -> None:
    tab.page.wait_for_function(_CLIP)
    tab.settled()


def _the_clips(_services: Services) -> str:
    return "voice_dataset?part=clips"


def _choose_a_group(tab: Tab, number: int) -> None:
    group, subject = (("Humanities", "Art studies"), ("STEM", "Computer network"))[number % 2]
    click = tab.page.get_by_test_id("stMain").get_by_role("radio", name=group).click
    drawn = "[...document.querySelectorAll('.js-plotly-plot svg text')].some(one => one.textContent.includes('{}'))"
    tab.clock(click, drawn.format(subject))


def _send_and_read_the_first_word(tab: Tab, number: int) -> None:
    said = f"第{number}回问你：昨夜的雨可停了？"
    there = f"""(said => {{
      const talk = [...document.querySelectorAll("[data-testid=stChatMessage]")];
      const hers = talk.at(-1)?.querySelector("[data-testid=stMarkdown]")?.textContent;
      return talk.at(-2)?.textContent.includes(said) && Boolean(hers);
    }})({json.dumps(said)})"""
    tab.page.get_by_placeholder("Write to").fill(said)
    tab.clock(lambda: tab.page.get_by_placeholder("Write to").press("Enter"), there)


def _the_talk(services: Services) -> str:
    return f"chat?talk={services.store.talks.conversations(services.settings.persona)[0].id}"


def _open_a_run(tab: Tab, number: int) -> None:
    tab.clock_change(
        lambda: tab.pick_row(1 + number % 8), "document.querySelector(\"[class*='st-key-run-run-']\")?.className"
    )


_DRAWN = "document.querySelectorAll('.stage-count').length === 8"

ACTIONS: tuple[Action, ...] = (
    Action("home", "come by the menu", _arrive_by_menu("Home", _DRAWN), address=lambda _services: ""),
    Action("corpus", "open a chapter", _open_a_chapter),
    Action("dialogues", "accept, and the next", _decide_by_button("Accept")),
    Action("dialogues", "reject by key", _decide_by_key("x"), prepare=_wait_for_the_keys),
    Action("dialogues", "say who speaks by key", _decide_by_key("2", "3"), prepare=_wait_for_the_keys),
    Action("dialogues", "skip, go back", _decide_by_key("j", "k"), prepare=_wait_for_the_keys),
    Action("dialogues", "undo", _undo, prepare=_wait_for_the_keys),
    Action("dialogues", "split", _split, prepare=_wait_for_the_keys),
    Action("dialogues", "join with the next", _join, prepare=_wait_for_the_keys),
    Action("dialogues", "turn to another queue", _turn_to_another_queue),
    Action("dialogues", "filter by speaker", _filter_by_speaker),
    Action("dialogues", "filter by extractor", _filter_by("Extractor", "rules", "language model")),
    Action("dialogues", "filter by confidence", _filter_by("Confidence below", "70 %", "90 %")),
    Action("dialogues", "go to the next page", _next_page, address=_lines_in_a_table),
    Action("dialogues", "choose 50 rows", _choose_a_page_of_rows, address=_lines_in_a_table),
    Action("dialogues", "accept 50 rows", _accept_a_page_of_rows, address=_lines_in_a_table),
    Action(
        "dialogues",
        "write into a cell",
        _write_into_a_cell,
        prepare=_turn_to_cells,
        address=_lines_in_a_table,
    ),
    Action("dialogues", "see the charts", _see_the_charts),
    Action("dialogues", "see another chart", _see_another_chart, address=lambda _services: "dialogues?view=charts"),
    Action("dataset", "decide a cluster by key", _decide_a_cluster("a"), _wait_for_a_cluster, _the_part("clean")),
    Action("dataset", "skip a cluster", _decide_a_cluster("j"), _wait_for_a_cluster, _the_part("clean")),
    Action("dataset", "undo a cluster", _undo_a_cluster, _wait_for_a_cluster, _the_part("clean")),
    Action("dataset", "leave out a doubtful line", _leave_out_a_doubt, address=_doubtful),
    Action("dataset", "turn to another part", _turn_to_a_part, address=_the_part("clean")),
    Action("dataset", "choose a version", _choose_a_version, address=_the_part("versions")),
    Action("dataset", "see the held-out side", _see_the_other_side, address=_the_part("versions")),
    Action("dataset", "see the differences", _see_the_differences, address=_the_part("versions")),
    Action("dataset", "go to the next differences", _next_page, address=_differences),
    Action("finetuning", "choose a preset", _choose_a_preset),
    Action("voice_dataset", "choose a recording", _choose_a_recording),
    Action("voice_dataset", "accept a clip by key", _decide_about_a_clip("a"), _wait_for_a_clip, _the_clips),
    Action("voice_dataset", "skip a clip by key", _decide_about_a_clip("j"), _wait_for_a_clip, _the_clips),
    Action("voice_dataset", "sort the clips", _sort_the_clips, _wait_for_a_clip, _the_clips),
    Action(
        "voice_training",
        "come by the menu",
        _arrive_by_menu("Voice training", f"{_text('h1')} === 'Voice training'"),
    ),
    Action(
        "evaluation",
        "choose a group of subjects",
        _choose_a_group,
        prepare=lambda tab: tab.page.get_by_role("tab", name="Subjects").click(),
    ),
    Action("chat", "send, and read the first word", _send_and_read_the_first_word, address=_the_talk),
    Action("runs", "open a run", _open_a_run),
    Action("arena", "come by the menu", _arrive_by_menu("Arena", f"{_text('h1')} === 'Arena'")),
)
