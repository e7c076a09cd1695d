"""Buttons under a finished answer in Slack: how its details look, and where more of it goes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog

from bots.listening.finished import NO_BRANCH, NOT_NOTED, NOTED, Means, finish
from bots.reply.export import FILE_NAME
from bots.reply.note import Note
from bots.slack.buttons import rows
from bots.slack.ids import ask_id, message_of, thread_in
from bots.slack.limits import escaped
from bots.slack.note import Where, notes
from core.aftermath import LONGEST_COMMENT, derived
from core.errors import ChatError, Refused, facts
from core.language import marked, say
from core.turn import BRANCHES, QuestionKey
from core.words import is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bots.listening.finished import Outcome
    from bots.reply.details import Details
    from bots.slack.api import Api
    from bots.slack.buttons import Click
    from bots.slack.people import People
    from bots.slack.ways import Ways
    from core.relay import Relay
    from core.thread import Thread
    from core.turn import Turn

WHY = "why"  # the callback_id of the form, and its one block
NO_FILE = marked("Slack doesn't let me send you the file right now. Please try again in a minute.")
SENT = marked("I've sent you the file in our direct messages.")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody adds to a verdict, and where to tell them what became of it."""

    key: QuestionKey
    by: str
    words: str
    channel: str
    thread_ts: str


class Finished:
    """Takes clicks under finished answers, on one connection."""

    def __init__(self, relay: Relay, *, api: Api, people: People, ways: Ways, tells_names: bool) -> None:
        """*tells_names*: may the AI service be told what people are called?"""
        self._relay = relay
        self._api = api
        self._people = people
        self._ways = ways
        self._notes = notes()
        self._tells_names = tells_names

    async def take(self, click: Click) -> Outcome:
        """Do what is wished for. Raises StorageUnavailable."""
        click = click if self._tells_names else replace(click, name="")
        return await finish(self._relay, click, self._means(click))

    def _means(self, click: Click) -> Means:
        async def manages() -> bool:
            return await self._people.manages(click.by, click.channel)

        async def branching(turn: Turn) -> tuple[Thread, Note[Where]]:
            where = self._where(turn)
            answer = self._notes.read(turn.reply).messages[-1:]
            link = await self._ways.link(where.channel, answer[0].id) if answer else ""
            team, _, _ = message_of(turn.question.key)
            # Known before there is a message, and the same for each click.
            id_ = ask_id(f"{derived(turn, BRANCHES).rpartition('/')[2]}.{click.by}".replace("_", "."))
            begun = replace(where, thread_ts="", opens=True, branch_of=link)
            return thread_in(team, where.channel, id_), Note(begun)

        async def going_on(turn: Turn) -> Note[Where]:
            return Note(self._where(turn))

        return Means(
            manages=manages,
            going_on=going_on,
            branching=branching,
            branches=lambda turn: not turn.question.is_private,
        )

    def _where(self, turn: Turn) -> Where:
        """Return where more of an answer goes: nothing of it was said before now. Raises Refused if nobody knows."""
        if not turn.reply:
            raise Refused(say(NO_BRANCH))
        where = self._notes.read(turn.reply).where
        return Where(where.channel, where.thread_ts, self._ways.now())

    async def show(self, click: Click, outcome: Outcome) -> None:
        """Show who clicked what came of it."""
        try:
            if outcome.details:
                await self._whisper(click, **await self._details(click, outcome.details))
            elif outcome.file:
                await self._whisper(click, text=await self._sent(click, outcome.file))
            elif outcome.asks_why:
                await self._api.open_view(click.trigger, form(click))
            elif outcome.sentence:
                await self._whisper(click, text=escaped(outcome.sentence))
        except ChatError as refusal:
            log.warning("somebody can't be shown what came of a click", **facts(refusal))

    async def _details(self, click: Click, details: Details) -> dict[str, Any]:
        turn = await self._relay.turn(click.key)
        return {"text": _fallback(details), "blocks": blocks_of(details, turn)} if turn else {"text": say(NOT_NOTED)}

    async def _sent(self, click: Click, file: str) -> str:
        """Send a file to who clicked; return what to tell there."""
        try:
            direct = await self._api.open_direct(click.by)
            await self._api.upload(FILE_NAME, file.encode(errors="replace"), direct, "")
        except ChatError as refusal:
            log.warning("a thread can't be sent as a file", **facts(refusal))
            return say(NO_FILE)
        return say(SENT)

    async def comment(self, comment: Comment) -> str:
        """Keep what was written in the form; return what to tell. Raises StorageUnavailable."""
        if is_blank(comment.words):
            return ""
        is_noted = await self._relay.aftermath.comment(comment.key, comment.by, comment.words)
        return say(NOTED if is_noted else NOT_NOTED)

    async def _whisper(self, click: Click, **said: Any) -> None:
        await self._api.whisper(channel=click.channel, user=click.by, thread_ts=click.thread_ts, **said)


def blocks_of(details: Details, turn: Turn) -> list[dict[str, Any]]:
    """Return how *details* look: in plain text nothing of them is markup, or calls anybody."""
    # https://docs.slack.dev/reference/block-kit/blocks/section-block
    fields = [{"type": "plain_text", "text": f"{name}: {said}"[:_FIELD]} for name, said in details.facts]
    blocks: list[dict[str, Any]] = [{"type": "section", "fields": fields}]
    if details.reasoning:
        reasoning = f"{say('How it reasoned:')}\n{details.reasoning}"
        blocks.append({"type": "section", "text": {"type": "plain_text", "text": reasoning, "emoji": False}})
    return blocks + rows(details.buttons, turn)


_FIELD = 2_000  # characters: https://docs.slack.dev/reference/block-kit/blocks/section-block


def _fallback(details: Details) -> str:
    return escaped("\n".join(f"{name}: {said}" for name, said in details.facts))


def form(click: Click) -> dict[str, Any]:
    """Return the form in which to say what is wrong with an answer. https://docs.slack.dev/reference/views/modal-views"""
    words = {"type": "plain_text_input", "action_id": WHY, "multiline": True, "max_length": LONGEST_COMMENT}
    label = {"type": "plain_text", "text": say("What was wrong? Those who run me can read it.")}
    return {
        "type": "modal",
        "callback_id": WHY,
        "title": {"type": "plain_text", "text": say("Thanks for telling me")},
        "submit": {"type": "plain_text", "text": say("Send")},
        "close": {"type": "plain_text", "text": say("No comment")},
        "private_metadata": json.dumps([click.key, click.channel, click.thread_ts]),
        "blocks": [{"type": "input", "block_id": WHY, "label": label, "element": words, "optional": True}],
    }


def read_comment(body: Mapping[str, Any]) -> Comment:
    """Read the form as it was sent. Raises ValueError, LookupError or TypeError for what is no form of ours.

    https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload#view_submission
    """
    view = body["view"]
    words = view["state"]["values"][WHY][WHY].get("value") or ""
    match json.loads(view["private_metadata"]):
        case [str(key), str(channel), str(thread_ts)] if isinstance(words, str):
            return Comment(QuestionKey(key), str(body["user"]["id"]), words, channel, thread_ts)
    raise ValueError("not a form of ours")
