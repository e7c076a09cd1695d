"""Takes questions from slash commands, forms and a message's menu: decides where each goes, and who sees the answer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bots.listening.events import Said, Shared
from bots.listening.router import NOT_TO_SHARE, recorded_within
from bots.reply.note import Note
from bots.slack.buttons import installation_of
from bots.slack.events import installation_of_command, quote_of
from bots.slack.form import AUDIENCE, QUESTION, Filled, Subject, WrongFormError, form
from bots.slack.ids import CLOCKS_DIFFER_BY, SCALE, ask_id, is_ts, key_of, message_of, thread_in, ts_at
from bots.slack.limits import escaped
from bots.slack.names import NAMELESS, Names
from bots.slack.note import About, Where, notes
from bots.slack.written import plain
from core.bounded import Bounded
from core.errors import ChatError, StorageUnavailable, facts
from core.language import marked, say, spoken
from core.turn import Question
from core.words import is_blank

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from bots.listening.router import Router
    from bots.slack.api import Api, Identity
    from bots.slack.buttons import Click
    from bots.slack.naming import Naming
    from bots.slack.pace import Pace
    from bots.slack.roots import Roots
    from core.quote import Quote
    from core.relay import Relay
    from core.thread import Thread

# Slack waits for 3 seconds, in which there is something to look up, and then to record; or a form to open.
LOOKED_UP_WITHIN, RECORDED_WITHIN, OPENED_WITHIN = 1.0, 1.5, 2.0  # seconds
MEMBER_FOR = 300.0  # seconds in which Slack is not asked again whether the bot is in a channel
MOST_REMEMBERED = 10_000  # channels, and people

NOT_HERE = marked("I'm not in this channel. Invite me with `/invite @bobbin`, then ask again.")
NOT_BETWEEN = marked("I'm not part of this conversation. Ask in a channel that I'm in, or write to me.")
NOT_THERE = marked("I'm not in that channel. Invite me there with /invite @bobbin, or ask only for yourself.")
NOT_THERE_TO_SHARE = marked(
    "I'm not in that channel. Invite me there with `/invite @bobbin`, then press the button again."
)
NO_FORM = marked("I couldn't open the form in time. Please try again.")
NO_DIRECT = marked("Slack doesn't let me write to you right now. Please try again in a minute.")
SHARED = marked("Shared in <#{channel}>.")

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Ways:
    """Takes what comes by these ways, on one connection."""

    def __init__(
        self,
        relay: Relay,
        router: Router,
        *,
        api: Api,
        pace: Pace,
        identity: Identity,
        roots: Roots,
        naming: Naming,
    ) -> None:
        self._naming = naming
        self._relay = relay
        self._router = router
        self._api = api
        self._pace = pace
        self._identity = identity
        self._roots = roots
        self._member: Bounded[str, float] = Bounded(MOST_REMEMBERED)  # of channels, and until when that is believed
        self._direct: Bounded[str, str] = Bounded(MOST_REMEMBERED)  # the channels of the direct messages with people
        self._notes = notes()

    async def language_of(self, user: str) -> str:
        """Return the language of who uses a command or a form; empty where that isn't known."""
        return await self._naming.language_of(user)

    # By a command

    async def command(self, command: Mapping[str, Any], words: str, occasion: str) -> str:
        """Ask what a slash command says, once by its *occasion*; return what to tell if that can't be done."""
        channel = command["channel_id"]
        if not await self._is_in(channel):
            return say(NOT_BETWEEN) if channel.startswith("D") else say(NOT_HERE)
        where = Where(channel, "", _now(), opens=True)
        filled = Filled(occasion, words, command["user_id"], _text(command.get("user_name")))
        try:
            await self._ask(installation_of_command(command), where, filled)
        except StorageUnavailable as unavailable:
            return unavailable.sentence
        return ""

    # In a form

    async def open_for_command(self, command: Mapping[str, Any]) -> str:
        """Open a form about the channel of a command; return what to tell if it doesn't open."""
        return await self._open(_text(command.get("trigger_id")), Subject(channel=command["channel_id"]))

    async def open_for_shortcut(self, body: Mapping[str, Any]) -> str:
        """Likewise for a shortcut, from the menu of a message or from that for all.

        https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
        """
        message = body.get("message")
        subject = Subject()
        if isinstance(message, dict):
            ts, text = message["ts"], plain(_text(message.get("text")), self._identity.user, names={})
            thread_ts = message.get("thread_ts") or ts
            if not (is_ts(ts) and is_ts(thread_ts)):
                raise ValueError("a message without a time of its own")
            is_ours = message.get("user") == self._identity.user
            subject = Subject(body["channel"]["id"], thread_ts, ts, text, is_ours=is_ours)
        return await self._open(_text(body.get("trigger_id")), subject)

    async def _open(self, trigger: str, subject: Subject) -> str:
        view = form(subject, self._relay.preset_names)
        try:
            async with asyncio.timeout(OPENED_WITHIN):
                await self._api.open_view(trigger, view)
        except ChatError as refusal:
            log.warning("a form can't be opened", **facts(refusal))
            return say(NO_FORM)
        except TimeoutError:
            log.warning("a form can't be opened in time")
            return say(NO_FORM)
        return ""

    async def tell(self, user: str, sentence: str) -> None:
        """Tell somebody, in their direct messages, what became of a shortcut."""
        try:
            await self._api.post(channel=user, text=escaped(sentence))
        except ChatError as refusal:
            log.warning("nobody can be told what becomes of a shortcut", **facts(refusal))

    async def submit(self, body: Mapping[str, Any], filled: Filled) -> None:
        """Ask what a form says, once by its id. Raises WrongFormError for what to tell in it."""
        subject = filled.subject
        place = self._privately(filled) if filled.is_private else self._openly(subject)
        where, quote = await asyncio.gather(place, self._quote(subject))
        try:
            await self._ask(installation_of(body), where, filled, quote)
        except StorageUnavailable as unavailable:
            raise WrongFormError(QUESTION, unavailable.sentence) from unavailable

    async def _openly(self, subject: Subject) -> Where:
        """Raises WrongFormError."""
        if not await self._is_in(subject.channel):
            raise WrongFormError(AUDIENCE, say(NOT_BETWEEN if subject.channel.startswith("D") else NOT_THERE))
        return Where(subject.channel, subject.thread_ts, _now(), opens=not subject.thread_ts)

    async def _privately(self, filled: Filled) -> Where:
        """Raises WrongFormError."""
        subject = filled.subject
        direct, link = await asyncio.gather(
            self._direct_with(filled.user),
            soon(self._api.link(subject.channel, subject.message_ts)) if subject.message_ts else _nothing(),
        )
        if not direct:
            raise WrongFormError(AUDIENCE, say(NO_DIRECT))
        # What is asked in direct messages has nobody to be shared with.
        is_shared = subject.channel and not subject.channel.startswith("D")
        about = About(subject.channel, subject.thread_ts, link or "") if is_shared else None
        return Where(direct, "", _now(), opens=True, about=about)

    async def _ask(self, team: str, where: Where, filled: Filled, quote: Quote | None = None) -> None:
        """Raises StorageUnavailable."""
        id_ = ask_id(filled.id)
        question = Question(
            key_of(team, where.channel, id_),
            await self._thread(team, where, id_),
            filled.user,
            filled.text,
            asker_name=filled.name if self._naming.tells else "",
            quotes=(quote,) if quote else (),
            is_private=filled.is_private,
            is_unseen=not where.opens,
            preset=filled.preset,
            language=spoken(),
        )
        async with recorded_within(RECORDED_WITHIN):
            await self._router.hear(Said(question, Note(where), SCALE.at(time.time())))

    async def _thread(self, team: str, where: Where, id_: str) -> Thread:
        """Return the thread of an answer that stands there; of one that is still to be begun, by its question's id."""
        if where.opens:
            return thread_in(team, where.channel, id_)
        return await self._roots.thread_of(team, where.channel, where.thread_ts)

    async def _quote(self, subject: Subject) -> Quote | None:
        """Return the message that is asked about: whole, if the bot may read it."""
        if not subject.message_ts:
            return None
        read: list[Mapping[str, Any]] = []

        async def named() -> Names:
            read.extend(filter(None, [await self._message(subject)]))
            return await self._naming.of(read[0]) if read else NAMELESS

        names = await soon(named()) or Names(tells=False)  # without them if only they take too long
        message = read[0] if read else {}
        quote = quote_of(message, self._identity.user, names, otherwise=subject.text, is_ours=subject.is_ours)
        return None if is_blank(quote.text) and not quote.attachments else quote

    async def _message(self, subject: Subject) -> Mapping[str, Any] | None:
        await self._pace.read(subject.thread_ts)
        return await self._api.message(subject.channel, subject.thread_ts, subject.message_ts)

    # Sharing

    async def share(self, click: Click) -> str:
        """Show others a private answer, where it is about; return what to tell. Raises StorageUnavailable."""
        turn = await self._relay.turn(click.key)
        about = self._notes.read(turn.reply).where.about if turn and turn.reply else None
        if turn is None or about is None or turn.question.asker != click.by:
            return say(NOT_TO_SHARE)
        if not await self._is_in(about.channel):
            return say(NOT_THERE_TO_SHARE)
        team, _, id_ = message_of(click.key)
        where = Where(about.channel, about.thread_ts, _now(), opens=not about.thread_ts)
        thread = await self._thread(team, where, id_)
        problem = await self._router.share(Shared(click.key, click.by, thread, Note(where)))
        return problem or say(SHARED, channel=about.channel)

    # What Slack tells

    async def link(self, channel: str, ts: str) -> str:
        """Return the address of a message, empty if Slack doesn't tell it in time."""
        return await soon(self._api.link(channel, ts)) or ""

    @staticmethod
    def now() -> str:
        """As `_now`."""
        return _now()

    async def _is_in(self, channel: str) -> bool:
        """Is the bot in *channel*? While Slack doesn't tell, it is taken to be: posting will show."""
        if self._member.get(channel, 0.0) > time.monotonic():
            return True
        is_in = await soon(self._api.is_in(channel))
        if is_in:
            self._member[channel] = time.monotonic() + MEMBER_FOR
        return is_in is not False

    async def _direct_with(self, user: str) -> str | None:
        if user not in self._direct and (channel := await soon(self._api.open_direct(user))):
            self._direct[user] = channel
        return self._direct.get(user)


async def soon(asked: Coroutine[Any, Any, T]) -> T | None:
    """Return what Slack says; None if it doesn't in time."""
    try:
        async with asyncio.timeout(LOOKED_UP_WITHIN):
            return await asked
    except ChatError as refusal:
        log.info("Slack doesn't answer a look-up; going on without", **facts(refusal))
    except TimeoutError:
        log.info("Slack doesn't answer a look-up in time; going on without")
    return None


async def _nothing() -> None:
    """Say nothing."""


def _now() -> str:
    """Return a ts that is before all that is said from now on, also by Slack's clock."""
    return ts_at(SCALE.at(time.time() - CLOCKS_DIFFER_BY))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
