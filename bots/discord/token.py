"""Knows whether the token of a command is still good, and what to do about an answer that only this token could show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import discord
import structlog

from bots.discord.errors import translated
from core.errors import ChatError, facts
from core.language import marked, say

if TYPE_CHECKING:
    from bots.discord.note import Where
    from core.secret_box import SecretBox
    from core.turn import Turn

OVER = marked(
    "I couldn't finish my answer to you in <#{channel}>: Discord lets me write it there for 15 minutes only, and it took "
    "longer. Please ask again. (Reference: `{reference}`)"
)
CLOSED = marked("I can't write that answer again: Discord lets me change it for 15 minutes only. Please ask again.")

log = structlog.get_logger(__name__)


def opened(where: Where, secret_box: SecretBox) -> str | None:
    """Return the token itself, None if it is not, or no longer, for us to use."""
    if where.token is None or time.time() > where.token.until:
        return None
    return secret_box.open(where.token.sealed)


async def tell_over(client: discord.Client, turn: Turn, where: Where, nonce: str) -> None:
    """Tell the asker of *turn* alone, since nobody else was to see it; where they take no messages, nobody is told.

    With its *nonce* it is said once, however often it is told.
    """
    if turn.is_withdrawn:
        return
    try:
        with translated():
            private = await client.create_dm(discord.Object(int(turn.question.asker)))
            await private.send(say(OVER, channel=where.channel, reference=turn.reference), nonce=nonce)
    except ChatError as refusal:
        log.warning("nobody can be told that the time for an answer is over", turn=turn.id, **facts(refusal))
