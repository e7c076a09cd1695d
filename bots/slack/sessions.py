"""Shows people in Slack, beside an answer, that the agent is at it, and how a thread is called.

Where Slack has sessions a question begins one, which brings a Stop button, and its answer sets it back; else a line says
that the bot is thinking, and goes. Nice to have, never worth a failure. https://docs.slack.dev/ai/agent-sessions
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bots.bucket import Bucket, until_free
from bots.finding import Finding, Verdict
from bots.slack.streams import LASTING, OFF_FOR, OFF_FOR_UNKNOWN
from core.bounded import Bounded, BoundedSet
from core.errors import ChatBusy, ChatError, RefusalUnclear, ThreadGone, facts
from core.language import marked, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from bots.slack.api import Api
    from bots.slack.ids import Place

# https://docs.slack.dev/reference/methods/agents.sessions.setStatus: a word of these, and tier 3. Nothing but another one
# ends PROCESSING, except an hour.
PROCESSING, ACTIVE = "processing", "active"
THINKING = marked("is thinking…")  # Slack puts the name before it: …/assistant.threads.setStatus
CALLS_A_MINUTE, CALLS_AT_ONCE = 40, 10
TIMEOUT = 3.0  # seconds for one call
MOST_WAITING = 500
MOST_KNOWN = 10_000
_SESSIONS = "agents.sessions.setStatus"
MOST_PROMPTS = 4  # https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
DEAF = "missing_agent_session_stopped_event_subscription"
SUGGESTED_FOR = 600.0  # seconds in which they are not suggested again
HELP, SHOW = marked("What can you do?"), marked("Which model and instructions do you use?")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    place: Place
    title: str
    asker: str
    thinking: str  # in the language of the asker


class Sessions:
    """The sessions of one installation."""

    def __init__(self, api: Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._calls = Bucket(CALLS_A_MINUTE / 60, CALLS_AT_ONCE, clock)
        self._waiting: deque[_Begun] = deque(maxlen=MOST_WAITING)
        self._more = asyncio.Event()
        self._running: Counter[Place] = Counter()  # questions that are not over
        self._seen: Bounded[Place, Callable[[Place], Awaitable[None]]] = Bounded(MOST_KNOWN)  # how each is set back
        # One call at a time, so that nothing comes after its own end.
        self._one_call = asyncio.Lock()
        self._off_until: dict[str, float] = {}  # by method
        self._suggested: Bounded[str, float] = Bounded(MOST_KNOWN)
        self._told: BoundedSet[str] = BoundedSet(100)  # codes that were logged
        self._is_deaf = False  # does nobody tell us when the Stop button is pressed, so that Slack shows none?

    def begin(self, place: Place, title: str, asker: str) -> None:
        """Somebody has asked there; *title* is for a session that nobody began yet."""
        self._running[place] += 1
        self._waiting.append(_Begun(place, title, asker, say(THINKING)))
        self._more.set()

    async def end(self, place: Place, *, by_stream: bool = False) -> None:
        """An answer there is over. *by_stream*: its stream was ended, which sets a session back as well."""
        if place not in self._running:  # another process took the question, and may be no more
            if not by_stream:
                await self._try(lambda: self._set_active(place), _SESSIONS)
            return
        self._running[place] -= 1
        if self._running[place] > 0:
            return
        del self._running[place]
        async with self._one_call:
            back = self._seen.pop(place, None)
        if back and not (by_stream and back == self._set_active):
            await self._try(lambda: back(place))

    async def run(self) -> None:
        """Work off what waits, until cancelled."""
        while True:
            self._more.clear()
            while self._waiting:
                begun = self._waiting.popleft()
                await until_free(self._calls.wait_for)
                self._calls.take()
                async with self._one_call:
                    if self._running[begun.place] > 0 and begun.place not in self._seen:
                        await self._show(begun)
            await self._more.wait()

    def findings(self) -> Iterator[Finding]:
        """Yield what Slack warned of."""
        if self._is_deaf:
            yield Finding(
                "The app isn't subscribed to agent_session_stopped, so people see no Stop button of Slack's own. Paste "
                "`bobbin manifest slack` at https://api.slack.com/apps, and install the app again.",
                Verdict.ADVICE,
            )

    async def suggest(self, channel: str, presets: Sequence[str]) -> None:
        """Suggest what to ask to somebody who has opened the direct messages."""
        if self._clock() - self._suggested.get(channel, -SUGGESTED_FOR) < SUGGESTED_FOR:
            return
        self._suggested[channel] = self._clock()
        own = [
            (say("Answer with the preset “{name}”", name=name), f"preset set {name}")
            for name in presets
            if name != "default"
        ]
        all_ = (say(HELP), "help"), (say(SHOW), "preset show"), *own
        prompts = [{"title": title, "message": message} for title, message in all_]
        await self._try(lambda: self._api.suggest(channel, prompts[:MOST_PROMPTS]))

    async def _show(self, begun: _Begun) -> None:
        channel, ts = begun.place

        async def process() -> None:
            warning = await self._api.session_status(channel, ts, PROCESSING, title=begun.title, user=begun.asker)
            self._is_deaf = warning == DEAF

        async def think() -> None:
            await self._api.thread_status(channel, ts, begun.thinking)

        if await self._try(process, _SESSIONS):
            self._seen[begun.place] = self._set_active
        elif await self._try(think, "assistant.threads.setStatus"):
            self._seen[begun.place] = self._set_nothing

    async def _set_active(self, place: Place) -> None:
        await self._api.session_status(*place, ACTIVE)

    async def _set_nothing(self, place: Place) -> None:
        await self._api.thread_status(*place, "")

    async def _try(self, call: Callable[[], Awaitable[None]], method: str = "") -> bool:
        """Call, unless Slack has refused *method* of late; return whether it was done."""
        if self._off_until.get(method, 0.0) > self._clock():
            return False
        try:
            async with asyncio.timeout(TIMEOUT):
                await call()
        except TimeoutError:
            self._tell({"code": "timeout"})
        except ChatError as refusal:
            is_known = not isinstance(refusal, ChatBusy) or isinstance(refusal, RefusalUnclear)
            if method and is_known and not isinstance(refusal, ThreadGone):
                self._off_until[method] = self._clock() + (OFF_FOR if refusal.code in LASTING else OFF_FOR_UNKNOWN)
            self._tell(facts(refusal))
        else:
            return True
        return False

    def _tell(self, why: Mapping[str, Any]) -> None:
        if self._told.add(str(why["code"])):
            log.info("Slack shows no status of an answer; answering without", **why)
