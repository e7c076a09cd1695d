"""What people do in Slack, handed to core: questions, edits, deletions, commands and clicks."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from bots.commands import HELP, is_command, obey
from bots.slack.events import Ignored, Revised, Withdrawn, channel_of_command, first_note, read_event
from bots.slack.footer import read_click
from bots.slack.markdown import pages, plain
from bots.slack.unreadable import MALFORMED, kind_of, skipped
from core.errors import ChatError, NotAllowed, StorageUnavailable
from core.turn import Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bots.kit import Notes
    from bots.slack.api import Api, Identity
    from bots.slack.catch_up import CatchUp
    from bots.slack.footer import Click
    from bots.slack.signs import Signs
    from core.relay import Relay
    from core.thread import Thread
    from core.turn import QuestionKey
    from core.vitals import Metrics

# Slack shows an error after 3: https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
ANSWER_TIMEOUT = 2.5  # seconds
LOOK_UP_TIMEOUT = 1.0  # seconds
# A signature is good for five minutes before and after the moment that it names:
# https://docs.slack.dev/authentication/verifying-requests-from-slack
REPLAYABLE = timedelta(minutes=11)
MOST_REMEMBERED = 1_000  # of anything that is only in memory
# What everybody in the channel should see who did.
_CHANGE = re.compile(r"preset\s+(set|reset)\b", re.IGNORECASE)
_FOR_THREADS = ("reset", "retry")
_ONLY_IN_THREADS = "`{0}` is for threads: mention me there with the word `{0}`."
_REPLAYED = "That command came twice; I did it the first time."
_GONE = "I don't have that question any more. Please ask it again."

log = structlog.get_logger(__name__)


class Hearing:
    """Hands over what is heard; returns only when that is recorded."""

    def __init__(
        self, relay: Relay, identity: Identity, api: Api, signs: Signs, *, kept: Notes, metrics: Metrics
    ) -> None:
        self._relay = relay
        self._metrics = metrics
        self._identity = identity
        self._api = api
        self._signs = signs
        self._kept = kept
        # Redelivered, a command must not be obeyed again: what it changed may have been changed anew.
        self._obeyed: dict[QuestionKey, None] = {}
        self._clicked: dict[str, None] = {}  # two people may click the same button

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
                log.debug("A message is not for me.", why=reason)
            case Revised() as revised:
                await catch_up.before(revised.question)
                await self.revise(revised)
            case Withdrawn(key):
                await self._relay.withdraw(key)
            case question if is_late:
                log.info("A question came too late to be answered.", question=question.key)
            case question:
                await catch_up.before(question)
                await self.take(question)
        catch_up.saw(at)

    async def take(self, question: Question) -> bool:
        """Record a question, or obey a command; return whether there was anything to do."""
        if await self._is_obeyed(question):
            return True
        note = first_note(question, has_sign=True)
        accepted = await self._relay.ask(question, note.write())
        if accepted.is_new:
            self._signs.on(note.where.channel, note.where.question_ts)
        return accepted.is_new

    async def revise(self, revised: Revised) -> None:
        """Take note of an edit; one that makes a message a question asks it."""
        is_known = revised.was_asked or not await self.take(revised.question)
        # Who makes a command of a question wants neither an answer to it, nor, perhaps, what it would do.
        if is_known and not is_command(revised.question.text):
            await self._relay.revise(revised.question)

    async def _is_obeyed(self, question: Question) -> bool:
        """If the words are a command, obey it, or know that it was obeyed before."""
        if question.key in self._obeyed:
            return True
        # Marked before it is obeyed: the same message may come through the second door meanwhile.
        self._obeyed[question.key] = None
        told = None
        try:
            # In another process too, or before this one.
            if is_command(question.text) and await self._relay.is_known(question.key):
                return True
            told = await self._obey(question.text, question.thread, question.asker)
            if told is not None:
                await self._relay.tell(question, told, first_note(question).write())
        except StorageUnavailable:
            told = None
            raise
        finally:
            if told is None:
                del self._obeyed[question.key]
        forget_oldest(self._obeyed)
        return told is not None

    # Commands

    async def _obey(self, words: str, thread: Thread, user: str) -> str | None:
        """Obey *words* if they are a command that *user* may give; return what to tell, None if they are none."""
        if _CHANGE.match(words.strip()) and await self._is_guest(user):
            return NotAllowed(
                "Presets are changed by members of this workspace; guests can see them: `preset show`."
            ).sentence
        return await obey(words, self._relay, thread, user)

    async def _is_guest(self, user: str) -> bool:
        """Where Slack doesn't tell, everybody counts as a member: the change is there for all in the channel to see."""
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT):
                return await self._api.is_guest(user, self._identity.team)
        except (ChatError, TimeoutError) as refusal:
            log.warning("Slack doesn't tell who is a guest, so anybody may change presets.", why=str(refusal))
            return False

    async def command(self, command: Mapping[str, Any], signature: str = "") -> dict[str, Any]:
        """Obey a slash command, once by its trigger, or by its *signature* should it have none; return what to say."""
        words = plain(command.get("text") or "", self._identity.user, names={})
        told = await self._obey_slash(words, command, str(command.get("trigger_id") or signature))
        is_change = bool(_CHANGE.match(words)) and told.startswith("Done")
        page = pages(told)[0]
        return {
            "response_type": "in_channel" if is_change else "ephemeral",
            "text": page.fallback,
            "blocks": [{"type": "markdown", "text": page.markdown}],
        }

    async def _obey_slash(self, words: str, command: Mapping[str, Any], occasion: str) -> str:
        if (verb := words.strip().lower().rstrip(".!")) in _FOR_THREADS:
            return _ONLY_IN_THREADS.format(verb)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                if _CHANGE.match(words) and not await self._is_new(occasion):
                    return _REPLAYED
                return await self._obey(words, channel_of_command(command), command["user_id"]) or HELP
        except (StorageUnavailable, TimeoutError):
            return StorageUnavailable().sentence

    async def _is_new(self, occasion: str) -> bool:
        """Has what happened on this *occasion*, of which there is only one, not been taken before, by any process?"""
        return not occasion or await self._kept.first_time(f"slack/{occasion}", REPLAYABLE)

    # Clicks

    async def click(self, body: Mapping[str, Any], tasks: asyncio.TaskGroup) -> None:
        """Have a question answered anew. What there is to tell whoever clicked is told in one of *tasks*."""
        click = read_click(body)
        if click is None:
            log.warning("A button was clicked where it doesn't belong.")
        elif click.button not in self._clicked and (
            problem := await self._again(click, str(body.get("trigger_id") or ""))
        ):
            tasks.create_task(self._whisper(click, problem))

    async def _again(self, click: Click, occasion: str) -> str:
        """Return a sentence when it can't be."""
        self._clicked[click.button] = None
        forget_oldest(self._clicked)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                if not await self._is_new(occasion):
                    return ""
                return "" if await self._relay.again(click.key) else _GONE
        except (StorageUnavailable, TimeoutError):
            self._clicked.pop(click.button, None)
            return StorageUnavailable().sentence

    async def _whisper(self, click: Click, sentence: str) -> None:
        where = {"channel": click.channel, "user": click.user}
        if click.thread_ts:
            where["thread_ts"] = click.thread_ts
        try:
            await self._api.whisper(**where, text=sentence)
        except ChatError as refusal:
            log.warning("Slack did not let me answer a click.", code=refusal.code, detail=refusal.detail)


def forget_oldest(remembered: dict[Any, Any]) -> None:
    while len(remembered) > MOST_REMEMBERED:
        del remembered[next(iter(remembered))]
