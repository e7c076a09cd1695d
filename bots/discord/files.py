"""Files in Discord: its links are for anybody, and only for a while.

https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
"""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import discord

from bots.discord.errors import translated
from bots.fetch import fetched, is_among, origin_of
from core.errors import ChatBusy, ChatClosed, ChatError, FileBusy, FileGone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yarl import URL

    from bots.discord.api import Api
    from core.attachment import Attachment
    from core.chat import Opened

HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
LASTS = 3600.0  # seconds that a link should still be good for


@asynccontextmanager
async def opened(attachment: Attachment, api: Api, api_url: str) -> AsyncIterator[Opened]:
    """Fetch a file. Raises a FileError."""
    own = origin_of(api_url)

    def allows(address: URL) -> bool:
        return is_among(address, HOSTS, own)

    async with fetched(attachment, await fresh(attachment.url, api), allows=allows) as found:
        yield found


async def public_link(attachment: Attachment, api: Api) -> str:
    """Return the link as it is, for the next hour, ending in the file's name. Raises a FileError.

    By its end the service decides what a file is. What stands behind the # is never sent to a server.
    """
    return f"{await fresh(attachment.url, api)}#{quote(attachment.name)}"


async def fresh(url: str, api: Api) -> str:
    """Return the link, or one to the same file that is good for longer. Raises a FileError."""
    if _expires(url) > time.time() + LASTS:
        return url
    try:
        with translated():
            async with api.client() as client:
                # Discord's pages say nothing of it; https://github.com/discordjs/discord-api-types does.
                route = discord.http.Route("POST", "/attachments/refresh-urls")
                answer = await client.http.request(route, json={"attachment_urls": [url]})
    except (ChatBusy, ChatClosed) as error:
        raise FileBusy(code=error.code) from None
    except ChatError as error:
        raise FileGone(code=error.code) from None
    match answer:
        case {"refreshed_urls": [{"refreshed": str(refreshed)}, *_]}:
            return refreshed
    raise FileGone(code="not refreshed")


def _expires(url: str) -> float:
    """Return until when a link is good, in seconds since 1970; 0 if it doesn't say."""
    try:
        return int(parse_qs(urlsplit(url).query)["ex"][0], 16)
    except (ValueError, LookupError):
        return 0.0
