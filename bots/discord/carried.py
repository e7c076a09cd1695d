"""Reads what a Discord message brings along beside its own words: replies, forwards, polls. Pure: no network, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import discord

from bots.discord.written import plain
from core.attachment import Attachment, file
from core.names import tame
from core.quote import Quote, Source
from core.words import is_blank

if TYPE_CHECKING:
    from discord.components import MessageComponentType

    from bots.discord.names import Names

_DEEPEST = 4  # components in components
_LONGEST = 86_400  # seconds of a voice message that are believed
_MOST_COMPONENTS = 100  # Discord allows 40: https://discord.com/developers/docs/components/reference


def quotes_of(message: discord.Message, me: int, names: Names) -> tuple[Quote, ...]:
    """Return what *message* brings along; *me* is the bot's own id."""
    return tuple(_quotes(message, me, names))


def said_in(message: discord.Message, me: int, names: Names) -> str:
    """Return all that people read in *message*, its own words first."""
    mentioned = {user.id: user for user in message.mentions}
    content = _text(message.content)
    words = plain(content, str(me), names.mentioned_in(content, message.guild, mentioned))
    parts = [words, *(quote.text for quote in _beside(message, names))]
    return "\n\n".join(part for part in parts if not is_blank(part))


def files_of(attachments: Iterable[discord.Attachment]) -> list[Attachment]:
    return [file(one.filename, one.content_type, one.size, one.url) for one in attachments]


def _quotes(message: discord.Message, me: int, names: Names) -> Iterator[Quote]:
    if replied := _replied(message):
        is_ours = replied.author.id == me
        sent = [*replied.attachments, *(one for shot in replied.message_snapshots for one in shot.attachments)]
        author = "" if is_ours else names.author_of(replied)
        yield Quote(Source.REPLY, said_in(replied, me, names), author, is_ours, tuple(files_of(sent)))
    yield from _beside(message, names)


def _replied(message: discord.Message) -> discord.Message | None:
    """Return what *message* replies to, unless it was deleted, or Discord has not told of it."""
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.reply:
        return None
    return reference.resolved if isinstance(reference.resolved, discord.Message) else None


def _beside(message: discord.Message, names: Names) -> Iterator[Quote]:
    """Yield what stands in *message* beside its words: of an embed of a person's, a preview, nothing."""
    for shot in message.message_snapshots:
        # Who said it, and where, Discord does not tell: https://discord.com/developers/docs/resources/message#message-snapshot-object
        content = _text(shot.content)
        words = plain(content, "", names.mentioned_in(content, message.guild, {}))
        parts = [words, *_laid_out(shot.embeds, content, shot.components), *_stickers(shot.stickers)]
        text = "\n\n".join(part for part in parts if not is_blank(part))
        yield Quote(Source.FORWARD, text, attachments=tuple(files_of(shot.attachments)))
    if message.author.bot:
        # discord.py sets the attribute only where the payload had some, and what can't be read was taken out of that.
        for text in _laid_out(message.embeds, _text(message.content), getattr(message, "components", ())):
            yield Quote(Source.EMBED, text)
    if message.poll:
        yield Quote(Source.POLL, _poll(message.poll))
    for name in _stickers(message.stickers):
        yield Quote(Source.STICKER, name)
    if message.flags.voice:
        yield Quote(Source.VOICE, _voice(message.attachments))


def _laid_out(
    embeds: Sequence[discord.Embed], content: str, components: Sequence[MessageComponentType]
) -> Iterator[str]:
    """Yield what is to be read in *embeds* and *components*; not in previews of the links that stand in *content*."""
    for embed in embeds:
        is_preview = embed.type != "rich" or (embed.url and str(embed.url) in content)
        if not is_preview and (text := _embed(embed)):
            yield text
    if text := "\n".join(_texts(components)):
        yield text


def _embed(embed: discord.Embed) -> str:
    """https://discord.com/developers/docs/resources/message#embed-object"""
    fields = [f"{field.name}: {field.value}" for field in embed.fields]
    parts = [embed.author.name, embed.title, embed.description, *fields, embed.footer.text]
    return "\n".join(str(part) for part in parts if part and not is_blank(str(part)))


def _texts(components: Sequence[object]) -> Iterator[str]:
    """https://discord.com/developers/docs/components/reference#text-display"""
    here = list(components)
    for _ in range(_DEEPEST):
        yield from (_text(one.content) for one in here if isinstance(one, discord.TextDisplay))
        here = [inner for one in here for inner in getattr(one, "children", ())][:_MOST_COMPONENTS]


def _poll(poll: discord.Poll) -> str:
    """https://discord.com/developers/docs/resources/poll#poll-object"""
    answers = [f"- {answer.text}" for answer in poll.answers if answer.text]
    return "\n".join([_text(poll.question), *answers])


def _stickers(stickers: Iterable[discord.StickerItem]) -> Iterator[str]:
    for sticker in stickers:
        if name := tame(sticker.name):
            yield f"A sticker called {name}"


def _voice(attachments: Sequence[discord.Attachment]) -> str:
    """https://discord.com/developers/docs/resources/message#voice-messages"""
    lengths = (one.duration for one in attachments)
    seconds = next((length for length in lengths if isinstance(length, int | float) and 0 < length < _LONGEST), None)
    lasting = f" of {max(1, round(seconds))} seconds" if seconds else ""
    return f"A voice message{lasting}, which you can't hear"


def _text(said: object) -> str:
    """Return what a payload has for text: what discord.py passes on unread need not be any."""
    return said if isinstance(said, str) else ""
