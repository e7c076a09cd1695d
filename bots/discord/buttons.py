"""Lays out the buttons under an answer, and reads clicks on them; `bots.listening` obeys these."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import discord

from bots.discord.events import around, is_foreign
from bots.discord.ids import thread_in
from bots.discord.note import Token, Where
from bots.listening.events import Clicked, Shared
from bots.reply.note import Note
from bots.reply.page import Button, Wish
from core.errors import NotAllowed, Refused
from core.language import marked, say
from core.thread import PlaceId
from core.turn import QuestionKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bots.discord.tree import Interaction

# A button itself says what it is for, so that it works after a restart: what is wanted, for which attempt (of Share:
# about which message), of which question, and until when it is of no use. At most 100 characters:
# https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
_BUTTON = re.compile(
    r"(?P<wish>[a-z]{1,16})(?P<number>\d{1,20})?(?:@(?P<until>\d{1,10}))?:(?P<channel>\d{1,20}):(?P<key>[\w:/]{1,64})",
    re.ASCII,
)
_WISHES = frozenset(wish.value for wish in Wish)
ELSEWHERE = marked("This button works only where the question was asked.")
NOT_YOURS = marked("I can't share that under your name: you aren't allowed to write here.")
NOT_MINE = marked("I can't share that: I'm not allowed to write here. Ask somebody who manages this channel to let me.")
NOT_SEEN = marked(
    "I can't share that: here, only you see what I say. Ask somebody who manages this server to add me to it."
)


def row_of(wanted: Iterable[Button], where: Where, question: QuestionKey) -> discord.ui.View:
    """Return the buttons that are *wanted* under the answer to *question* that stands in *where*."""
    view = discord.ui.View(timeout=None)
    for one in wanted:
        view.add_item(button(one, where.channel, question, about=where.about))
    # discord.py would keep every view that it sends in memory, for good. Clicks come to us as events.
    view.stop()
    return view


def button(wanted: Button, channel: int, question: QuestionKey, *, about: int | None = None) -> discord.ui.Button[Any]:
    number = about or "" if wanted.wish is Wish.SHARE else wanted.attempt
    until = f"@{wanted.helps_at}" if wanted.helps_at else ""
    custom_id = f"{wanted.wish.value}{number}{until}:{channel}:{question}"
    return discord.ui.Button(label=wanted.label, custom_id=custom_id)


def read_click(interaction: Interaction) -> Clicked | None:
    """Read a click, but for those on Share; None for any other. Raises Refused for one where it doesn't belong."""
    pressed = _pressed(interaction)
    if pressed is None or pressed["wish"] == Wish.SHARE:
        return None
    # Earlier versions put buttons there that don't say of which attempt they are.
    attempt = int(pressed["number"]) if pressed["number"] else None
    return Clicked(
        QuestionKey(pressed["key"]),
        attempt,
        by=str(interaction.user.id),
        wish=Wish(pressed["wish"]),
        place=PlaceId(thread_in(interaction.guild_id, int(pressed["channel"])).id),
    )


def helps_at(interaction: Interaction) -> int:
    """Return until when, in seconds since 1970, the button that was clicked is of no use."""
    pressed = _pressed(interaction)
    return int(pressed["until"] or 0) if pressed else 0


def read_share(interaction: Interaction, token: Token) -> Shared | None:
    """Read a click on Share; None for any other. Raises Refused where it can't be shared.

    *token* is the click's own, good for as long as the answer takes to be shown.
    """
    pressed = _pressed(interaction)
    if pressed is None or pressed["wish"] != Wish.SHARE:
        return None
    foreign, is_thread = is_foreign(interaction), isinstance(interaction.channel, discord.Thread)
    if refusal := _refusal(interaction, foreign=foreign, is_thread=is_thread):
        raise NotAllowed(say(refusal))
    channel = int(pressed["channel"])
    # In a channel, it begins a conversation of its own.
    begun = 0 if is_thread and not foreign else interaction.id
    thread = thread_in(interaction.guild_id, channel, around(interaction.channel, channel), command=begun)
    if foreign:
        where = Where(channel=channel, token=token, is_foreign=True)
    else:
        where = Where(channel=channel, reply_to=int(pressed["number"]) if pressed["number"] else None)
    return Shared(QuestionKey(pressed["key"]), str(interaction.user.id), thread, Note(where))


def _pressed(interaction: Interaction) -> re.Match[str] | None:
    if interaction.type is not discord.InteractionType.component:
        return None
    pressed = parse(str(interaction.data and interaction.data.get("custom_id")))
    if pressed is None:
        return None
    is_ours = interaction.message is not None and interaction.message.author == interaction.client.user
    if not is_ours or int(pressed["channel"]) != interaction.channel_id:
        raise Refused(say(ELSEWHERE))
    return pressed


def parse(custom_id: str) -> re.Match[str] | None:
    """Return what a button of ours says, None of others'."""
    pressed = _BUTTON.fullmatch(custom_id)
    return pressed if pressed and pressed["wish"] in _WISHES else None


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
