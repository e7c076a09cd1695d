"""The entries in a message's menu: ask about it, or have what was said since summarised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import discord

from bots.discord.carried import files_of, said_in
from bots.discord.errors import UNREADABLE, translated
from bots.discord.events import Asking, is_foreign
from bots.discord.written import plain
from bots.text.cut import shortened
from core.bounded import Bounded
from core.errors import ChatForbidden, ChatUnclear, NotAllowed, Refused, ThreadGone
from core.language import marked, number, say
from core.quote import LONGEST, Quote, Source
from core.words import is_blank, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Iterator

    from bots.discord.names import Names
    from bots.discord.tree import Interaction

MOST_PICKED = 500  # messages that are remembered while people write what they want to know about them
MOST_READ, _PAGE = 200, 100  # messages: https://discord.com/developers/docs/resources/message#get-channel-messages
LONGEST_NAME = 80  # characters
NAMELESS = "Somebody"
_LONGEST_QUESTION = 2_000  # characters that Discord lets people write into the field; it takes up to 4,000
_CUSTOM_ID = re.compile(r"about:(?P<channel>\d{1,20}):(?P<message>\d{1,20})", re.ASCII)
_QUESTION, _WHO, _ALL, _ME = "question", "who", "all", "me"
_USUAL = marked("What does this mean? Explain it in short.")
_SUMMARISE = marked("Summarise what was said here, from this message on.")
_NOT_ALL = marked("(These were more messages than I read at once: the first {count}.)")
_LEFT_OUT = "(Later messages are left out.)"
# What people say, and other apps: https://discord.com/developers/docs/resources/message#message-object-message-types
_TYPES = (0, 19, 20, 23)

GONE = marked("That message was deleted meanwhile, so there is nothing to ask about.")
ELSEWHERE = marked("This form works only where it was opened. Please open it again from the message's menu.")
ODD = marked("I couldn't read that form. Please open it again from the message's menu.")
CANT_READ = marked(
    "I can't read that message any more. Please open its menu again, or paste what it says into your question."
)
NOT_MINE = marked(
    "I'm not allowed to read what was said here. Ask somebody who manages this channel to let me see its history."
)
NOT_YOURS = marked("You aren't allowed to read what was said here before, so I can't tell you.")
NO_WORDS = marked("There is nothing to summarise: no words that I can read were said from that message on.")


class Menus:
    """Remembers what the picked messages say, as Discord tells it only with the menu; after a restart it reads them."""

    def __init__(self, soon: Callable[[], Awaitable[None]], deleted: Container[int], names: Names) -> None:
        """*soon* waits for a call from the budget; *deleted* are messages of which it is known that they are gone."""
        self._names = names
        self._soon = soon
        self._deleted = deleted
        self._picked: Bounded[tuple[int, int], Quote] = Bounded(MOST_PICKED)  # by who picked which

    async def open(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask what somebody wants to know about *message*."""
        self._picked[interaction.user.id, message.id] = self._quote(message, _me(interaction))
        await interaction.response.send_modal(_form(interaction.channel_id or 0, message.id))

    async def read(self, interaction: Interaction) -> Asking | None:
        """Read the form as it was sent; None for what is none of ours. Raises Refused with what to tell, or a ChatError."""
        data: Any = interaction.data
        form = _CUSTOM_ID.fullmatch(str(data and data.get("custom_id")))
        if interaction.type is not discord.InteractionType.modal_submit or form is None:
            return None
        if int(form["channel"]) != interaction.channel_id:
            raise Refused(say(ELSEWHERE))
        message = int(form["message"])
        if message in self._deleted:
            raise Refused(say(GONE))
        quote = self._picked.get((interaction.user.id, message)) or await self._fetched(interaction, message)
        fields = dict(_fields(data.get("components")))
        text = fields.get(_QUESTION)
        if not isinstance(text, str):
            raise Refused(say(ODD))
        return Asking(text, quotes=(quote,), is_private=fields.get(_WHO) == [_ME], about=message)

    async def _fetched(self, interaction: Interaction, message: int) -> Quote:
        if is_foreign(interaction) or not _may_read(interaction):
            raise Refused(say(CANT_READ))
        await self._soon()
        channel = interaction.client.get_partial_messageable(interaction.channel_id or 0, guild_id=interaction.guild_id)
        try:
            with translated():
                return self._quote(await channel.fetch_message(message), _me(interaction))
        except ThreadGone as gone:
            raise Refused(say(GONE)) from gone
        except ChatForbidden as refusal:
            raise Refused(say(CANT_READ)) from refusal

    def _quote(self, message: discord.Message, me: int) -> Quote:
        is_ours = message.author.id == me
        author = "" if is_ours else self._names.author_of(message)
        text = whole(said_in(message, me, self._names))
        return Quote(Source.REPLY, text[:LONGEST], author, is_ours, tuple(files_of(message.attachments)))

    async def since(self, interaction: Interaction, message: discord.Message) -> Asking:
        """Read what was said from *message* on, within bounds. Raises Refused with what to tell, or a ChatError."""
        if not _may_read(interaction):
            raise NotAllowed(say(NOT_YOURS))
        me = _me(interaction)
        first = self._quote(message, me)
        try:
            later, is_more = await self._later(interaction, message.id)
        except (ChatForbidden, ThreadGone) as refusal:
            raise Refused(say(NOT_MINE)) from refusal
        begun = first.author or ("" if first.is_ours else NAMELESS)
        lines = [_line(begun, first.text), *(self._line_of(one, me) for one in later)]
        kept = _fitting([line for line in lines if line])
        if not kept:
            raise Refused(say(NO_WORDS))
        is_more = is_more or len(kept) < sum(map(bool, lines))
        said = "\n".join([*kept, _LEFT_OUT] if is_more else kept)
        text = say(_SUMMARISE) + (" " + say(_NOT_ALL, count=number(len(kept))) if is_more else "")
        return Asking(text, quotes=(Quote(Source.OTHER, said),), is_private=True, about=message.id)

    def _line_of(self, message: Any, me: int) -> str:
        """Of what can't be read, or is no person's or app's, nothing."""
        match message:
            case {
                "type": int(kind),
                "content": str(content),
                "author": {"id": str(id_), "username": str(name)} as author,
            }:
                if kind not in _TYPES:
                    return ""
                mentions: Any = message.get("mentions")
                tells = self._names.tells
                names = dict(_names(mentions)) if tells and isinstance(mentions, list) else {}
                shown = str(author.get("global_name") or name) if tells else NAMELESS
                return _line("" if id_ == str(me) else shown, plain(content, "", names))
        return ""

    async def _later(self, interaction: Interaction, after: int) -> tuple[list[Any], bool]:
        """Return what was said after that, oldest first, and whether there may be more. As Discord tells it, so that one
        message that discord.py can't read ends nothing.
        """
        found: dict[int, Any] = {}
        while len(found) < MOST_READ:
            await self._soon()
            with translated():
                page: object = await interaction.client.http.logs_from(interaction.channel_id or 0, _PAGE, after=after)
            if not isinstance(page, list):
                raise ChatUnclear("no list of messages", code=UNREADABLE)
            found |= {int(one["id"]): one for one in page if isinstance(one, dict) and str(one.get("id")).isdigit()}
            if len(page) < _PAGE or max(found, default=0) <= after:
                return [found[id_] for id_ in sorted(found)], False
            after = max(found)
        return [found[id_] for id_ in sorted(found)], True


def _form(channel: int, message: int) -> discord.ui.Modal:
    """https://discord.com/developers/docs/components/reference#label"""
    form = discord.ui.Modal(title=say("Ask about this message"), custom_id=f"about:{channel}:{message}")
    question: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=_QUESTION, style=discord.TextStyle.paragraph, default=say(_USUAL), max_length=_LONGEST_QUESTION
    )
    form.add_item(discord.ui.Label(text=say("Your question"), component=question))
    choices = [
        discord.SelectOption(label=say("Everyone here"), value=_ALL, default=True),
        discord.SelectOption(label=say("Only me"), value=_ME, description=say("You can share the answer afterwards")),
    ]
    who: discord.ui.Select[Any] = discord.ui.Select(custom_id=_WHO, options=choices)
    form.add_item(discord.ui.Label(text=say("Who sees the answer?"), component=who))
    form.stop()  # as with buttons: discord.py would remember it, and what is sent comes to us as an event
    return form


def _fields(components: object) -> Iterator[tuple[str, object]]:
    """Yield what was written or chosen; each component lies in a label of its own."""
    for label in components if isinstance(components, list) else ():
        match label:
            case {"component": {"custom_id": str(name), "value": value}}:
                yield name, value
            case {"component": {"custom_id": str(name), "values": values}}:
                yield name, values


def _names(mentions: list[Any]) -> Iterator[tuple[str, str]]:
    for one in mentions:
        match one:
            case {"id": str(id_), "username": str(name)}:
                yield id_, str(one.get("global_name") or name)


def _line(author: str, text: str) -> str:
    """One message in one line, so that none can look like another's."""
    if is_blank(text):
        return ""
    return f"{shortened(_flat(author), LONGEST_NAME) or 'You'}: {_flat(text)}"


def _flat(text: str) -> str:
    return " ".join(whole(text).split())


def _fitting(lines: list[str]) -> list[str]:
    """Return as many as there is room for, and of the first at least a part."""
    room = LONGEST - len(_LEFT_OUT) - 1
    kept: list[str] = []
    for line in lines:
        if len(line) + 1 > room:
            return kept or [shortened(line, room)]
        kept.append(line)
        room -= len(line) + 1
    return kept


def _may_read(interaction: Interaction) -> bool:
    return interaction.guild_id is None or interaction.permissions.read_message_history


def _me(interaction: Interaction) -> int:
    return interaction.client.user.id if interaction.client.user else 0
