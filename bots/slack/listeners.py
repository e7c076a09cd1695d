"""What people do in Slack, handed to core: questions, edits, deletions, commands and clicks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from bots.slack.events import NAME, Ignored, Revised, Withdrawn, channel_of_command, first_note, read_event
from bots.slack.markdown import pages, plain
from bots.slack.unreadable import MALFORMED, kind_of, skipped
from core.commands import Command, Told, Verb, parse
from core.errors import ChatError, NotAllowed, StorageUnavailable, facts
from core.turn import Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bots.slack.api import Api, Identity
    from bots.slack.catch_up import CatchUp
    from bots.slack.footer import Click
    from bots.slack.indicator import Indicator
    from core.metrics import Metrics
    from core.relay import Relay

# Slack shows an error after 3: https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
ANSWER_TIMEOUT = 2.5  # seconds
LOOK_UP_TIMEOUT = 1.0  # seconds
_FOR_THREADS = (Verb.RESET, Verb.RETRY)
_ONLY_IN_THREADS = "`{0}` is for threads: mention me there with the word `{0}`."
_GONE = "I can't find that question any more. Please ask it again."

log = structlog.get_logger(__name__)


class Listeners:
    """Hands over what is heard; returns only when that is recorded."""

    def __init__(self, relay: Relay, identity: Identity, api: Api, indicator: Indicator, *, metrics: Metrics) -> None:
        self._relay = relay
        self._metrics = metrics
        self._identity = identity
        self._api = api
        self._indicator = indicator

    async def hear(self, body: Mapping[str, Any], catch_up: CatchUp) -> None:
        """Take an event; one that can't be read is skipped. Raises StorageUnavailable: then it is not recorded."""
        try:
            heard = read_event(body, self._identity.user)
            is_late = isinstance(heard, Question) and catch_up.is_too_old(heard)
            at = body["event"].get("event_ts") or body["event"]["ts"]
        except MALFORMED as error:  # it would come again and again, and fail every time
            skipped(kind_of(body), error, self._metrics)
            return
        match heard:
            case Ignored(reason):
                log.debug("a message is not for the bot", why=reason)
            case Revised() as revised:
                await catch_up.before(revised.question)
                await self.revise(revised)
            case Withdrawn(key):
                await self._relay.withdraw(key)
            case question if is_late:
                log.info("a question comes too late to be answered", question=question.key)
            case question:
                await catch_up.before(question)
                await self.take(question)
        catch_up.saw(at)

    async def take(self, question: Question) -> bool:
        """Record a question, or obey a command; return whether that had not been done before."""
        # A command is done before anybody could see a sign of it.
        has_sign = parse(question.text) is None
        note = first_note(question, has_sign=has_sign)
        accepted = await self._relay.hear(
            question, note.write(), may_change=lambda: self._check_may_change(question.asker)
        )
        if accepted.is_new and has_sign:
            self._indicator.on(note.where.channel, note.where.question_ts)
        return accepted.is_new

    async def revise(self, revised: Revised) -> None:
        """Take note of an edit; one that makes a message a question asks it."""
        if revised.was_asked or not await self.take(revised.question):
            await self._relay.revise(revised.question)

    # Commands

    async def _check_may_change(self, user: str) -> None:
        """Raise NotAllowed for guests. Where Slack doesn't tell, everybody counts as a member: the change is there for
        all in the channel to see.
        """
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT):
                is_guest = await self._api.is_guest(user, self._identity.team)
        except (ChatError, TimeoutError) as refusal:
            log.warning("Slack doesn't tell who is a guest; letting anybody change presets", **facts(refusal))
            return
        if is_guest:
            raise NotAllowed("Guests can't change presets. `preset show` shows the current one.")

    async def command(self, command: Mapping[str, Any], signature: str = "") -> dict[str, Any]:
        """Obey a slash command, once by its trigger, or by its *signature* should it have none; return what to say."""
        words = plain(command.get("text") or "", self._identity.user, names={})
        occasion = str(command.get("trigger_id") or signature)
        told = await self._obey(parse(words) or Command(Verb.HELP), command, occasion)
        page = pages(told.sentence)[0]
        return {
            # What everybody in the channel should see who did.
            "response_type": "in_channel" if told.is_done else "ephemeral",
            "text": page.fallback,
            "blocks": [{"type": "markdown", "text": page.markdown}],
        }

    async def _obey(self, wanted: Command, command: Mapping[str, Any], occasion: str) -> Told:
        if wanted.verb in _FOR_THREADS:
            return Told(_ONLY_IN_THREADS.format(wanted.verb))
        user = command["user_id"]
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                return await self._relay.obey(
                    wanted,
                    channel_of_command(command),
                    user,
                    occasion=f"{NAME}/{occasion}" if occasion else "",
                    may_change=lambda: self._check_may_change(user),
                )
        except (StorageUnavailable, TimeoutError):
            return Told(StorageUnavailable().sentence)

    # Clicks

    async def click(self, click: Click | None, tasks: asyncio.TaskGroup) -> None:
        """Have a question answered again. What there is to tell who clicked is told in one of *tasks*."""
        if click is None:
            log.warning("a button is clicked where it doesn't belong")
        elif problem := await self._again(click):
            tasks.create_task(self._whisper(click, problem))

    async def _again(self, click: Click) -> str:
        """Return a sentence when it can't be."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                return "" if await self._relay.again(click.key, of_attempt=click.attempt) else _GONE
        except (StorageUnavailable, TimeoutError):
            return StorageUnavailable().sentence

    async def _whisper(self, click: Click, sentence: str) -> None:
        where = {"channel": click.channel, "user": click.user}
        if click.thread_ts:
            where["thread_ts"] = click.thread_ts
        try:
            await self._api.whisper(**where, text=sentence)
        except ChatError as refusal:
            log.warning("nobody can be told what becomes of a click", **facts(refusal))
