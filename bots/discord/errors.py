"""Discord's refusals, translated to what they mean for the turn that met them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import discord

from core.errors import ChatBusy, ChatClosed, ChatError, ChatForbidden, ChatRejected, ThreadGone

if TYPE_CHECKING:
    from collections.abc import Iterator

# All codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
THREAD_EXISTS = 160004
ARCHIVED = 50083
TOKEN_GONE = frozenset({10008, 10015, UNKNOWN_INTERACTION, 50027})  # of an interaction: never acknowledged, or expired

_GONE = frozenset(
    {10003, 10004, 10007, UNKNOWN_MESSAGE, 10013, 10015, UNKNOWN_INTERACTION, 50027, 50033, ARCHIVED, 160005}
)
_FORBIDDEN = frozenset({20009, 40333, 50001, 50007, 50009, 50013, 50278, 160002, 200000, 200001, 240000, 400001})
_CLOSED = frozenset({50014})
_BUSY = frozenset({20028, 20029, 30046, 40003, 40004, 40006, 110000, 130000})
_REJECTED = frozenset({40005, 40060, 40094, 50005, 50006, 50035, 50045, THREAD_EXISTS, 160006})

# 30046, too many edits of a message older than an hour: no rate is published, so try rarely.
OLD_EDITS = 30046
OLD_EDITS_PAUSE = 600.0  # seconds

NETWORK = (OSError, aiohttp.ClientError)


@contextmanager
def translated() -> Iterator[None]:
    """Raise a ChatError for whatever discord.py raises in the body."""
    try:
        yield
    except (discord.DiscordException, *NETWORK) as error:
        raise translate(error) from error


def translate(error: Exception) -> ChatError:
    match error:
        case discord.LoginFailure():
            return ChatClosed("the token is not accepted", code="401")
        case discord.RateLimited():
            return ChatBusy("rate limited", code="429", retry_after=error.retry_after)
        case discord.HTTPException():
            wait = OLD_EDITS_PAUSE if error.code == OLD_EDITS else None
            kind = meaning(error.code, error.status)
            return kind(error.text, code=str(error.code or error.status), retry_after=wait)
        case discord.DiscordException():
            return ChatRejected(str(error), code=type(error).__name__)
        case _:
            return ChatBusy(type(error).__name__, code="unreachable")


def meaning(code: int, status: int) -> type[ChatError]:
    """Say what Discord's *code* means; an unknown one by the HTTP *status*."""
    for codes, kind in (
        (_GONE, ThreadGone),
        (_FORBIDDEN, ChatForbidden),
        (_CLOSED, ChatClosed),
        (_BUSY, ChatBusy),
        (_REJECTED, ChatRejected),
    ):
        if code in codes:
            return kind
    if status == 429 or status >= 500:
        return ChatBusy
    if status == 401:
        return ChatClosed
    if status == 403:
        return ChatForbidden
    return ThreadGone if status == 404 else ChatRejected
