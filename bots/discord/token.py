"""Tells the asker that an answer took longer than the command's token, which alone could show it, is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import structlog

from bots.discord.errors import translated
from core.errors import ChatError, facts
from core.language import marked, say

if TYPE_CHECKING:
    from bots.discord.note import Where
    from core.turn import Turn

OVER = marked(
    "I couldn't finish my answer to you in <#{channel}>: Discord lets me write it there for 15 minutes only, and it took "
    "longer. Please ask again. (Reference: `{reference}`)"
)

log = structlog.get_logger(__name__)


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
