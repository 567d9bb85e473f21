"""She answers in words that stream, with a voice, and says what made the answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from core.domain.chat import Speaker
from tests.browser.conftest import House
from tests.browser.visitor import PATIENCE, Visitor

_WATCH = """
window.lengths = [];
new MutationObserver(() => {
  const words = [...document.querySelectorAll("[data-testid=stChatMessage]")].at(-1);
  const length = words ? words.innerText.length : 0;
  if (length !== window.lengths.at(-1)) window.lengths.push(length);
}).observe(document.body, { subtree: true, childList: true, characterData: true });
"""


def say(page: Page, words: str) -> None:
    """Write to her and send it."""
    page.get_by_placeholder("Write to").fill(words)
    page.get_by_placeholder("Write to").press("Enter")


@pytest.mark.slow
def test_a_reply_streams_is_heard_and_names_what_made_it(house: House, visitor: Visitor) -> None:
    visitor.open("chat")
    visitor.page.evaluate(_WATCH)

    say(visitor.page, "你为什么爱哭？")
    visitor.sees("her own lines · placeholder voice")
    visitor.settled()

    talk = house.services.store.talks.conversations(house.persona)[0]
    reply = house.services.store.talks.messages(talk.id)[-1]
    assert reply.speaker is Speaker.PERSONA
    assert (reply.backend, reply.voice) == ("retrieval", "formant")
    expect(visitor.page.get_by_test_id("stChatMessage").last).to_contain_text(reply.text)
    assert len(visitor.page.evaluate("window.lengths")) >= 3, "the words came one by one"
    heard = visitor.page.evaluate("window.heard")
    assert sum(chunk["seconds"] for chunk in heard) > 1
    for earlier, later in pairwise(heard):
        assert later["at"] >= earlier["at"] + earlier["seconds"] - 0.001, "no chunk speaks over another"
    visitor.page.wait_for_function("window.studioSpeech.context.currentTime > window.heard[0].at", timeout=PATIENCE)


@pytest.mark.slow
def test_a_talk_is_there_after_a_reload_and_can_be_heard_again(visitor: Visitor) -> None:
    visitor.open("chat")
    say(visitor.page, "你住在哪里？")
    visitor.sees("her own lines · placeholder voice")
    visitor.settled()
    words = visitor.page.get_by_test_id("stChatMessage").last.locator("[data-testid=stMarkdown]").first.inner_text()

    visitor.reload()
    visitor.sees(words)
    visitor.sees("你住在哪里？")
    assert visitor.page.evaluate("window.heard.length") == 0, "nothing speaks up by itself"
    visitor.press("Hear it again")

    visitor.page.wait_for_function("window.heard.length == 1", timeout=PATIENCE)


@pytest.mark.slow
def test_one_click_leads_from_a_reply_to_the_sentence_in_the_book(visitor: Visitor) -> None:
    visitor.open("chat")
    say(visitor.page, "这船太小，只坐得下一句话。哪一句？")
    visitor.sees("her own lines · placeholder voice")
    visitor.settled()

    visitor.press("Why this?")
    visitor.sees("This is a line of the book:")
    visitor.page.get_by_role("link", name="Read it in its passage").click()

    expect(visitor.page.locator(".reader mark.chosen")).to_be_visible(timeout=PATIENCE)
    visitor.settled()
    assert visitor.title() == "Corpus"
