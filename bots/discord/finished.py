"""Buttons under a finished answer in Discord: how its details look, and where more of it goes."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord

from bots.discord.buttons import ELSEWHERE, button
from bots.discord.errors import overlooking, translated
from bots.discord.events import around, is_foreign, permissions
from bots.discord.ids import thread_in
from bots.discord.markdown import pages
from bots.discord.note import Where, notes
from bots.discord.tree import is_manager, tell
from bots.listening.finished import NO_BRANCH, NOT_NOTED, NOTED, Means, finish
from bots.listening.router import recorded_within
from bots.reply.export import FILE_NAME
from bots.reply.note import Note
from bots.reply.opening import plain
from core.aftermath import LONGEST_COMMENT
from core.errors import NotAllowed, Refused
from core.language import marked, say
from core.turn import QuestionKey
from core.words import is_blank

if TYPE_CHECKING:
    from bots.discord.names import Names
    from bots.discord.note import Token
    from bots.discord.tree import Interaction
    from bots.listening.events import Clicked
    from bots.listening.finished import Outcome
    from bots.reply.details import Details
    from core.relay import Relay
    from core.thread import Thread
    from core.turn import Turn

WHY = "why"
# As that of a button: https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
_FORM = re.compile(rf"{WHY}:(?P<channel>\d{{1,20}}):(?P<key>[\w:/]{{1,64}})", re.ASCII)
IS_PRIVATE = marked("I can't do that from a private thread: the new one would be for everybody in the channel.")
NOT_YOURS = marked("You aren't allowed to start a thread here.")


class Finished:
    """Takes clicks under finished answers, on one connection."""

    def __init__(self, relay: Relay, names: Names, *, recorded_within: float) -> None:
        self._relay = relay
        self._names = names
        self._notes = notes()
        self._recorded_within = recorded_within

    async def take(self, interaction: Interaction, click: Clicked, token: Token) -> None:
        """Do what is wished for, and show who clicked what came of it. Raises StorageUnavailable.

        *token* is the click's own.
        """
        # Who talks with the bot alone needs no name.
        named = (
            replace(click, name=self._names.of(interaction.user, interaction.guild)) if interaction.guild_id else click
        )
        async with recorded_within(self._recorded_within):
            outcome = await finish(self._relay, named, self._means(interaction, token))
        with translated():
            await _show(interaction, click, outcome)

    def _means(self, interaction: Interaction, token: Token) -> Means:
        async def does_manage() -> bool:
            return is_manager(interaction)

        async def branching(turn: Turn) -> tuple[Thread, Note[Where]]:
            home = _home(interaction)
            answer = self._notes.read(turn.reply).messages[-1:]
            link = f"https://discord.com/channels/{interaction.guild_id}/{interaction.channel_id}"
            link += f"/{answer[0].id.removeprefix('@')}" if answer else ""
            thread = thread_in(interaction.guild_id, home.id, around(home, home.id), command=interaction.id)
            return thread, Note(Where(channel=home.id, since=interaction.id, branch_of=link))

        async def going_on(turn: Turn) -> Note[Where]:
            was, where = (
                self._notes.read(turn.reply).where,
                Where(channel=interaction.channel_id or 0, since=interaction.id),
            )
            if not was.is_by_token_only(turn):
                return Note(where)
            # First, since the token of the click is what shows it, and it opens nothing before.
            with overlooking(), translated():
                await interaction.response.defer()
            return Note(replace(where, token=token, is_foreign=was.is_foreign))

        return Means(
            manages=does_manage,
            going_on=going_on,
            branching=branching,
            branches=lambda turn: _may_branch(interaction, turn),
        )

    async def comment(self, interaction: Interaction) -> bool:
        """Take what was written in the form; return False if it is none of ours. Raises Refused, StorageUnavailable."""
        data: Any = interaction.data
        form = _FORM.fullmatch(str(data and data.get("custom_id")))
        if interaction.type is not discord.InteractionType.modal_submit or form is None:
            return False
        if int(form["channel"]) != interaction.channel_id:
            raise Refused(say(ELSEWHERE))
        words = _written(data.get("components"))
        if is_blank(words):
            with overlooking(), translated():
                await interaction.response.defer()
            return True
        async with recorded_within(self._recorded_within):
            is_noted = await self._relay.aftermath.comment(QuestionKey(form["key"]), str(interaction.user.id), words)
        await tell(interaction, say(NOTED if is_noted else NOT_NOTED), ephemeral=True)
        return True


def _may_branch(interaction: Interaction, turn: Turn) -> bool:
    if turn.question.is_private or is_foreign(interaction):
        return False
    try:
        _home(interaction)
    except Refused:
        return False
    return True


def _home(interaction: Interaction) -> discord.TextChannel:
    """Return the channel in which a thread can be begun. Raises Refused if there is none, or not for who clicked."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        if channel.is_private():
            raise Refused(say(IS_PRIVATE))
        home: object = channel.parent
    else:
        home = channel
    if interaction.guild is None or not isinstance(home, discord.TextChannel):
        raise Refused(say(NO_BRANCH))
    allowed = permissions(home, interaction.guild, interaction.client.user.id if interaction.client.user else 0)
    if not (allowed.send_messages and allowed.create_public_threads):
        raise Refused(say(NO_BRANCH))
    if not interaction.permissions.create_public_threads:
        raise NotAllowed(say(NOT_YOURS))
    return home


async def _show(interaction: Interaction, click: Clicked, outcome: Outcome) -> None:
    channel = interaction.channel_id or 0
    with overlooking():
        if outcome.details:
            view = view_of(outcome.details, channel, click.key)
            await interaction.response.send_message(view=view, ephemeral=True)
        elif outcome.file:
            file = discord.File(io.BytesIO(outcome.file.encode(errors="replace")), FILE_NAME)
            await interaction.response.send_message(file=file, ephemeral=True)
        elif outcome.asks_why:
            await interaction.response.send_modal(form(channel, click.key))
        elif outcome.sentence:
            await tell(interaction, outcome.sentence, ephemeral=True)
        elif not interaction.response.is_done():
            await interaction.response.defer()


def view_of(details: Details, channel: int, question: QuestionKey) -> discord.ui.LayoutView:
    """Return how *details* look, in Components v2: https://discord.com/developers/docs/components/overview"""
    view = discord.ui.LayoutView(timeout=None)
    said = "\n".join(f"**{name}**: {plain(words)}" for name, words in details.facts)
    box: discord.ui.Container[Any] = discord.ui.Container(discord.ui.TextDisplay(said))
    if details.reasoning:
        box.add_item(discord.ui.Separator())
        reasoned = pages(details.reasoning)[:1]
        box.add_item(discord.ui.TextDisplay("\n".join([f"**{say('How it reasoned:')}**", *reasoned])))
    row: discord.ui.ActionRow[Any] = discord.ui.ActionRow(*(button(one, channel, question) for one in details.buttons))
    view.add_item(box).add_item(row)
    view.stop()  # as with buttons: clicks come to us as events
    return view


def form(channel: int, question: QuestionKey) -> discord.ui.Modal:
    """Return the form in which to say what is wrong with an answer."""
    modal = discord.ui.Modal(title=say("Thanks for telling me"), custom_id=f"{WHY}:{channel}:{question}")
    words: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=WHY, style=discord.TextStyle.paragraph, max_length=LONGEST_COMMENT, required=False
    )
    label = discord.ui.Label(
        text=say("What was wrong?"), description=say("Those who run me can read it."), component=words
    )
    modal.add_item(label)
    modal.stop()
    return modal


def _written(components: object) -> str:
    for label in components if isinstance(components, list) else ():
        match label:
            case {"component": {"custom_id": name, "value": str(value)}} if name == WHY:
                return value
    return ""
