"""What can be made to go wrong on the page, and what people see of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Theatre, Visitor


@pytest.fixture(autouse=True)
def all_is_well_again(theatre: Theatre) -> Iterator[None]:
    yield
    theatre.ask(theatre.stage.emulator.faults.clear)
    theatre.do(theatre.stage.bot.start())
    theatre.do(theatre.stage.until_ready())
    theatre.stage.slack.faults.redeliver = 0


def switch(visitor: Visitor, name: str, *, on: bool | None = None) -> None:
    button = visitor.pane("inside").get_by_role("button", name=name)
    button.click()
    if on is not None:
        expect(button).to_have_attribute("aria-pressed", str(on).lower())


def test_a_kill_in_the_middle_of_an_answer_changes_nothing_about_it(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Compare tea").click()
    expect(visitor.lane("Compare tea")).to_contain_text("shown")
    visitor.page.get_by_role("button", name="Write 200 words").click()
    lane = visitor.lane("Write 200 words about looms")
    expect(lane).to_contain_text("first text")
    expect(visitor.answer("slack", "looms")).to_be_visible()
    visitor.page.locator("header.top").get_by_role("button", name="Kill the bot").click()
    expect(visitor.page.get_by_role("status").filter(has_text="The bot is dead")).to_be_visible()
    before = visitor.pane("slack").locator("li.row").count()
    visitor.page.locator("header.top").get_by_role("button", name="Start it again").click()
    expect(lane).to_contain_text("killed")
    expect(lane).to_contain_text("went on")
    expect(lane.locator(".badge")).to_have_text("answered")
    assert visitor.pane("slack").locator("li.row").count() == before
    rows = visitor.theatre.ask(visitor.theatre.stage.ledger.turns)
    [row] = [one for one in rows if "200 words about looms" in one.question]
    assert (row.attempt, row.status) == (2, "answered")
    visitor.page.mouse.move(5, 400)
    visitor.pane("slack").locator(".scroll").evaluate("(one) => { one.scrollTop = 0; }")  # to the question
    visitor.picture("sandbox")


def test_a_shortcut_to_a_bot_that_is_dead_is_refused_with_a_sentence(visitor: Visitor) -> None:
    switch(visitor, "Kill the bot")
    expect(visitor.page.get_by_role("status").filter(has_text="The bot is dead")).to_be_visible()
    visitor.pane("slack").get_by_role("button", name="Ask Bobbin", exact=True).click()
    expect(visitor.pane("slack").get_by_role("alert")).to_contain_text("The bot has not answered in time")


def test_a_service_that_is_down_is_waited_for(visitor: Visitor) -> None:
    switch(visitor, "AI service down", on=True)
    visitor.say("slack", "@bobbin say exactly: it is back")
    lane = visitor.lane("it is back")
    expect(lane.locator(".marks").get_by_text("asked").nth(1)).to_be_visible()
    switch(visitor, "AI service down", on=False)
    expect(visitor.answer("slack", "it is back")).to_be_visible()
    expect(lane.locator(".badge")).to_have_text("answered")


def test_an_answer_that_is_cut_goes_on(visitor: Visitor) -> None:
    switch(visitor, "Cut the next answer", on=True)
    visitor.say("slack", "@bobbin Write 120 words about silk.")
    lane = visitor.lane("120 words about silk")
    expect(lane.locator(".badge")).to_have_text("answered")
    lane.get_by_text("conversation, preset").click()
    expect(lane).to_contain_text("cut")
    expect(lane).to_contain_text("sent 2")


def test_a_service_that_forgets_is_told_again(visitor: Visitor) -> None:
    visitor.say("slack", "@bobbin My favourite colour is teal.")
    expect(visitor.answer("slack", "favourite colour is teal")).to_be_visible()
    switch(visitor, "AI service forgets")
    visitor.pane("slack").get_by_role("button", name="Write in this thread").last.click()
    visitor.say("slack", "What is my favourite colour?")
    expect(visitor.answer("slack", "Your favourite colour is teal")).to_be_visible()
    lane = visitor.lane("What is my favourite colour?")
    lane.get_by_text("conversation, preset").click()
    expect(lane).to_contain_text("404")


def test_platforms_that_refuse_are_waited_for(visitor: Visitor) -> None:
    switch(visitor, "Platforms say 429", on=True)
    visitor.say("slack", "@bobbin say exactly: late but whole")
    visitor.say("discord", "@bobbin say exactly: late but whole as well")
    expect(visitor.answer("slack", "late but whole")).to_be_visible()
    expect(visitor.answer("discord", "late but whole as well")).to_be_visible()


def test_what_comes_again_is_answered_once(visitor: Visitor) -> None:
    switch(visitor, "Everything comes again", on=True)
    for pane in ("slack", "discord"):
        visitor.say(pane, "@bobbin say exactly: once only")
        expect(visitor.answer(pane, "once only")).to_be_visible()
    visitor.theatre.do(visitor.theatre.stage.ledger.idle())
    deliveries = visitor.theatre.ask(lambda: len(visitor.theatre.stage.slack.deliveries))
    assert deliveries
    rows = visitor.theatre.ask(visitor.theatre.stage.ledger.turns)
    assert len([one for one in rows if "once only" in one.question]) == 2
