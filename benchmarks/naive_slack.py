"""A bot as one writes it in an evening: slack-bolt, a message that is edited, nothing recorded, no limit minded.

What it does is the least that shows an answer while it comes; what Bobbin takes beyond it is the price of the rest.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from contextlib import suppress
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.naive import EVERY, answer

client = AsyncWebClient(os.environ["BOBBIN_SLACK__BOT_TOKEN"], base_url=os.environ["BOBBIN_SLACK__API_URL"])
app = AsyncApp(client=client)


@app.event("app_mention")
async def on_mention(event: dict[str, Any]) -> None:
    channel, text, shown_at = event["channel"], "", time.monotonic()
    said = await client.chat_postMessage(channel=channel, thread_ts=event["ts"], text="…")
    async for text in answer(event["text"]):
        if time.monotonic() - shown_at >= EVERY:
            shown_at = time.monotonic()
            with suppress(SlackApiError):  # the next edit brings it
                await client.chat_update(channel=channel, ts=said["ts"], text=text)
    await client.chat_update(channel=channel, ts=said["ts"], text=text)


@app.event(re.compile(".*"))
async def on_all_else() -> None:
    """Acknowledge it."""


async def main() -> None:
    await AsyncSocketModeHandler(app, os.environ["BOBBIN_SLACK__APP_TOKEN"]).connect_async()  # type: ignore[no-untyped-call]
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
