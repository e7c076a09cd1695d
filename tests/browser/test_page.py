"""What the page bears: odd input, many tabs, no mouse, no eyes, small screens, and that the sandbox goes away."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE, Theatre, Visitor

AXE = Axe()
SERIOUS = ("serious", "critical")


def faults(visitor: Visitor) -> list[str]:
    """What axe finds that keeps somebody out."""
    found: list[dict[str, Any]] = AXE.run(visitor.page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in SERIOUS and not one["id"].startswith("region")
    ]


@pytest.mark.parametrize(
    "visitor",
    [{"color_scheme": "light", "bypass_csp": True}, {"color_scheme": "dark", "bypass_csp": True}],
    indirect=True,
    ids=["light", "dark"],
)
def test_nobody_is_kept_out(visitor: Visitor) -> None:
    """axe brings a script of its own, for which the page's policy makes way here alone."""
    visitor.say("slack", "@bobbin Show me a list of tips about `wool`.")
    visitor.say("discord", "/ask Compare warp and weft in a table.")
    expect(visitor.answer("discord", "warp")).to_be_visible()
    expect(visitor.lane("tips about")).to_contain_text("shown")
    visitor.lane("tips about").get_by_text("conversation, preset").click()
    visitor.pane("inside").get_by_text("The bot's log").click()
    assert not faults(visitor)
    visitor.row("slack", "tips about").get_by_role("button", name="What can be done").click()
    assert not faults(visitor)
    visitor.page.locator("#menu").get_by_role("button", name="Ask Bobbin").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    assert not faults(visitor)
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)


def test_what_was_done_can_be_saved_as_a_script(visitor: Visitor) -> None:
    visitor.say("slack", "@bobbin Remember the launch.")
    expect(visitor.lane("Remember the launch")).to_contain_text("shown")
    with visitor.page.expect_download() as saved:
        visitor.pane("inside").get_by_role("link", name="as a script").click()
    assert "slack ada #general: @bobbin Remember the launch." in saved.value.path().read_text(encoding="utf-8")


def test_everything_can_be_done_without_a_mouse(visitor: Visitor) -> None:
    keyboard = visitor.page.keyboard
    keyboard.press("F6")
    expect(visitor.pane("slack")).to_be_focused()
    keyboard.press("F6")
    expect(visitor.pane("discord")).to_be_focused()
    keyboard.press("Shift+F6")
    expect(visitor.pane("slack")).to_be_focused()
    box = visitor.pane("slack").locator(".composer textarea")
    for _ in range(60):
        keyboard.press("Tab")
        if box.evaluate("one => one === document.activeElement"):
            break
    keyboard.type("@bobbin say exactly: keys alone")
    keyboard.press("Enter")
    expect(visitor.answer("slack", "keys alone")).to_be_visible()
    keyboard.press("ArrowUp")
    expect(box).to_have_value("@bobbin say exactly: keys alone")
    keyboard.press("Escape")
    expect(box).to_have_value("")
    more = visitor.answer("slack", "keys alone").get_by_role("button", name="What can be done")
    more.focus()
    keyboard.press("Enter")
    expect(visitor.page.locator("#menu").get_by_role("button", name="Reply in thread")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(visitor.page.locator("#menu").get_by_role("button", name="Ask Bobbin about")).to_be_focused()
    keyboard.press("Enter")
    expect(visitor.page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)


def test_an_answer_is_announced_and_not_read_out_while_it_grows(visitor: Visitor) -> None:
    visitor.page.evaluate(
        """() => { window.heard = [];
        new MutationObserver(() => window.heard.push(document.getElementById('said').textContent))
            .observe(document.getElementById('said'), {childList: true, characterData: true, subtree: true}); }"""
    )
    visitor.say("slack", "@bobbin Write 60 words about felt.")
    expect(visitor.lane("60 words about felt").locator(".badge")).to_have_text("answered")
    expect(visitor.page.locator("#said")).to_have_text("Bobbin has answered ada on Slack")
    heard = visitor.page.evaluate("window.heard.filter((one) => one)")
    assert heard == ["Bobbin is answering ada on Slack", "Bobbin has answered ada on Slack"]
    live = visitor.page.locator("[aria-live], [role=status], [role=alert], [role=log]")
    assert "felt" not in " ".join(live.all_text_contents())


@pytest.mark.parametrize("visitor", [{"viewport": PHONE, "has_touch": True}], indirect=True, ids=["phone"])
def test_a_phone_shows_a_pane_at_a_time(visitor: Visitor) -> None:
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for name in ("Discord", "Inside", "Slack"):
        visitor.page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(visitor.pane(name.lower())).to_be_in_viewport(ratio=0.9)
    visitor.say("slack", "@bobbin Show me how to sort words in Python.")
    expect(visitor.answer("slack", "def tidy")).to_be_visible()
    expect(visitor.lane("sort words")).to_contain_text("shown")
    visitor.picture("sandbox-phone")
    boxes = visitor.page.evaluate(
        "[...document.querySelectorAll('#slack :not(pre *)')].map((one) => one.getBoundingClientRect().right)"
    )
    assert max(boxes) <= PHONE["width"] + 1


def test_words_never_become_markup_nor_turn_the_page_round(visitor: Visitor) -> None:
    hostile = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>\u202etxt.exe\u2066 ]('
    for pane in ("slack", "discord"):
        visitor.say(pane, f"@bobbin say exactly: {hostile}")
        expect(visitor.answer(pane, "txt.exe")).to_be_visible()
        row = visitor.row(pane, "say exactly: <img")
        expect(row).to_contain_text('onerror="window.broken=1"')
        assert row.locator("img, script").count() == 0
        # The sign turns round what it stands in, and no more: the time stands where it always does.
        time, name = row.locator("time").bounding_box(), row.locator(".who bdi").bounding_box()
        assert time["x"] > name["x"]
    visitor.say("discord", "[a](javascript:alert(1)) <javascript:alert(1)> [b](https://example.com) ||hidden||")
    links = visitor.row("discord", "javascript").locator("a")
    expect(links).to_have_attribute("href", "https://example.com")
    assert visitor.page.evaluate("window.broken") is None


def test_what_is_far_too_long_becomes_a_file(visitor: Visitor) -> None:
    box = visitor.pane("slack").locator(".composer textarea")
    box.evaluate(
        """(one) => { const data = new DataTransfer(); data.setData('text/plain', 'wool '.repeat(1024 * 1024));
        one.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})); }"""
    )
    expect(visitor.pane("slack").get_by_role("button", name="Leave out pasted.txt")).to_be_visible()
    expect(box).to_have_value("")
    visitor.say("slack", "five megabytes of it")
    expect(visitor.row("slack", "five megabytes")).to_contain_text("5,120 KB")
    box.evaluate("(one) => { one.value = 'x'.repeat(50000); }")
    visitor.pane("slack").get_by_role("button", name="Send").click()
    expect(visitor.pane("slack").get_by_role("alert")).to_contain_text("Send it as a file")
    box.fill("")
    visitor.pane("slack").get_by_role("button", name="Close").click()


def test_a_page_that_is_left_open_says_so_and_comes_back(visitor: Visitor) -> None:
    theatre = visitor.theatre
    visitor.say("slack", "before it went away")
    port = int(theatre.page.address.rsplit(":", 1)[1].strip("/"))
    theatre.do(theatre.close())
    expect(visitor.page.get_by_role("alert").filter(has_text="The sandbox has ended")).to_be_visible()
    expect(visitor.row("slack", "before it went away")).to_be_visible()
    box = visitor.pane("slack").locator(".composer textarea")
    box.fill("is anybody there?")
    box.press("Enter")
    expect(visitor.pane("slack").get_by_role("alert")).to_contain_text("was not told")
    expect(box).to_have_value("is anybody there?")
    theatre.do(theatre.serve(port))
    expect(visitor.page.get_by_role("alert").filter(has_text="The sandbox has ended")).to_have_count(0)
    box.press("Enter")
    expect(visitor.row("slack", "is anybody there?")).to_be_visible()
    visitor.troubles.clear()  # that it could not be reached meanwhile


def test_twelve_tabs_show_the_same(visitor: Visitor, theatre: Theatre) -> None:
    pages = [visitor.page.context.new_page() for _ in range(11)]
    for page in pages:
        page.goto(theatre.page.address)
    visitor.say("slack", "said to a dozen")
    for page in [visitor.page, *pages]:
        expect(page.locator("#slack li.row").filter(has_text="said to a dozen")).to_be_visible()
        if page is not visitor.page:
            page.close()


def test_with_the_real_service_it_says_what_that_costs(visitor: Visitor, theatre: Theatre) -> None:
    """And nothing is asked by itself."""
    stage, port = theatre.stage, int(theatre.page.address.rsplit(":", 1)[1].strip("/"))
    emulated = stage.upstream
    theatre.do(theatre.close())
    object.__setattr__(stage, "upstream", "https://real.example")
    theatre.do(theatre.serve(port))
    try:
        expect(visitor.page.locator(".stage.real")).to_contain_text("each question costs money")
        expect(visitor.page.locator(".stage.real")).to_contain_text("https://real.example")
        expect(visitor.pane("inside").get_by_role("button", name="AI service down")).to_be_disabled()
        expect(visitor.pane("inside").get_by_role("button", name="Platforms say 429")).to_be_enabled()
    finally:
        theatre.do(theatre.close())
        object.__setattr__(stage, "upstream", emulated)
        theatre.do(theatre.serve(port))
    visitor.troubles.clear()


async def grow(theatre: Theatre) -> None:
    """Fifty answers at once, each ten times a second: more than limits of platforms and of the service let through."""
    slack = theatre.stage.slack
    slack.faults.lose_events = True  # the bot is spared what it would hear of them
    try:
        answers = [await slack.say("bobbin", "random", f"answer {number}:") for number in range(50)]
        for step in range(1, 81):
            for number, answer in enumerate(answers):
                await slack.edit(answer, f"answer {number}: " + "`warp` and *weft*, " * step)
            await asyncio.sleep(0.1)
    finally:
        slack.faults.lose_events = False


def test_ten_thousand_messages_and_fifty_answers_at_once_stay_smooth(browser: Browser, theatre: Theatre) -> None:
    """At least 30 frames a second, on a page that holds the newest alone."""
    slack = theatre.stage.slack

    async def crowd() -> None:
        slack.faults.lose_events = True
        for number in range(10_000):
            await slack.say("ben", "random", f"message {number}")
        slack.faults.lose_events = False

    theatre.do(crowd())
    page = browser.new_page(viewport={"width": 1360, "height": 800})
    page.goto(theatre.page.address)
    page.locator("#slack").get_by_label("Place on").select_option(label="#random")
    expect(page.get_by_text("message 9999")).to_be_visible()
    assert page.locator("#slack li.row").count() <= 200
    expect(page.get_by_role("button", name="Earlier messages")).to_be_visible()

    growing = theatre.begin(grow(theatre))
    expect(page.get_by_text("answer 49:")).to_be_visible()
    measured = page.evaluate(
        """() => new Promise((done) => { const times = []; const begun = performance.now();
        const frame = (at) => { times.push(at);
            if (at - begun < 4000) requestAnimationFrame(frame);
            else done({frames: times.length / (at - begun) * 1000, heap: performance.memory.usedJSHeapSize / 1e6}); };
        requestAnimationFrame(frame); })"""
    )
    if where := os.environ.get("MEASURE_TO"):
        with open(where, "a") as file:  # noqa: PTH123
            file.write(json.dumps(measured) + "\n")
    assert not growing.done()
    growing.result(60)
    assert measured["frames"] >= 30
    assert measured["heap"] < 100  # megabytes
    page.close()
