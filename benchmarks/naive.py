"""What the naive bots share: the stream of an answer from the AI service."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator

import aiohttp

EVERY = 1.0  # seconds between two edits of an answer, whatever the platform allows


async def answer(question: str) -> AsyncIterator[str]:
    """All that has come so far, each time that more has."""
    url = os.environ["BOBBIN_UPSTREAM__URL"] + "/aichat/conversations"
    headers = {"Authorization": "Bearer any", "Accept": "application/x-ndjson"}
    body = {"model": "gpt-5.1", "question": question, "stateful": True}
    session = aiohttp.ClientSession(read_bufsize=2**20)  # a line of a long answer is long
    async with session, session.post(url, json=body, headers=headers) as response:
        async for line in response.content:
            yield json.loads(line)["answer"]
