"""The buttons under an answer, which ask for a new one or share it, and reading clicks on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from bots.discord.events import around, is_foreign
from bots.discord.ids import thread_in
from bots.discord.note import Token, Where
from bots.listening.events import Clicked, Shared
from bots.reply.note import Note
from bots.reply.page import Button, Wish
from core.errors import NotAllowed, Refused
from core.language import marked, say
from core.turn import QuestionKey

if TYPE_CHECKING:
    from bots.discord.commands import Interaction

# The button itself says what it is for, so that it works after a restart. At most 100 characters:
# https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
_KEY = r"(?P<channel>\d{1,20}):(?P<key>[\w:/]{1,64})"
_AGAIN = re.compile(rf"again(?P<attempt>\d{{1,7}})?:{_KEY}", re.ASCII)
_SHARE = re.compile(rf"share(?P<about>\d{{1,20}})?:{_KEY}", re.ASCII)
ELSEWHERE = marked("This button works only where the question was asked.")
NOT_YOURS = marked("I can't share that under your name: you aren't allowed to write here.")
NOT_MINE = marked("I can't share that: I'm not allowed to write here. Ask somebody who manages this channel to let me.")
NOT_SEEN = marked(
    "I can't share that: here, only you see what I say. Ask somebody who manages this server to add me to it."
)


def button(wanted: Button, where: Where, question: QuestionKey) -> discord.ui.View:
    """Return the button that is *wanted* under the answer to *question* that stands in *where*."""
    what = f"share{where.about or ''}" if wanted.wish is Wish.SHARE else f"again{wanted.attempt}"
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label=wanted.label, custom_id=f"{what}:{where.channel}:{question}"))
    # discord.py would keep every view that it sends in memory, for good. Clicks come to us as events.
    view.stop()
    return view


def read_click(interaction: Interaction) -> Clicked | None:
    """Read a click that asks for a new answer; None for any other. Raises Refused for one where it doesn't belong."""
    wish = _pressed(interaction, _AGAIN)
    if wish is None:
        return None
    # Earlier versions put buttons there that don't say of which attempt they are.
    attempt = int(wish["attempt"]) if wish["attempt"] else None
    return Clicked(QuestionKey(wish["key"]), attempt, by=str(interaction.user.id))


def read_share(interaction: Interaction, token: Token) -> Shared | None:
    """Read a click on Share; None for any other. Raises Refused where it can't be shared.

    *token* is the click's own, good for as long as the answer takes to be shown.
    """
    wish = _pressed(interaction, _SHARE)
    if wish is None:
        return None
    foreign, is_thread = is_foreign(interaction), isinstance(interaction.channel, discord.Thread)
    if refusal := _refusal(interaction, foreign=foreign, is_thread=is_thread):
        raise NotAllowed(say(refusal))
    channel = int(wish["channel"])
    # In a channel, it begins a conversation of its own.
    begun = 0 if is_thread and not foreign else interaction.id
    thread = thread_in(interaction.guild_id, channel, around(interaction.channel, channel), command=begun)
    if foreign:
        where = Where(channel=channel, token=token, is_foreign=True)
    else:
        where = Where(channel=channel, reply_to=int(wish["about"]) if wish["about"] else None)
    return Shared(QuestionKey(wish["key"]), str(interaction.user.id), thread, Note(where))


def _pressed(interaction: Interaction, kind: re.Pattern[str]) -> re.Match[str] | None:
    wish = kind.fullmatch(str(interaction.data and interaction.data.get("custom_id")))
    if interaction.type is not discord.InteractionType.component or wish is None:
        return None
    is_ours = interaction.message is not None and interaction.message.author == interaction.client.user
    if not is_ours or int(wish["channel"]) != interaction.channel_id:
        raise Refused(say(ELSEWHERE))
    return wish


def _refusal(interaction: Interaction, *, foreign: bool, is_thread: bool) -> str:
    """Say why it can't be shared; empty if it can. What the click itself tells is enough to know."""
    if interaction.guild_id is None:
        return ""
    if not _may_write(interaction.permissions, is_thread=is_thread):
        return NOT_YOURS
    if foreign:
        return "" if interaction.permissions.use_external_apps else NOT_SEEN
    return "" if _may_write(interaction.app_permissions, is_thread=is_thread) else NOT_MINE


def _may_write(allowed: discord.Permissions, *, is_thread: bool) -> bool:
    return allowed.send_messages_in_threads if is_thread else allowed.send_messages
