"""What the adapters' own tests can't reach: a platform that does not even tell where there is something to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bots.listening.catch_up import CatchUp
from bots.listening.events import Heard, Ignored
from bots.listening.mark import Mark
from bots.listening.reader import Backlog, Bounds, Round
from bots.listening.router import Router
from core.errors import ChatBusy, ChatError, ChatForbidden
from core.metrics import Metrics
from core.thread import Thread
from core.turn import ActiveThread, QuestionKey
from tests.bots.listening.test_mark import NAME, SCALE, Book


class Reader:
    chat = "chat"
    bounds = Bounds(places=1, messages=1, pages=1, calls=1, pause=0.001)

    def __init__(self, refusals: list[ChatError]) -> None:
        self.refusals = refusals

    async def place(self, thread: Thread) -> str:
        return thread.id

    def position(self, key: QuestionKey) -> int:
        return int(key)

    def proves_deleted(self, place: str, key: QuestionKey) -> bool:
        return False

    async def places(self, this: Round[str]) -> Sequence[str]:
        if self.refusals:
            raise self.refusals.pop()
        return ["here"]

    async def ready(self, *, is_urgent: bool) -> bool:
        return True

    async def read(self, place: str, after: int, this: Round[str]) -> Backlog[str]:
        return Backlog([(9_000, "hello")], after)

    async def heard(self, place: str, message: str) -> Heard:
        return Ignored(message)


class Relay:
    async def active_threads(self, *_: object) -> list[ActiveThread]:
        return []


@pytest.mark.parametrize("refusal", [ChatBusy("busy", code="busy"), ChatForbidden("no", code="no")])
@pytest.mark.parametrize(("refusals", "mark"), [(1, "9500"), (Reader.bounds.refusals, "8999")])
async def test_the_mark_moves_on_only_when_it_is_known_where_to_read(
    refusal: ChatError, refusals: int, mark: str
) -> None:
    relay: Any = Relay()
    router = Router(relay, SCALE, hours=1, record=Any, accepted=Any, refused=Any)  # type: ignore[arg-type]  # nothing is said
    book = Book(**{NAME: "8999"})
    catch_up = CatchUp(Reader([refusal] * refusals), router, relay, Mark(book, NAME, SCALE), Metrics())
    await catch_up.begin()
    with catch_up.mark.hearing(9_500):
        pass  # it comes live
    await catch_up.run()
    await catch_up.mark.keep()
    assert book.written[NAME] == mark
