"""The button under an answer, by which people have it answered anew, and what a click on it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from bots.discord.commands import explain, recorded_in_time, tell
from bots.discord.errors import overlooking
from core.turn import QuestionKey

if TYPE_CHECKING:
    from bots.discord.commands import Interaction
    from core.relay import Relay

# The button itself says what it is for, so that it works after a restart. At most 100 characters:
# https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
_CUSTOM_ID = re.compile(r"again(?P<attempt>\d{1,7})?:(?P<channel>\d{1,20}):(?P<key>[\w:/]{1,64})", re.ASCII)
NO_SUCH_QUESTION = "I can't find that question any more. Please ask it again."
ELSEWHERE = "This button works only where the question was asked."


def again(label: str, channel: int, question: QuestionKey, attempt: int) -> discord.ui.View:
    """Return the button *label* for the answer to *question* that stands in *channel*, and is of that *attempt*."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label=label, custom_id=f"again{attempt}:{channel}:{question}"))
    # discord.py would keep every view that it sends in memory, for good. Clicks come to us as events.
    view.stop()
    return view


async def take_click(interaction: Interaction, relay: Relay) -> None:
    """Have a question answered anew, if that is what was clicked."""
    if interaction.type is not discord.InteractionType.component:
        return
    if not (wish := _CUSTOM_ID.fullmatch(str(interaction.data and interaction.data.get("custom_id")))):
        return
    try:
        if not _is_ours(interaction) or int(wish["channel"]) != interaction.channel_id:
            await tell(interaction, ELSEWHERE, ephemeral=True)
            return
        async with recorded_in_time():
            # Earlier versions put buttons there that don't say of which attempt they are.
            attempt = int(wish["attempt"]) if wish["attempt"] else None
            is_known = await relay.again(QuestionKey(wish["key"]), of_attempt=attempt)
        if is_known:
            with overlooking():
                await interaction.response.defer()
        else:
            await tell(interaction, NO_SUCH_QUESTION, ephemeral=True)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is logged, and who clicked is told)
        await explain(interaction, error)


def _is_ours(interaction: Interaction) -> bool:
    return interaction.message is not None and interaction.message.author == interaction.client.user
