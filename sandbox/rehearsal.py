"""The sandbox as the command runs it: the stage, the page, and the terminal where there is no browser."""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from pathlib import Path

import bots
from core.settings import Settings
from sandbox.page.server import served
from sandbox.recording import Recording
from sandbox.stage import Stage, staged
from sandbox.terminal import play, until_ready

# Beside ada, who keeps order, and ben; with their languages, as Slack and as Discord call them.
PEOPLE = (("cleo", "fr-FR", "fr"), ("dana", "de-DE", "de"))


async def rehearse(
    settings: Settings,
    config: Path | None,
    script: tuple[str, str] | None,
    stop: asyncio.Event,
    *,
    in_terminal: bool,
    port: int,
) -> None:
    """Run it until *stop* is set, or until *script* (a file's name and text) is played. Raises SetupError."""
    async with staged(settings, config) as stage:
        people_it(stage)
        recording = Recording(stage)
        if script:
            await play(stage, recording, script, stop)
            return
        async with served(stage, recording, port=port, version=bots.__version__) as page:
            print(f"The page        {page.address}", flush=True)
            is_open = not in_terminal and await asyncio.to_thread(open_browser, page.address)
            going = asyncio.create_task(_until_stopped(stage, stop) if is_open else play(stage, recording, None, stop))
            done, _ = await asyncio.wait({going, page.watching}, return_when=asyncio.FIRST_COMPLETED)
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
            for task in done:
                task.result()


def people_it(stage: Stage) -> None:
    """Bring those in who may less than others, and speak another language; open everybody's direct messages."""
    for name, on_slack, on_discord in PEOPLE:
        person = stage.slack.add_user(name, is_guest=name == "cleo", locale=on_slack)
        for channel in ("general", "random"):
            stage.slack.join(person, channel)
        stage.discord.add_user(name).locale = on_discord
    for user in [one for one in stage.slack.users.values() if not one.is_bot]:
        stage.slack.open_dm(user)
        stage.discord.open_dm(user.name)


def open_browser(address: str) -> bool:
    """Open the page where somebody sees it; return whether that was tried.

    Not where nobody sits at a terminal, as in CI, and not in a browser that would take the terminal over.
    """
    if not sys.stdin.isatty():
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if type(browser) is webbrowser.GenericBrowser:
        return False
    browser.open(address)  # what it returns says whether its starter still ran a moment later
    return True


async def _until_stopped(stage: Stage, stop: asyncio.Event) -> None:
    print("Opening it in your browser; if none comes up, open that address yourself. Ctrl-C ends it all.", flush=True)
    print("`--terminal` lets you type here instead.", flush=True)
    await until_ready(stage)
    await stop.wait()
