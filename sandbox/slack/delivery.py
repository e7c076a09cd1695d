"""Brings payloads to the bot, again where Slack would bring them again, whatever carries them."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.slack.faults import Faults
    from sandbox.slack.nouns import JsonObject

ACK_SECONDS = 3.0  # https://docs.slack.dev/apis/events-api#responding
RETRY_SECONDS = (0.0, 60.0, 300.0)  # https://docs.slack.dev/apis/events-api#retries


LOG_LENGTH = 10_000  # attempts that are remembered


class Kind(StrEnum):
    """The `type` of an envelope: https://docs.slack.dev/apis/events-api/using-socket-mode#events"""

    EVENT = "events_api"
    COMMAND = "slash_commands"
    INTERACTIVE = "interactive"


@dataclass(frozen=True, slots=True)
class Parcel:
    kind: Kind
    payload: JsonObject
    accepts_response: bool = False  # whether the acknowledgement may carry an answer


@dataclass(frozen=True, slots=True)
class Retry:
    """Which delivery this is; number 0 is the first."""

    number: int = 0
    reason: str = ""


class UndeliveredError(Exception):
    """The bot didn't acknowledge; `reason` as Slack puts it, `final` when the bot asked for no more."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Carrier(Protocol):
    """A way to the bot: sockets, or its request URL."""

    late: str  # how a retry over it calls an acknowledgement that never came

    async def ready(self) -> None: ...  # returns when there is a way to the bot, which may be never

    async def carry(self, parcel: Parcel, retry: Retry) -> JsonObject | None:
        """Hand over; return what the acknowledgement carried. Raises UndeliveredError."""
        ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt, for looking back."""

    parcel: Parcel
    retry: Retry
    acknowledged: bool


class Deliveries:
    """Owns one task for each event on its way."""

    def __init__(self, carrier: Carrier, faults: Faults, pauses: tuple[float, ...], wake: Callable[[], None]) -> None:
        self.log: deque[Delivered] = deque(maxlen=LOG_LENGTH)
        self._carrier = carrier
        self._faults = faults
        self._pauses = pauses  # seconds before each retry
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, envelope: JsonObject) -> None:
        """Deliver an event in the background, with retries; waits for a way to the bot as long as that takes."""
        task = asyncio.create_task(self._deliver(Parcel(Kind.EVENT, envelope)))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def ask(self, parcel: Parcel) -> JsonObject | None:
        """Deliver a command or interaction, once: Slack doesn't repeat them. Raises UndeliveredError."""
        return await self._attempt(parcel, Retry())

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    @property
    def under_way(self) -> int:
        """How many events are neither acknowledged nor given up."""
        return len(self._tasks)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """Let go of a task; one that broke is kept for stop() to tell."""
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
        self._wake()

    async def _deliver(self, parcel: Parcel) -> None:
        retry = Retry()
        for pause in (*self._pauses, None):
            await self._carrier.ready()
            try:
                await self._attempt(parcel, retry)
            except UndeliveredError as failure:
                if failure.final or pause is None:
                    return
                retry = Retry(retry.number + 1, failure.reason)
                await asyncio.sleep(pause)
            else:
                break
        for again in range(1, self._faults.redeliver + 1):
            await self._repeat(parcel, Retry(retry.number + again, self._carrier.late))

    async def _repeat(self, parcel: Parcel, retry: Retry) -> None:
        await self._carrier.ready()
        try:
            await self._attempt(parcel, retry)
        except UndeliveredError:
            return  # the bot had it already; the log tells

    async def _attempt(self, parcel: Parcel, retry: Retry) -> JsonObject | None:
        acknowledged = False
        try:
            answer = await self._carrier.carry(parcel, retry)
            if parcel.kind is Kind.EVENT and self._faults.loses_this_ack():
                raise UndeliveredError(self._carrier.late)
            acknowledged = True
            return answer
        finally:
            self.log.append(Delivered(parcel, retry, acknowledged))
            self._wake()
