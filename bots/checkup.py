"""Checks, at startup and regularly after that, whether people can get answers, and reports when that changes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bots.doctor import upstream
from bots.finding import LIMIT, Verdict, side_by_side
from bots.kit import Checked
from core.backoff import Backoff, Pauses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping

    from bots.finding import Check, Finding
    from core.asking.service import Service
    from core.chat import Chat
    from core.settings import Settings
    from core.vitals import Vitals

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """In seconds."""

    every: float = 60.0  # between two looks at what is well: a revoked token is noticed also when nobody asks
    wrong: Backoff = Backoff(first=5.0, longest=300.0)  # until what is wrong is looked at again
    glances: float = 1.0  # between two glances at what this process knows: these ask nobody
    limit: float = LIMIT  # what one look may take


USUAL = Times()


class Checkup:
    """The doctor's checks of what a running process needs, as far as it doesn't meet that by itself at once.

    What is wrong is logged once in the doctor's words, told by `/readyz` as PART setup, and taken back when it is mended.
    """

    def __init__(self, vitals: Vitals, times: Times = USUAL) -> None:
        self._vitals = vitals
        self._times = times
        self._heard: set[str] = set()
        self._looking: list[Callable[[], Coroutine[None, None, None]]] = []
        self._hurried: dict[str, asyncio.Event] = {}  # of each chat: is it to be looked at before its time?
        self._said: dict[str, list[Finding]] = {}  # by part, what is known to be wrong, or worth knowing

    def watch_upstream(self, settings: Settings, service: Service) -> None:
        """Ask the AI service with each token; once all is well only again when it refuses all of them."""
        self._add("upstream", partial(self._watch_upstream, settings, service))

    def watch_chats(self, chats: Mapping[str, Chat], heard: Collection[str]) -> None:
        """Look at all *chats* that can be looked at; to those that are *heard* somebody listens in this process."""
        self._heard |= set(heard)
        for name, chat in chats.items():
            if isinstance(chat, Checked):
                self._hurried[name] = asyncio.Event()
                self._add(name, partial(self._watch_chat, name, chat.check))

    def hurry(self, name: str) -> None:
        """Have a chat looked at now: what it was asked to show was refused because of the token."""
        if name in self._hurried:
            self._hurried[name].set()

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Look beside whatever the body does."""
        tasks = [asyncio.create_task(look()) for look in self._looking]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _add(self, part: str, look: Callable[[], Coroutine[None, None, None]]) -> None:
        self._vitals.expect(_setup(part))
        self._looking.append(look)

    async def _watch_upstream(self, settings: Settings, service: Service) -> None:
        while True:
            await self._until_well("upstream", partial(upstream.check, settings))
            service.trust_tokens()
            while not service.refuses_tokens:  # noqa: ASYNC110  # by the clock: what is set aside comes back by itself
                await asyncio.sleep(self._times.glances)

    async def _watch_chat(self, name: str, check: Check) -> None:
        while True:
            self._hurried[name].clear()
            await self._until_well(name, check)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurried[name].wait(), self._times.every)

    async def _until_well(self, part: str, check: Check) -> None:
        pauses = Pauses(self._times.wrong)
        while True:
            findings = await self._findings(part, check)
            if _wrong(findings) and part in self._heard and part in self._vitals.troubles:
                # What keeps a chat from being connected at all is said by who connects, and once is enough.
                await asyncio.sleep(self._times.glances)
                continue
            if self._tell(part, findings):
                return
            await asyncio.sleep(pauses.next())

    async def _findings(self, part: str, check: Check) -> list[Finding]:
        found: list[Finding] = []
        await side_by_side({part: check}, lambda _, finding: found.append(finding), self._times.limit)
        return found

    def _tell(self, part: str, findings: list[Finding]) -> bool:
        """Tell what is new of *findings*; return whether there is no reason to look again soon.

        With one token that is good people get answers, whatever is wrong with others.
        """
        before = self._said.get(part, [])
        if not findings:  # nothing was found out; the listener reports that by itself
            findings = before
        wrong = _wrong(findings)
        works = not wrong or (part == "upstream" and any(one.verdict is Verdict.WELL for one in findings))
        now = self._said[part] = [one for one in findings if one.verdict is not Verdict.WELL]
        for one in now:
            if not any(one.is_as(other) for other in before):
                tell = log.error if one.verdict is Verdict.WRONG else log.warning
                tell("the setup needs attention", part=part, what=one.sentence)
        if works:
            self._vitals.up(_setup(part))
            if before and not now:
                log.info("the setup is fine again", part=part)
        else:
            self._vitals.down(_setup(part), "; ".join(wrong))
        return works


def _setup(part: str) -> str:
    """The word for it on the health page, beside that for whether it is connected."""
    return f"{part} setup"


def _wrong(findings: list[Finding]) -> list[str]:
    return [one.sentence for one in findings if one.verdict is Verdict.WRONG]
