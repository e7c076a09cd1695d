"""A chat whose listening breaks is begun again, and says so."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bots.supervisor import keep_up
from core.errors import SetupError, StorageUnavailable
from core.vitals import Vitals

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that it would have waited."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr("bots.supervisor.asyncio.sleep", wait)
    monkeypatch.setattr("bots.supervisor.random.uniform", lambda *_: 1.0)
    return waited


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
    task = asyncio.create_task(keep_up("chat", chat.listen, vitals))
    async with asyncio.timeout(5):
        await chat.listens.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_is_begun_again_after_growing_pauses(pauses: list[float]) -> None:
    vitals, chat = Vitals(), Breaking(*[ValueError("what somebody wrote")] * 7, None)
    with capture_logs() as logs:
        await supervised(chat, vitals)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert vitals.metrics.restarts.labels("chat")._value.get() == 8
    assert vitals.troubles == {"chat": "Listening broke off unexpectedly; beginning again."}
    assert all(one["reference"] for one in logs)
    assert logs[0]["errors"] == ["ValueError"]
    assert "test_supervisor.py" in logs[0]["where"][0]
    assert "somebody" not in str(logs)


async def test_after_a_while_that_went_well_the_pause_is_short_again(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("bots.supervisor.time", SimpleNamespace(monotonic=lambda: now[0]))
    chat = Breaking(*[StorageUnavailable()] * 5)

    async def listen() -> None:
        if len(chat.errors) == 2:
            now[0] += 61.0
        await chat.listen()

    task = asyncio.create_task(keep_up("chat", listen, Vitals()))
    async with asyncio.timeout(5):
        await chat.listens.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert pauses == [1, 2, 4, 1, 2]


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


async def test_what_can_never_work_is_trouble_that_may_be_mended_once_it_has_worked(pauses: list[float]) -> None:
    vitals = Vitals()
    refusal = SetupError("The token is revoked: make a new one.")
    with pytest.raises(SetupError):
        await keep_up("chat", Breaking(refusal).listen, vitals)
    vitals.up("chat")
    with capture_logs() as logs:
        await supervised(Breaking(refusal, refusal, refusal), vitals)
    assert vitals.troubles == {"chat": refusal.sentence}
    assert [entry["why"] for entry in logs] == [refusal.sentence]
    assert pauses == [1, 2, 4]
