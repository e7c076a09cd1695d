"""A chat whose listening breaks is begun again, and says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bots.supervisor import keep_up
from core.backoff import Backoff
from core.errors import SetupError, StorageUnavailable
from core.vitals import Vitals

if TYPE_CHECKING:
    from collections.abc import Callable


QUICK = Backoff(first=0.001, longest=0.02, jitter=0.0, well_after=0.5)


class Breaking:
    """Breaks with each of *errors* in turn, None being a mere end; then listens on."""

    def __init__(self, *errors: Exception | None, before: Callable[[], object] = lambda: None) -> None:
        self.errors = list(errors)
        self.before = before
        self.listens = asyncio.Event()

    async def listen(self) -> None:
        self.before()
        if self.errors:
            if error := self.errors.pop(0):
                raise error
            return
        self.listens.set()
        await asyncio.Event().wait()


async def supervised(chat: Breaking, vitals: Vitals) -> None:
    task = asyncio.create_task(keep_up("chat", chat.listen, vitals, QUICK))
    async with asyncio.timeout(5):
        await chat.listens.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_is_begun_again_after_growing_pauses() -> None:
    vitals, chat = Vitals(), Breaking(*[ValueError("what somebody wrote")] * 7, None)
    with capture_logs() as logs:
        await supervised(chat, vitals)
    assert [one["pause"] for one in logs] == [0.001, 0.002, 0.004, 0.008, 0.016, 0.02, 0.02, 0.02]
    assert vitals.metrics.restarts.labels("chat")._value.get() == 8
    assert vitals.troubles == {"chat": "Listening broke off unexpectedly; beginning again."}
    assert all(one["reference"] for one in logs)
    assert logs[0]["errors"] == ["ValueError"]
    assert "test_supervisor.py" in logs[0]["where"][0]
    assert "somebody" not in str(logs)


async def test_after_a_while_that_went_well_the_pause_is_short_again() -> None:
    chat = Breaking(*[StorageUnavailable()] * 5)

    async def listen() -> None:
        if len(chat.errors) == 2:
            await asyncio.sleep(0.6)  # it listens for a while
        await chat.listen()

    with capture_logs() as logs:
        task = asyncio.create_task(keep_up("chat", listen, Vitals(), QUICK))
        async with asyncio.timeout(5):
            await chat.listens.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [one["pause"] for one in logs] == [0.001, 0.002, 0.004, 0.001, 0.002]


@pytest.mark.parametrize(
    "error",
    [
        SetupError("wrong token"),
        ExceptionGroup("tasks", [ValueError(), ExceptionGroup("more", [SetupError("wrong token")])]),
    ],
)
async def test_what_can_never_work_ends_it(error: Exception) -> None:
    with pytest.raises(SetupError, match="wrong token"):
        await keep_up("chat", Breaking(error).listen, Vitals())


async def test_what_can_never_work_is_trouble_that_may_be_mended_once_it_has_worked() -> None:
    vitals = Vitals()
    refusal = SetupError("The token is revoked: make a new one.")
    with pytest.raises(SetupError):
        await keep_up("chat", Breaking(refusal).listen, vitals)
    vitals.up("chat")
    with capture_logs() as logs:
        await supervised(chat := Breaking(refusal, refusal, refusal), vitals)
    assert vitals.troubles == {"chat": refusal.sentence}
    assert [entry["why"] for entry in logs] == [refusal.sentence]
    assert not chat.errors, "it was tried as often as that"
