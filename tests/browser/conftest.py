"""The sandbox with its real bot, and a browser that looks at its page: Debian's Chromium.

The stage runs in a thread of its own, one for all tests; each of them begins with a new page and asks words of its own.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from bots import platforms
from sandbox.page.server import Served, served
from sandbox.rehearsal import people_it
from sandbox.stage import Stage, staged

T = TypeVar("T")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# As root it has no sandbox of its own, and here it has nothing to look for elsewhere.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000  # milliseconds: the machine may be busy
WIDE: ViewportSize = {"width": 1280, "height": 760}
PHONE: ViewportSize = {"width": 390, "height": 760}
PICTURES = Path(__file__).parents[2] / "docs/images"
TAKES_PICTURES = os.environ.get("TAKE_PICTURES") == "1"  # anew, into docs/images
expect.set_options(timeout=PATIENCE)


class Theatre:
    """The stage and its page, reached from outside of their loop."""

    def __init__(self) -> None:
        self.stage: Stage
        self.page: Served
        self._loop = asyncio.new_event_loop()
        self._up, self._down = threading.Event(), asyncio.Event()
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._serving: AsyncExitStack

    def start(self) -> None:
        self._thread.start()
        self._up.wait()
        if self._trouble:
            raise self._trouble

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._down.set)
        self._thread.join()

    def do(self, act: Coroutine[Any, Any, T]) -> T:
        return self.begin(act).result(60)

    def begin(self, act: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(act, self._loop)

    def ask(self, what: Callable[[], T]) -> T:
        async def answer() -> T:
            return what()

        return self.do(answer())

    async def serve(self, port: int = 0) -> None:
        self._serving = AsyncExitStack()
        self.page = await self._serving.enter_async_context(served(self.stage, port=port, version="0.0.0"))

    async def close(self) -> None:
        await self._serving.aclose()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:  # noqa: BLE001  # for the one who waits
            self._trouble = error
            self._up.set()

    async def _live(self) -> None:
        async with staged(platforms.settings()) as self.stage:
            people_it(self.stage)
            await self.serve()
            await self.stage.until_ready()
            self._up.set()
            await self._down.wait()
            await self.close()


@pytest.fixture(scope="session")
def theatre() -> Iterator[Theatre]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPEN_PER_PERSON", "PER_PERSON_MINUTE", "PER_CHANNEL_MINUTE"):
            patch.setenv(f"BOBBIN_LIMITS__{name}", "1000")  # the tests ask more than their people would
        theatre = Theatre()
        theatre.start()
        yield theatre
        theatre.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("NEEDS_CHROMIUM") == "1":
            pytest.fail("There is no Chromium, and this run has to have one.")
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody at the page."""

    page: Page
    theatre: Theatre
    troubles: list[str] = field(default_factory=list)  # which the browser reports

    def open(self) -> None:
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", self._look)
        self.page.goto(self.theatre.page.address)
        expect(self.page.get_by_role("status").filter(has_text="The bot runs")).to_be_visible()
        if self.page.get_by_role("dialog").count():  # left behind by who came before
            self.page.keyboard.press("Escape")
            expect(self.page.get_by_role("dialog")).to_have_count(0)

    def pane(self, name: str) -> Any:
        return self.page.locator(f"#{name}")

    def act_as(self, person: str) -> None:
        self.page.get_by_label("Act as").select_option(person)

    def go_to(self, pane: str, place: str) -> None:
        self.pane(pane).get_by_label("Place on").select_option(label=place)

    def say(self, pane: str, text: str) -> None:
        box = self.pane(pane).locator(".composer textarea")
        box.fill(text)
        box.press("Escape") if text.startswith("/") else None
        self.pane(pane).get_by_role("button", name="Send").click()
        expect(box).to_have_value("")

    def row(self, pane: str, text: str) -> Any:
        """The newest message with that text."""
        return self.pane(pane).locator("li.row:not(.thread)").filter(has_text=text).last

    def answer(self, pane: str, text: str) -> Any:
        """The newest answer of the bot with that text."""
        app = self.page.locator(".badge", has_text="app")
        return self.pane(pane).locator("li.row").filter(has=app).filter(has_text=text).last

    def menu(self, pane: str, text: str, entry: str) -> None:
        self.row(pane, text).get_by_role("button", name="What can be done").click()
        self.page.locator("#menu").get_by_role("button", name=entry).click()

    def lane(self, text: str) -> Any:
        return self.page.locator("li.lane").filter(has_text=text).first

    def picture(self, name: str) -> None:
        """Take it for the documentation, if this run is for that."""
        if TAKES_PICTURES:
            self.page.screenshot(path=PICTURES / f"{name}.png")

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "WebSocket" not in message.text:
            self.troubles.append(message.text)

    def _look(self, request: Any) -> None:
        if urlsplit(request.url).hostname not in (None, "127.0.0.1"):
            self.troubles.append(f"it asks {request.url}")


@pytest.fixture
def visitor(browser: Browser, theatre: Theatre, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    more: dict[str, Any] = {"viewport": WIDE, "locale": "en-GB", **getattr(request, "param", {})}
    context = browser.new_context(**more)
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page(), theatre)
    visitor.open()
    yield visitor
    context.close()
    assert not visitor.troubles
