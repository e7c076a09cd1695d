"""The button under an answer that asks for a new one, and reading clicks on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from bots.listening.events import Clicked
from core.errors import Refused
from core.turn import QuestionKey

if TYPE_CHECKING:
    from bots.discord.commands import Interaction

# The button itself says what it is for, so that it works after a restart. At most 100 characters:
# https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
_CUSTOM_ID = re.compile(r"again(?P<attempt>\d{1,7})?:(?P<channel>\d{1,20}):(?P<key>[\w:/]{1,64})", re.ASCII)
ELSEWHERE = "This button works only where the question was asked."


def again(label: str, channel: int, question: QuestionKey, attempt: int) -> discord.ui.View:
    """Return the button *label* for the answer to *question* that stands in *channel*, and is of that *attempt*."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label=label, custom_id=f"again{attempt}:{channel}:{question}"))
    # discord.py would keep every view that it sends in memory, for good. Clicks come to us as events.
    view.stop()
    return view


def read_click(interaction: Interaction) -> Clicked | None:
    """Read a click on our button; None for what is none of ours. Raises Refused for one where it doesn't belong."""
    wish = _CUSTOM_ID.fullmatch(str(interaction.data and interaction.data.get("custom_id")))
    if interaction.type is not discord.InteractionType.component or wish is None:
        return None
    is_ours = interaction.message is not None and interaction.message.author == interaction.client.user
    if not is_ours or int(wish["channel"]) != interaction.channel_id:
        raise Refused(ELSEWHERE)
    # Earlier versions put buttons there that don't say of which attempt they are.
    attempt = int(wish["attempt"]) if wish["attempt"] else None
    return Clicked(QuestionKey(wish["key"]), attempt, by=str(interaction.user.id))
