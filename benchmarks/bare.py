"""The least that a bot can be, as what ours is compared with: a platform's library, an HTTP client, SQLAlchemy; connected."""

from __future__ import annotations

import asyncio
import os
import sys

import httpx
import sqlalchemy

NEEDS = (httpx, sqlalchemy)  # loaded, and not used


async def slack() -> None:
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler  # noqa: PLC0415
    from slack_bolt.async_app import AsyncApp  # noqa: PLC0415
    from slack_sdk.web.async_client import AsyncWebClient  # noqa: PLC0415

    client = AsyncWebClient(os.environ["BOBBIN_SLACK__BOT_TOKEN"], base_url=os.environ["BOBBIN_SLACK__API_URL"])
    handler = AsyncSocketModeHandler(AsyncApp(client=client), os.environ["BOBBIN_SLACK__APP_TOKEN"])
    await handler.connect_async()  # type: ignore[no-untyped-call]
    print("ready", flush=True)
    await asyncio.Event().wait()


async def discord() -> None:
    import discord  # noqa: PLC0415
    import yarl  # noqa: PLC0415

    class Client(discord.Client):
        async def on_ready(self) -> None:
            print("ready", flush=True)

    discord.http.Route.BASE = os.environ["BOBBIN_DISCORD__API_URL"]
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["BOBBIN_DISCORD__GATEWAY_URL"])
    intents = discord.Intents.default()
    intents.message_content = True
    await Client(intents=intents).start(os.environ["BOBBIN_DISCORD__TOKEN"])


if __name__ == "__main__":
    asyncio.run({"slack": slack, "discord": discord}[sys.argv[1]]())
