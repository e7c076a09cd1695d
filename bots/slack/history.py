"""Reads what was said in Slack before a question, within what Slack allows in a workspace."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bots.bucket import until_free
from bots.listening.events import Overheard, Said
from bots.listening.history import CHANNEL_WITHIN, MOST_OF_CHANNEL, Page, Stretch, Wanted
from bots.listening.recent import BEGINNING, Stand, remark_of
from bots.listening.unreadable import HISTORY, MALFORMED
from bots.slack.events import read_message
from bots.slack.ids import NAME, SCALE, asked_by, is_ask, is_ts, message_of, place_of, position, thread_in, ts_at
from bots.slack.pace import KEPT_FROM_CONTEXT, reading
from bots.slack.unreadable import skipped
from core.errors import ChatError, ChatForbidden, ChatLimited
from core.language import marked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bots.listening.recent import Remark
    from bots.slack.api import Api, Identity
    from bots.slack.naming import Naming
    from bots.slack.note import Where
    from bots.slack.pace import Pace
    from bots.slack.roots import Roots
    from core.metrics import Metrics
    from core.turn import Question, QuestionKey

PAGE = 200  # messages; Slack recommends no more, and few threads have
# A longer thread has its newest messages searched for, from about where the last ones would stand if people had always
# written as much, and with larger pages: https://docs.slack.dev/reference/methods/conversations.replies
LARGE_PAGE = 1_000
PAGES = 4  # calls at most
WIDER = 8  # times as far back, where nothing was found
FEW = 15  # messages at once for some apps, which may ask only once a minute: …/apis/web-api/rate-limits
FEW_AGAIN = 60.0  # seconds

BUSY = marked(
    "More is asked here at the moment than Slack lets me read, so I answered without what was said before. Ask again in "
    "a minute if that matters."
)
FEW_AT_ONCE = marked(
    "Slack lets this app read only 15 messages once a minute, so I may have missed some of what was said before. "
    "Whoever runs me can lift that by creating the app in this workspace itself."
)
NOT_HERE = marked("I'm not in this channel, so I can't read what was said here before. Anybody here can /invite me.")
NOT_IN_THAT_CHANNEL = marked(
    "I'm not in the channel of that message, so I couldn't read what was said there before. Anybody there can /invite me."
)
FORBIDDEN = marked(
    "I may not read what was said here before. Whoever runs me can grant the scopes channels:history and groups:history."
)

Message = dict[str, Any]

log = structlog.get_logger(__name__)


def stands(said: Said) -> Stand:
    """As `Recent` asks."""
    team, channel, ts = message_of(said.question.key)
    if not is_ts(ts):  # it hangs on no message
        return Stand(said.question.thread.id, said.position)
    _, thread_ts = place_of(said.question.thread.id)
    is_root = thread_ts == ts
    return Stand(thread_in(team, channel, "" if is_root else thread_ts).id, position(ts), begins=is_root)


def wanted(question: Question, since: QuestionKey | None, thread_ts: str, where: Where) -> Wanted | None:
    """Say what belongs before *question*; None for what is between one person and the bot, or begins a thread of ours.

    *thread_ts*: of the message that its thread really begins with. *where* its answer goes.
    """
    try:
        team, channel, ts = message_of(question.key)
    except ValueError:
        return None
    ts = asked_by(where.question_ts) if is_ask(question.key) and not where.opens else ts
    if channel.startswith("D") or not (is_ts(ts) and is_ts(thread_ts)):
        return None
    asked = message_of(since)[2] if since else ""
    # What was asked in a form hangs on no message: nobody knows how much of the thread was told with it.
    after = position(asked) if is_ts(asked) else BEGINNING
    if is_ask(question.thread.id):  # the bot itself began it, and nothing led to that
        return Wanted(Stretch(question.thread.id, max(after, position(thread_ts)), position(ts)))
    lead = _before(team, channel, thread_ts)
    if ts == thread_ts:
        return Wanted(lead)
    return Wanted(Stretch(question.thread.id, after, position(ts)), None if since else lead)


def wanted_about(question: Question, where: Where) -> Wanted | None:
    """Say what belongs before a private *question*: the thread of the message that it is about, if it is about one."""
    about = where.about
    if about is None or not is_ts(about.thread_ts):
        return None
    team, *_ = message_of(question.key)
    thread = thread_in(team, about.channel, about.thread_ts).id
    stretch = Stretch(thread, BEGINNING, position(asked_by(where.question_ts)))
    return Wanted(stretch, _before(team, about.channel, about.thread_ts))


def _before(team: str, channel: str, ts: str) -> Stretch:
    after = position(ts) - CHANNEL_WITHIN * SCALE.a_second
    return Stretch(thread_in(team, channel).id, after, position(ts), MOST_OF_CHANNEL)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a call was answered."""

    messages: Sequence[Message]  # oldest first
    is_more: bool
    problem: str


class SlackHistory:
    """Reads the history of one installation."""

    def __init__(
        self,
        api: Api,
        pace: Pace,
        identity: Callable[[], Awaitable[Identity]],
        metrics: Metrics,
        *,
        naming: Naming,
        roots: Roots,
        patience: float,  # seconds, with the workspace's budget
    ) -> None:
        self._patience = patience
        self._api = api
        self._pace = pace
        self._identity = identity
        self._metrics = metrics
        self._naming = naming
        self._roots = roots

    def problem(self, error: ChatError, stretch: Stretch) -> str | None:
        match error:
            case ChatLimited():
                # Called into a thread, it is asked about just that; elsewhere most questions do without.
                return BUSY if stretch.is_whole else ""
            case ChatForbidden(code="not_in_channel"):
                return NOT_HERE
            case ChatForbidden():
                return FORBIDDEN
        return None

    async def read(self, stretch: Stretch) -> Page:
        """The newest messages of a channel come first, so that one call will do. A thread comes from its beginning on."""
        team, *_ = stretch.place.removeprefix(f"{NAME}:").split("/")
        channel, thread_ts = await self._roots.place_of(stretch.place) or place_of(stretch.place)
        if thread_ts:
            return await self._thread(team, channel, thread_ts, stretch)
        told = await self._call(channel, "", stretch, stretch.after, stretch.most)
        read = await self._readable(team, channel, told.messages)
        whole_from = read[0].position if told.is_more and read else stretch.after + 1
        return Page(read, whole_from, problem=told.problem)

    async def _thread(self, team: str, channel: str, thread_ts: str, stretch: Stretch) -> Page:
        after = last = stretch.after
        parent: Message = {}
        found: Sequence[Message] = ()
        for number in range(PAGES):
            told = await self._call(channel, thread_ts, stretch, after, LARGE_PAGE if number else PAGE)
            parent = next((one for one in told.messages if one["ts"] == thread_ts), parent)
            replies = [one for one in told.messages if one["ts"] != thread_ts]
            found = replies or found
            if told.problem or (not told.is_more and (replies or after == last)):
                break
            if replies:
                last = position(replies[-1]["ts"])
                after = last if number else _guess(last, stretch, parent, len(replies))
            else:  # from too late on
                after = max(last, stretch.before - (stretch.before - after) * WIDER)
        read = await self._readable(team, channel, found)
        head = await self._readable(team, channel, [parent] if parent and stretch.is_whole else [])
        if after == stretch.after and not told.is_more:
            return Page(read, after + (not stretch.is_whole), head[0] if head else None)
        newest, count = read[-stretch.most :], parent.get("reply_count")
        return Page(
            newest,
            newest[0].position if newest and not told.is_more else stretch.before,
            head[0] if head else None,
            left_out=max(0, count - len(newest)) if isinstance(count, int) and stretch.is_whole else 0,
            problem=told.problem,
        )

    async def _call(self, channel: str, thread_ts: str, stretch: Stretch, after: int, most: int) -> _Told:
        """Read *most* messages of *stretch*, but only from *after* on.

        Raises a ChatError, ChatLimited also where there is no budget left; a thread that isn't known is worth a wait.
        """
        reads = self._pace.reads(thread_ts)
        if stretch.is_whole:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await until_free(lambda: reads.wait_for(KEPT_FROM_CONTEXT))
        if reads.wait_for(KEPT_FROM_CONTEXT) > 0:
            raise ChatLimited("no budget to read", code="budget")
        reads.take()
        try:
            page = await self._api.said_before(channel, thread_ts, ts_at(after), ts_at(stretch.before), most)
        except ChatLimited as error:
            self._pace.refused(reading(thread_ts), error.retry_after or FEW_AGAIN)
            raise
        messages = [one for one in page["messages"] if isinstance(one, dict) and is_ts(one.get("ts"))]
        for _ in range(len(page["messages"]) - len(messages)):
            skipped(HISTORY, None, self._metrics)
        is_more = bool(page["response_metadata"]["next_cursor"])
        is_few = is_more and len(messages) <= FEW < most
        if is_few:
            self._pace.refused(reading(thread_ts), FEW_AGAIN)
        messages.sort(key=lambda one: position(one["ts"]))
        return _Told(messages, is_more, FEW_AT_ONCE if is_few else "")

    async def _readable(self, team: str, channel: str, messages: Sequence[Message]) -> list[Remark]:
        """Read what others than the bot have said."""
        me = (await self._identity()).user
        names = await self._naming.of({"attachments": messages})  # of all at once
        remarks = []
        for message in messages:
            try:
                heard = read_message(message, team, channel, me, names)
                if isinstance(heard, Overheard | Said):
                    remarks.append(remark_of(heard, position(message["ts"])))
            except MALFORMED as error:
                skipped(HISTORY, error, self._metrics)
        return remarks


def _guess(last: int, stretch: Stretch, parent: Message, read: int) -> int:
    """Return from where on there may be half of a large page; *read* messages stand up to *last*."""
    count = parent.get("reply_count")
    rest = count - read if isinstance(count, int) and stretch.is_whole else 0
    span = stretch.before - last
    return stretch.before - (span * LARGE_PAGE // 2 // rest if rest > LARGE_PAGE // 2 else span)
