"""Discord's messages (mentions among them) and commands, read as questions. Pure: no network, no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import discord

from bots.discord import limits
from bots.discord.addressing import read_addressing
from bots.discord.askers import listed_bot
from bots.discord.carried import files_of, quotes_of
from bots.discord.ids import key_of, key_of_command, thread_in
from bots.discord.languages import language_of
from bots.discord.names import Names
from bots.discord.note import ORIGINAL, Starter, Where
from bots.discord.written import calls, plain
from bots.listening.events import Edited, Ignored, Overheard, Said
from bots.reply.note import Message, Note
from bots.text.cut import shortened, utf16
from core.attachment import Attachment, Kind
from core.title import title_of
from core.turn import Question
from core.words import is_blank, whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bots.discord.note import Token
    from core.quote import Quote
    from core.thread import Thread, ThreadId
    from core.turn import QuestionKey

_NAMELESS = "Question"
_FENCES = re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.MULTILINE)
_NAMES = Names()
# https://discord.com/developers/docs/resources/message#message-object-message-types: the others are Discord's own.
PEOPLES_TYPES = frozenset({discord.MessageType.default, discord.MessageType.reply})
# What other bots say, answers to commands included.
_BOTS_TYPES = PEOPLES_TYPES | {discord.MessageType.chat_input_command, discord.MessageType.context_menu_command}


@dataclass(frozen=True, slots=True)
class Asking:
    """A question that somebody asks by a command or a menu."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    quotes: tuple[Quote, ...] = ()
    preset: str = ""
    is_private: bool = False
    about: int | None = None  # the message that it is asked about


class Wordless(Ignored):
    """It would have been for the bot, but came without its content."""


def read_message(
    message: discord.Message,
    me: int,
    conversation: ThreadId | None = None,
    *,
    names: Names = _NAMES,
    bots: Collection[str] = (),
    language: str = "",
) -> Said | Overheard | Ignored:
    """Read what somebody said, or says now. *me* is the bot's own id; *bots*: ids of others that may ask.

    *conversation*: what the message goes on with, where only the ledger knows; see `bots.discord.conversations`.
    *names* knows what people are called; *language* is the author's, as far as it is known.
    """
    bot = listed_bot(message, bots, me)
    if reason := _reason_to_ignore(message, me):
        return Ignored(reason)
    is_for_the_bot = _is_for_the_bot(message, me, conversation, is_listed=bool(bot))
    if isinstance(is_for_the_bot, Ignored):
        return is_for_the_bot
    thread, where = _where(message, me, conversation)
    key = key_of(message.id)
    mentioned = {user.id: user for user in message.mentions}
    known = names.mentioned_in(message.content, message.guild, mentioned)
    text = plain(message.content, str(me), known, [str(role.id) for role in _own_roles(message, me)])
    attachments = _attachments(message, has_words=not is_blank(text))
    if where.starter:
        where = _named(where, where.starter, text, attachments)
    question = Question(
        key,
        thread,
        bot or str(message.author.id),
        text,
        attachments=attachments,
        # Who talks with the bot alone needs no name.
        asker_name="" if thread.is_direct else names.author_of(message),
        quotes=quotes_of(message, me, names),
        edition=int(message.edited_at.timestamp() * 1_000_000) if message.edited_at else 0,
        language=language,
    )
    # Without that time it is no person's edit: Discord has looked at a link, or made a thread.
    kind = Said if message.edited_at is None else Edited
    said = kind(question, Note(where), message.id, (message.channel.id,))
    return said if is_for_the_bot else Overheard(said, read_addressing(message, me), is_bots=_is_bots(message))


def read_command(interaction: discord.Interaction, wish: Asking, token: Token, *, names: Names = _NAMES) -> Said:
    """Read what was asked by a command, a menu or a form. *token* is the interaction's."""
    foreign, direct = is_foreign(interaction), interaction.guild_id is None
    # Whoever talks with the bot alone has no secrets from anybody there, and needs no name.
    is_private, is_alone = wish.is_private and (foreign or not direct), direct and not foreign
    question = Question(
        key=key_of_command(interaction.id),
        thread=thread_of_command(interaction, begins=is_private or foreign or is_in_channel(interaction)),
        asker=str(interaction.user.id),
        # Of those whom words in an option mention, an interaction tells nothing.
        text=plain(wish.text, "", names.mentioned_in(wish.text, interaction.guild, {})),
        attachments=wish.attachments,
        asker_name="" if is_alone else names.of(interaction.user, interaction.guild),
        quotes=wish.quotes,
        is_private=is_private,
        preset=wish.preset,
        language=language_of(interaction),
    )
    where = Where(
        channel=interaction.channel_id or 0,
        is_command=True,
        token=token,
        is_foreign=foreign,
        about=wish.about,
    )
    return Said(question, Note(where, (Message(ORIGINAL),)), interaction.id)


def thread_of_command(interaction: discord.Interaction, *, begins: bool = False) -> Thread:
    """Return where a command was given: a channel, a thread or a direct conversation.

    One that *begins* a conversation of its own there has that.
    """
    channel_id = interaction.channel_id or 0
    command = interaction.id if begins else 0
    return thread_in(interaction.guild_id, channel_id, around(interaction.channel, channel_id), command=command)


def is_in_channel(interaction: discord.Interaction) -> bool:
    """Was it given where many conversations take place, rather than one?"""
    return interaction.guild_id is not None and not isinstance(interaction.channel, discord.Thread)


def is_foreign(interaction: discord.Interaction) -> bool:
    """Was it given where the bot itself is not, by somebody who has added it to their own account?

    https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-authorizing-integration-owners-object
    """
    is_own_place = interaction.is_guild_integration() or interaction.context.dm_channel
    return interaction.is_user_integration() and not is_own_place


def is_mentioned(message: discord.Message, me: int) -> bool:
    """Also true for a reply to the bot's message, unless its author switched the ping off.

    And for a mention of the bot's own role, which has its name: people pick the one as easily as the other. Not for one in
    a quote, or in code.
    """
    own = [role.mention for role in _own_roles(message, me)]
    if not own and all(user.id != me for user in message.mentions):
        return False
    own += [f"<@{me}>", f"<@!{me}>"]
    # Who replies mentions without a word of it.
    return calls(message.content, own) or not any(mention in message.content for mention in own)


def _own_roles(message: discord.Message, me: int) -> list[discord.Role]:
    return [role for role in message.role_mentions if role.tags and role.tags.bot_id == me]


def says_it_itself(message: discord.Message, me: int) -> bool:
    """Is everything in the message that says whether it is for the bot, and what it goes on with?

    Not of a reply in a channel, which may be one to an answer.
    """
    channel, reference = message.channel, message.reference
    is_peoples = message.type in PEOPLES_TYPES and not message.author.bot and not message.webhook_id
    if not is_peoples or message.guild is None or isinstance(channel, discord.PartialMessageable):
        return True
    if (
        isinstance(channel, discord.Thread)
        or reference is None
        or reference.type is not discord.MessageReferenceType.reply
    ):
        return True
    if isinstance(reference.resolved, discord.Message):
        return reference.resolved.author.id != me
    return reference.message_id is None or reference.resolved is not None  # it was deleted


def question_behind(answer: discord.Message) -> QuestionKey | None:
    """Return the key of the question that a message of the bot's answers, if the message says so."""
    # https://discord.com/developers/docs/resources/message#message-interaction-metadata-object
    if answer.interaction_metadata:
        return key_of_command(answer.interaction_metadata.id)
    asked = answer.reference.message_id if answer.reference else None
    return key_of(asked) if asked else None


def _reason_to_ignore(message: discord.Message, me: int) -> str:
    if message.author.id == me:
        return "from the bot itself"
    if message.type not in (_BOTS_TYPES if _is_bots(message) else PEOPLES_TYPES):
        return "said by Discord itself"
    if isinstance(message.channel, discord.PartialMessageable):
        return "in a channel that isn't known"
    return ""


def _is_for_the_bot(
    message: discord.Message, me: int, conversation: ThreadId | None, *, is_listed: bool
) -> bool | Ignored:
    channel = message.channel
    # Bots that answer each other never stop.
    if _is_bots(message) and not is_listed:
        return False
    if isinstance(channel, discord.DMChannel) or is_mentioned(message, me):
        return True
    is_own_place = conversation or (isinstance(channel, discord.Thread) and channel.owner_id == me)
    return Wordless("without words") if is_own_place and _is_empty(message) else False


def _is_bots(message: discord.Message) -> bool:
    return message.author.bot or message.webhook_id is not None


def _is_empty(message: discord.Message) -> bool:
    content = (message.content, message.attachments, message.message_snapshots, message.stickers, message.embeds)
    return not any((*content, message.poll, _components(message)))


def _components(message: discord.Message) -> object:
    # discord.py sets it only where the payload had some, and what could not be read was taken out of that.
    return getattr(message, "components", ())


def _attachments(message: discord.Message, *, has_words: bool) -> tuple[Attachment, ...]:
    """What was sent along, files first; beside words, not what only goes with them: previews of links, stickers.

    What `quotes_of` tells in words is not among it.
    """
    sent = files_of(message.attachments)
    is_told = bool(message.message_snapshots or message.poll)
    if message.flags.forwarded and not message.message_snapshots:  # of a shape that can't be read
        sent.append(Attachment(Kind.OTHER))
    if message.stickers and not (has_words or is_told):
        sent.append(Attachment(Kind.STICKER))
    if (message.embeds or _components(message)) and not (has_words or is_told or sent):
        sent.append(Attachment(Kind.OTHER))
    return tuple(sent)


def _where(message: discord.Message, me: int, conversation: ThreadId | None) -> tuple[Thread, Where]:
    channel, guild = message.channel, message.guild
    if guild is None or isinstance(channel, discord.DMChannel):
        return thread_in(None, channel.id), Where(channel=channel.id)
    home = around(channel, channel.id)
    if isinstance(channel, discord.Thread):
        return thread_in(guild.id, channel.id, home), Where(channel=channel.id)
    allowed = permissions(channel, guild, me)
    thread = thread_in(guild.id, channel.id, home)
    here = Where(channel=channel.id, reply_to=message.id if allowed.read_message_history else None)
    if conversation:
        return replace(thread, id=conversation), here
    if isinstance(channel, discord.TextChannel) and allowed.create_public_threads and allowed.send_messages_in_threads:
        # A thread made from a message has that message's id: https://discord.com/developers/docs/topics/threads
        starter = Starter(channel.id, message.id, "")
        return thread_in(guild.id, message.id, home), Where(channel=message.id, starter=starter)
    return thread, here


def permissions(channel: object, guild: discord.Guild, me: int) -> discord.Permissions:
    """What the bot may do there; everything, as long as Discord hasn't told, or nobody could read it."""
    member, everyone = guild.get_member(me), guild.get_role(guild.id)
    home = channel.parent if isinstance(channel, discord.Thread) else channel
    if member is None or everyone is None or not isinstance(home, discord.abc.GuildChannel):
        return discord.Permissions.all()
    return home.permissions_for(member)


def around(channel: object, channel_id: int) -> tuple[int, ...]:
    """Return category and channel, as far as it has them; for a thread, those that it lies in."""
    home: object = channel
    if isinstance(channel, discord.Thread):
        home, channel_id = channel.parent, channel.parent_id
    category = getattr(home, "category_id", None)
    return (category, channel_id) if category else (channel_id,)


def _named(where: Where, starter: Starter, text: str, attachments: tuple[Attachment, ...]) -> Where:
    name = thread_name(text, attachments)
    return Where(channel=where.channel, starter=Starter(starter.channel, starter.message, name))


def thread_name(text: str, attachments: Iterable[Attachment] = ()) -> str:
    """Return a name for the thread of a question: its title. Where there are no words, a file's name, or what is said without."""
    if is_blank(text):
        text = next((one.name for one in attachments if one.name), "")
    title = title_of(text) or title_of(_FENCES.sub("", text)) or " ".join(whole(text).split())
    return shortened(title, limits.THREAD_NAME, utf16) or _NAMELESS
