"""What one can do in a talk: interrupt, stop, have it again, say it otherwise, branch, rate, keep, speak, visit."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from core.domain.chat import Conversation, Message, Speaker
from core.services import Services
from tests.browser.conftest import House
from tests.browser.running_app import RunningApp, program, wait_until
from tests.browser.visitor import PATIENCE, Visitor
from tests.contract.openai_server import OpenAIServer
from tests.contract.transcription_server import TranscriptionServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OpenTab = Callable[..., Visitor]
MADE_BY = "her own lines · placeholder voice"


def say(visitor: Visitor, words: str) -> None:
    visitor.page.get_by_placeholder("Write to").fill(words)
    visitor.page.get_by_placeholder("Write to").press("Enter")


def asked(visitor: Visitor, words: str) -> None:
    """Say something and wait until she has answered."""
    before = visitor.page.get_by_text(MADE_BY).count()
    say(visitor, words)
    expect(visitor.page.get_by_text(MADE_BY)).to_have_count(before + 1, timeout=PATIENCE)
    visitor.settled()


def ask_the_hanging(visitor: Visitor, server: OpenAIServer) -> None:
    """Say something to the server that hangs after its first word, and wait for that word."""
    server.client_left.clear()
    visitor.open("chat")
    visitor.choose("Who answers", "bamboo")
    visitor.settled()
    say(visitor, "你好。")
    visitor.sees("竹影")


def stop_her(visitor: Visitor) -> None:
    """Press the button that stops her, not the page's own."""
    visitor.page.locator("[class*=st-key-speech-stage]").get_by_role("button", name="Stop").click()


def deed(visitor: Visitor, name: str) -> None:
    """Choose a deed of the last reply's menu."""
    visitor.page.locator("[class*=st-key-deeds]").last.get_by_role("button").click()
    visitor.page.get_by_role("menuitem", name=name).click()


def talk_of(services: Services) -> tuple[Conversation, list[Message]]:
    """Return the newest talk and the path shown."""
    talk = services.store.talks.conversations(services.settings.persona)[0]
    return talk, services.store.talks.messages(talk.id)


def test_a_reply_is_made_again_and_one_goes_between_its_versions(house: House, visitor: Visitor) -> None:
    visitor.open("chat")
    asked(visitor, "今日可好些了？")
    deed(visitor, "Answer again")
    visitor.sees("2/2")
    visitor.settled()
    _, [*_, said, second] = talk_of(house.services)
    visitor.page.locator("[class*=st-key-version]").get_by_role("button").first.click()
    visitor.sees("1/2")
    _, [*_, first] = talk_of(house.services)

    assert said.text == "今日可好些了？"
    assert first.id != second.id
    assert first.parent_id == second.parent_id == said.id


def test_words_said_otherwise_are_answered_and_the_first_are_kept(house: House, visitor: Visitor) -> None:
    visitor.open("chat")
    asked(visitor, "你住在哪里？")
    visitor.page.locator("[class*=st-key-reword]").get_by_role("button").first.click()
    visitor.page.get_by_label("Your words").fill("你在写什么？")
    visitor.page.get_by_role("button", name="Send", exact=True).click()
    visitor.sees("2/2")
    visitor.settled()
    _, [_, said, reply] = talk_of(house.services)

    assert (said.text, reply.speaker) == ("你在写什么？", Speaker.PERSONA)
    assert [one.text for one in house.services.store.talks.siblings(said.id)] == ["你住在哪里？", "你在写什么？"]


def test_a_branch_goes_on_by_itself(house: House, visitor: Visitor) -> None:
    visitor.open("chat")
    asked(visitor, "外头风大，你不冷么？")
    origin, _ = talk_of(house.services)
    deed(visitor, "Go on from here in a new talk")
    visitor.sees("This is a talk of its own now")
    asked(visitor, "那便坐坐罢。")
    branch, messages = talk_of(house.services)

    assert branch.id != origin.id
    assert len(messages) == len(house.services.store.talks.messages(origin.id)) + 2


def test_a_reply_rated_down_with_a_reason_reaches_the_curator(house: House, visitor: Visitor) -> None:
    visitor.open("chat")
    asked(visitor, "你为什么又不高兴了？")
    visitor.page.locator("[class*=st-key-rate]").last.locator("button").last.click()
    visitor.page.get_by_label("What is wrong with it?").fill("不像她的口气")
    visitor.page.get_by_label("What is wrong with it?").press("Enter")
    visitor.sees("the curator will see it")
    visitor.settled()
    _, [*_, reply] = talk_of(house.services)
    [rating] = house.services.store.ratings.of_messages([reply.id])[reply.id]
    assert rating.reason == "不像她的口气"

    visitor.open("dialogues")
    visitor.unfold("reply of the chat was rated down")
    visitor.sees("不像她的口气")
    visitor.press("Done")
    wait_until(lambda: not house.services.store.ratings.counts(house.persona).waiting, 30)


def test_a_talk_is_found_named_kept_as_files_and_deleted(house: House, visitor: Visitor) -> None:
    visitor.open("chat")
    asked(visitor, "我给你带了一本讲蟋蟀的书来。")
    talk, messages = talk_of(house.services)
    visitor.press("This talk")
    visitor.page.get_by_label("Name", exact=True).fill("蟋蟀")
    visitor.page.get_by_label("Name", exact=True).press("Enter")
    wait_until(lambda: talk_of(house.services)[0].title == "蟋蟀", 30)
    visitor.settled()
    kept = {}
    for kind in ("JSON", "Markdown", "WAV", "MP3"):
        with visitor.page.expect_download() as coming:
            visitor.page.get_by_role("button", name=kind, exact=True).click()
        kept[kind] = coming.value.path().read_bytes()
    assert messages[-1].text in kept["Markdown"].decode()
    assert [one["text"] for one in json.loads(kept["JSON"])["messages"]] == [one.text for one in messages]
    with wave.open(io.BytesIO(kept["WAV"])) as sound:
        assert sound.getnframes() > 0
    assert kept["MP3"]

    visitor.page.keyboard.press("Escape")
    visitor.press("New talk")
    visitor.press("Talks")
    visitor.page.get_by_label("Search").fill("讲蟋蟀")
    visitor.page.get_by_label("Search").press("Enter")
    visitor.page.get_by_role("button", name="蟋蟀 ·").click()
    visitor.sees("我给你带了一本讲蟋蟀的书来。")
    visitor.settled()
    visitor.press("This talk")
    visitor.press("Delete it")
    visitor.sees("The talk is deleted.")

    assert talk.id not in [one.id for one in house.services.store.talks.conversations(house.persona)]


def test_the_visitors_link_shows_the_chat_alone_and_only_own_talks(
    house: House, open_tab: OpenTab, browser: Browser
) -> None:
    visitor = open_tab(house.app)
    visitor.open("chat?as=visitor")
    asked(visitor, "昨夜的雨可停了？")
    talk, _ = talk_of(house.services)

    assert talk.owner.startswith("visitor")
    assert visitor.page.get_by_test_id("stSidebarNav").count() == 0
    assert visitor.page.get_by_text("Who answers").count() == 0
    visitor.press("Why this?")
    visitor.sees("This is a line of the book:")
    visitor.settled()
    assert visitor.page.get_by_text("Read it in its passage").count() == 0, "the corpus is not the visitor's"

    visitor.page.reload()
    visitor.sees("昨夜的雨可停了？")
    visitor.press("Talks")
    expect(visitor.page.locator("[class*=st-key-open]")).to_have_count(1)
    visitor.page.goto(f"{house.app.url}/corpus?as=visitor")
    expect(visitor.page.get_by_placeholder("Write to").or_(visitor.page.get_by_text("Page not found"))).to_be_visible()
    assert visitor.page.get_by_role("heading", name="Corpus").count() == 0

    somebody = browser.new_context(locale="en-US")
    other = Visitor(somebody.new_page(), house.app.url)
    other.open(f"chat?as=visitor&talk={talk.id}")
    expect(other.page.get_by_placeholder("Write to")).to_be_visible()
    other.settled()
    assert other.page.get_by_text("昨夜的雨可停了？").count() == 0
    somebody.close()


@pytest.fixture(scope="module")
def served(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningApp, Services, OpenAIServer, TranscriptionServer]]:
    """An app whose chat server hangs after its first word, and whose visitors may speak."""
    with OpenAIServer("竹影摇窗。", hang=True) as server, TranscriptionServer("外头可是下雨了？") as writer:
        copy = program(
            tmp_path_factory.mktemp("program"),
            {
                "chat.yaml": f"endpoint_url: {server.base_url}\nendpoint_model: bamboo\nhear: true\n",
                "transcription.yaml": f"backend: openai\nmodel: m\nbase_url: {writer.base_url}\n",
            },
        )
        app = RunningApp(tmp_path_factory.mktemp("workspace"), {"OPENAI_API_KEY": "nothing"}, project=copy)
        services = app.services()
        yield app, services, server, writer
        services.close()
        app.stop()


def test_stop_ends_a_reply_that_hangs_and_what_she_said_is_kept(
    served: tuple[RunningApp, Services, OpenAIServer, TranscriptionServer], open_tab: OpenTab
) -> None:
    app, services, server, _ = served
    visitor = open_tab(app)
    ask_the_hanging(visitor, server)
    stop_her(visitor)

    assert server.client_left.wait(20)
    visitor.settled()
    assert talk_of(services)[1][-1].text == "竹影"


def test_the_stop_of_the_page_itself_ends_a_reply_too(
    served: tuple[RunningApp, Services, OpenAIServer, TranscriptionServer], open_tab: OpenTab
) -> None:
    app, _, server, _ = served
    visitor = open_tab(app)
    ask_the_hanging(visitor, server)
    visitor.page.get_by_role("banner").get_by_role("button", name="Stop").click()

    assert server.client_left.wait(5)


def test_a_reply_goes_on_while_its_page_is_loaded_again(
    served: tuple[RunningApp, Services, OpenAIServer, TranscriptionServer], open_tab: OpenTab
) -> None:
    app, _, server, _ = served
    visitor = open_tab(app)
    ask_the_hanging(visitor, server)
    visitor.page.reload()
    visitor.sees("竹影")

    assert not server.client_left.wait(2)
    stop_her(visitor)
    assert server.client_left.wait(20)


def test_a_new_message_interrupts_a_reply_that_hangs(
    served: tuple[RunningApp, Services, OpenAIServer, TranscriptionServer], open_tab: OpenTab
) -> None:
    app, services, server, _ = served
    visitor = open_tab(app)
    ask_the_hanging(visitor, server)
    # The page is drawn anew, and follows the reply again.
    visitor.choose("Who answers", "Her own lines", settles=False)
    visitor.sees("竹影")
    say(visitor, "罢了，你歇着罢。")

    assert server.client_left.wait(20)
    visitor.sees("her own lines")
    visitor.settled()
    assert [one.text for one in talk_of(services)[1]][1:4] == ["你好。", "竹影", "罢了，你歇着罢。"]


def test_a_spoken_message_is_written_down_and_answered(
    served: tuple[RunningApp, Services, OpenAIServer, TranscriptionServer], open_tab: OpenTab
) -> None:
    app, services, _, writer = served
    visitor = open_tab(app)
    visitor.open("chat")
    visitor.page.get_by_test_id("stChatInputMicButton").click()
    visitor.page.wait_for_timeout(1500)  # she listens to a tone of Chromium's own
    visitor.page.get_by_test_id("stChatInputApproveButton").click()
    if visitor.page.get_by_test_id("stChatInputSubmitButton").is_enabled():
        visitor.page.get_by_test_id("stChatInputSubmitButton").click()
    visitor.sees("外头可是下雨了？")
    visitor.sees("her own lines")
    visitor.settled()

    assert writer.requests
    assert talk_of(services)[1][-2].text == "外头可是下雨了？"
