"""What a newcomer does on the page, on each platform."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x78\0\0\0\x50"


def test_a_starter_is_answered_in_its_thread_and_the_thread_goes_on(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Remember the launch").click()
    expect(visitor.answer("slack", "the launch is on Friday")).to_be_visible()
    slack = visitor.pane("slack")
    slack.get_by_role("button", name="Write in this thread").last.click()
    expect(slack.get_by_text("In the thread of bobbin")).to_be_visible()
    visitor.say("slack", "What did I tell you?")
    expect(visitor.answer("slack", "You told me:")).to_be_visible()
    lane = visitor.lane("What did I tell you?")
    expect(lane).to_contain_text("shown")
    lane.get_by_text("conversation, preset").click()
    expect(lane.locator("dl")).to_contain_text("gpt-5.1")
    expect(lane.locator("dl")).to_contain_text("set by the deployment")
    expect(lane.locator("pre")).to_contain_text('"stateful": true')


def test_direct_messages_are_ones_own(visitor: Visitor) -> None:
    visitor.go_to("slack", "Direct messages")
    visitor.say("slack", "say exactly: for ada alone")
    expect(visitor.answer("slack", "for ada alone")).to_be_visible()
    visitor.act_as("ben")
    visitor.go_to("slack", "Direct messages")
    expect(visitor.pane("slack").get_by_text("for ada alone")).to_have_count(0)
    visitor.go_to("discord", "Direct messages")
    visitor.say("discord", "say exactly: for ben alone")
    expect(visitor.answer("discord", "for ben alone")).to_be_visible()


def test_an_answer_is_stopped_where_it_grows(visitor: Visitor) -> None:
    """By what each platform has for that."""
    visitor.go_to("slack", "Direct messages")
    visitor.say("slack", "Write 900 words about yarn.")
    expect(visitor.answer("slack", "yarn")).to_be_visible()
    visitor.pane("slack").get_by_role("button", name="Stop").last.click()
    expect(visitor.lane("900 words about yarn").locator(".badge")).to_have_text("stopped")
    visitor.say("discord", "@bobbin Write 900 words about twine.")
    expect(visitor.answer("discord", "twine")).to_be_visible()
    visitor.pane("discord").get_by_role("button", name="Stop").last.click()
    expect(visitor.lane("900 words about twine").locator(".badge")).to_have_text("stopped")


def test_a_command_is_completed_and_answered(visitor: Visitor) -> None:
    box = visitor.pane("discord").locator(".composer textarea")
    box.press_sequentially("/as")
    expect(visitor.pane("discord").get_by_role("option", name="/ask")).to_be_visible()
    box.press("Tab")
    expect(box).to_have_value("/ask ")
    box.press_sequentially("Compare silk and wool in a table.")
    box.press("Enter")
    answer = visitor.answer("discord", "silk")
    expect(answer.get_by_text("Side by side")).to_be_visible()
    expect(visitor.lane("silk and wool")).to_contain_text("shown")


def test_a_mention_is_completed_and_opens_a_thread(visitor: Visitor) -> None:
    box = visitor.pane("discord").locator(".composer textarea")
    box.press_sequentially("@bo")
    box.press("Enter")
    expect(box).to_have_value("@bobbin ")
    box.press_sequentially("say exactly: threads of **strong** wool")
    box.press("Enter")
    answer = visitor.answer("discord", "threads of strong wool")
    expect(answer.locator("strong")).to_have_text("strong")
    visitor.pane("discord").get_by_role("button", name="Write in this thread").last.click()
    visitor.say("discord", "say exactly: and on")
    expect(visitor.answer("discord", "and on")).to_be_visible()


def test_a_forum_post_is_answered(visitor: Visitor) -> None:
    visitor.go_to("discord", "#ideas (forum)")
    visitor.pane("discord").get_by_label("Title of the post").fill("A new loom")
    visitor.say("discord", "@bobbin say exactly: weave on")
    expect(visitor.pane("discord").get_by_text("🧵 A new loom")).to_be_visible()
    expect(visitor.answer("discord", "weave on")).to_be_visible()


@pytest.mark.parametrize("pane", ["slack", "discord"])
def test_a_picture_is_seen(visitor: Visitor, pane: str) -> None:
    picture: Any = {"name": "pump.png", "mimeType": "image/png", "buffer": PNG}
    visitor.go_to(pane, "#random")
    visitor.pane(pane).locator("input[type=file]").set_input_files([picture])
    expect(visitor.pane(pane).get_by_role("button", name="Leave out pump.png")).to_be_visible()
    visitor.say(pane, "@bobbin what is in it?")
    expect(visitor.row(pane, "what is in it?").locator("img[alt='pump.png']")).to_be_visible()
    expect(visitor.answer(pane, "120×80")).to_be_visible()


def test_what_was_asked_in_private_is_shared_on_slack(visitor: Visitor) -> None:
    visitor.go_to("slack", "#random")
    visitor.say("slack", "The 5 V model is out of stock.")
    visitor.menu("slack", "out of stock", "Ask Bobbin about this message")
    form = visitor.page.get_by_role("dialog")
    form.get_by_role("textbox").fill("say exactly: order it elsewhere")
    form.get_by_text("Only for me").click()
    form.get_by_role("button", name="Ask").click()
    expect(form).to_have_count(0)
    visitor.go_to("slack", "Direct messages")  # where Slack keeps what is for one alone
    private = visitor.answer("slack", "order it elsewhere")
    private.get_by_role("button", name="Share").click()
    visitor.act_as("ben")
    visitor.go_to("slack", "#random")
    expect(visitor.answer("slack", "order it elsewhere")).to_be_visible()


def test_what_was_asked_in_private_is_shared_on_discord(visitor: Visitor) -> None:
    visitor.go_to("discord", "#random")
    visitor.say("discord", "The 3 V model is out of stock.")
    visitor.menu("discord", "out of stock", "Ask")
    form = visitor.page.get_by_role("dialog")
    form.get_by_role("textbox").fill("say exactly: it comes on Monday")
    form.get_by_role("combobox").select_option(value="me")
    form.get_by_role("button", name="Submit").click()
    private = visitor.answer("discord", "it comes on Monday")
    expect(private).to_contain_text("only ada sees this")
    private.get_by_role("button", name="Share").click()
    visitor.act_as("ben")
    expect(visitor.answer("discord", "it comes on Monday")).to_be_visible()


def test_people_have_rights_of_their_own(visitor: Visitor) -> None:
    visitor.act_as("cleo")
    visitor.say("slack", "@bobbin preset set brief")
    expect(visitor.answer("slack", "invités")).to_be_visible()


def test_people_are_answered_in_their_language_on_both_platforms(visitor: Visitor) -> None:
    expect(visitor.page.get_by_label("Act as").get_by_role("option", name="dana (member; German)")).to_have_count(1)
    visitor.act_as("cleo")
    visitor.pane("slack").get_by_role("button", name="Ask Bobbin", exact=True).click()
    expect(visitor.page.get_by_role("dialog").get_by_text("Votre question")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    visitor.say("discord", "/preset set name:brief")
    expect(visitor.answer("discord", "préréglage")).to_be_visible()
    visitor.act_as("dana")
    visitor.say("slack", "@bobbin say exactly: auf Deutsch")
    expect(visitor.answer("slack", "auf Deutsch").get_by_role("button", name="Mehr")).to_be_visible()


def test_what_was_done_with_forms_and_older_messages_is_written_down(visitor: Visitor) -> None:
    visitor.go_to("slack", "#random")
    for text in ("The 7 V model is out of stock.", "Really?"):
        visitor.say("slack", text)
    visitor.menu("slack", "7 V model", "Ask Bobbin about this message")
    form = visitor.page.get_by_role("dialog")
    form.get_by_role("textbox").fill("say exactly: until Monday")
    form.get_by_role("button", name="Ask").click()
    expect(form).to_have_count(0)
    expect(visitor.answer("slack", "until Monday")).to_be_visible()
    visitor.menu("slack", "7 V model", "react with eyes")
    expect(visitor.row("slack", "7 V model").get_by_role("button", name="eyes, 1")).to_be_visible()
    with visitor.page.expect_download() as saved:
        visitor.pane("inside").get_by_role("link", name="as a script").click()
    written = saved.value.path().read_text(encoding="utf-8")
    assert "slack ada #random back 1: :menu Ask Bobbin about this message\n" in written
    assert "slack ada form: :fill Your question = say exactly: until Monday\nslack ada form: :send\n" in written
    assert "slack ada #random back 1: :react eyes\n" in written


def test_what_somebody_said_is_changed_and_taken_back(visitor: Visitor) -> None:
    visitor.go_to("slack", "#random")
    visitor.say("slack", "nothing but *wool*")
    box = visitor.pane("slack").locator(".composer textarea")
    box.press("ArrowUp")
    expect(box).to_have_value("nothing but *wool*")
    box.fill("nothing but silk")
    box.press("Enter")
    expect(visitor.row("slack", "nothing but silk")).to_contain_text("edited")
    visitor.menu("slack", "nothing but silk", "react with eyes")
    expect(visitor.row("slack", "nothing but silk").get_by_role("button", name="eyes, 1")).to_be_visible()
    visitor.menu("slack", "nothing but silk", "Delete")
    expect(visitor.row("slack", "nothing but silk")).to_have_count(0)
