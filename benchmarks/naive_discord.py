"""A bot as one writes it in an evening: discord.py, a message that is edited, nothing recorded.

What it does is the least that shows an answer while it comes; what Bobbin takes beyond it is the price of the rest.
"""

from __future__ import annotations

import os
import time

import discord
import yarl

from benchmarks.naive import EVERY, answer

MOST = 2_000  # characters of a message
discord.http.Route.BASE = os.environ["BOBBIN_DISCORD__API_URL"]
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["BOBBIN_DISCORD__GATEWAY_URL"])

intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
client = discord.Client(intents=intents)


@client.event
async def on_ready() -> None:
    print("ready", flush=True)


@client.event
async def on_message(message: discord.Message) -> None:
    if message.author.bot or client.user not in message.mentions:
        return
    thread = await message.create_thread(name=message.clean_content[:50])
    said, text, shown_at = await thread.send("…"), "", time.monotonic()
    async for text in answer(message.content):
        if time.monotonic() - shown_at >= EVERY:
            await said.edit(content=text[:MOST])
            shown_at = time.monotonic()
    await said.edit(content=text[:MOST])
    for start in range(MOST, len(text), MOST):
        await thread.send(text[start : start + MOST])


client.run(os.environ["BOBBIN_DISCORD__TOKEN"], log_handler=None)
