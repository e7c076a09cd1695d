from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog

from core.asking.breaker import FAILURES
from core.asking.limits import ASIDE
from core.asking.service import Service
from core.backoff import Backoff
from core.errors import BobbinError
from core.metrics import Metrics
from core.thread import PlaceId, Thread, ThreadId
from core.upstream import Upstream
from core.upstream.errors import (
    CircuitOpen,
    TokenRefused,
    UpstreamBusy,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UsedUp,
)
from core.upstream.prompt import Prompt
from sandbox.upstream import Emulator
from tests.clock import Clock

WORK = PlaceId("work")
QUICK = Backoff(first=0.001, longest=0.01)


class Rig:
    """A service over sockets, with a token for each of some emulators, and pauses too short to notice."""

    def __init__(self, emulators: list[Emulator], **given: Any) -> None:
        self.emulators = emulators
        self.metrics = Metrics()
        upstreams = [Upstream(each.url, f"local-{secrets.token_hex(8)}") for each in emulators]
        self.service = Service(
            upstreams,
            **{"backoff": QUICK, "rest": Backoff(60, 60), "models": ["gpt-5.1"], "metrics": self.metrics, **given},
        )

    async def ask(self, text: str = "Why?", *, model: str = "gpt-5.1", tries: int = 4) -> str:
        thread = Thread(ThreadId(text), "chat", (WORK,))
        prompt = Prompt(model=model, question=text)
        async with self.service.ask(prompt, thread=thread, asker="ada", told=lambda _: None, tries=tries) as answering:
            async for _ in answering:
                pass
            return answering.said().text

    async def ask_many(self, number: int) -> list[str | BaseException]:
        return await asyncio.gather(*(self.ask(f"say exactly: {n}") for n in range(number)), return_exceptions=True)

    @property
    def calls(self) -> list[int]:
        """How many questions have reached each emulator."""
        return [len(each.requests) for each in self.emulators]

    def measured(self, name: str, **labels: str) -> float:
        return self.metrics._registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def rigged() -> Callable[..., AbstractAsyncContextManager[Rig]]:
    """`async with rigged(tokens, …) as rig`."""

    @asynccontextmanager
    async def rigged(tokens: int = 1, **given: Any) -> AsyncIterator[Rig]:
        emulators = [Emulator(models=None) for _ in range(tokens)]
        for each in emulators:
            await each.start()
        rig = Rig(emulators, **given)
        try:
            yield rig
        finally:
            await rig.service.aclose()
            for each in emulators:
                await each.stop()
        assert rig.measured("bobbin_upstream_in_flight") == rig.measured("bobbin_upstream_waiting") == 0

    return rigged


async def test_what_fails_before_its_first_byte_is_asked_again(rigged: Any) -> None:
    async with rigged() as rig:
        rig.emulators[0].faults.set("api_error", count=3)
        assert await rig.ask("say exactly: here")
        assert rig.calls == [4]
        assert rig.measured("bobbin_upstream_calls_total", model="gpt-5.1", outcome="api_error") == 3
        assert rig.measured("bobbin_upstream_calls_total", model="gpt-5.1", outcome="ok") == 1
        assert rig.measured("bobbin_upstream_first_byte_seconds_count") == 1


async def test_it_is_asked_so_often_and_no_more(rigged: Any) -> None:
    async with rigged() as rig:
        rig.emulators[0].faults.set("api_error")
        with pytest.raises(UpstreamFailed):
            await rig.ask(tries=2)
        assert rig.calls == [2]


@pytest.mark.parametrize("fault", ["cut", "hang_up", "error_within", "forbidden", "bad_request"])
async def test_what_may_have_been_heard_or_will_not_change_is_asked_once(rigged: Any, fault: str) -> None:
    async with rigged() as rig:
        rig.emulators[0].faults.set(fault)
        with pytest.raises(UpstreamError):
            await rig.ask("count to 50")
        assert rig.calls == [1]


async def test_a_service_that_names_a_time_is_not_asked_before(rigged: Any) -> None:
    async with rigged() as rig:
        rig.emulators[0].faults.set("too_many_requests", 1, count=1)
        await rig.ask()
        first, second = (request.arrived for request in rig.emulators[0].requests)
        assert second - first >= 1


async def test_a_time_beyond_all_patience_is_told_at_once(rigged: Any) -> None:
    async with rigged() as rig:
        rig.emulators[0].faults.set("too_many_requests", 3600)
        with pytest.raises(UpstreamBusy):
            await rig.ask()
        assert rig.calls == [1]


async def test_no_slot_is_held_between_two_tries(rigged: Any) -> None:
    async with rigged(in_flight=1) as rig:
        rig.emulators[0].faults.set("too_many_requests", 30, count=1)
        waiting = asyncio.create_task(rig.ask("first"))
        while not rig.calls[0]:
            await asyncio.sleep(0.001)
        assert await asyncio.wait_for(rig.ask("second"), 10)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait({waiting})


async def test_no_more_are_asked_at_once_than_allowed(rigged: Any) -> None:
    async with rigged(in_flight=3, per_second=1000) as rig:
        rig.emulators[0].pace = 0.005
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, int(rig.measured("bobbin_upstream_in_flight")))
                await asyncio.sleep(0.001)

        watching = asyncio.create_task(watch())
        answers = await rig.ask_many(20)
        watching.cancel()
        assert answers == [str(n) for n in range(20)]
        assert most == 3


@pytest.mark.parametrize("code", ["used_up", "invalid_token", "disabled", "token_expired"])
async def test_a_token_that_is_refused_is_set_aside_and_the_next_one_used(rigged: Any, code: str) -> None:
    async with rigged(2) as rig:
        rig.emulators[0].faults.set(code)
        with structlog.testing.capture_logs() as lines:
            answers = await rig.ask_many(30)
            answers += await rig.ask_many(30)
        assert answers == [str(n) for n in range(30)] * 2
        assert rig.calls[0] <= 20  # those that were under way at once
        assert rig.measured("bobbin_tokens_aside") == 1
        [loud] = [line for line in lines if line["log_level"] == "error"]
        assert (loud["token"], loud["then"]) == (1, "the others are used")


async def test_with_every_token_used_up_people_get_one_sentence_and_the_log_one_line_a_token(rigged: Any) -> None:
    async with rigged(2) as rig:
        for emulator in rig.emulators:
            emulator.faults.set("used_up")
        with structlog.testing.capture_logs() as lines:
            answers = await rig.ask_many(40)
            calls = rig.calls
            answers += await rig.ask_many(40)
        assert {type(answer) for answer in answers} == {UsedUp}
        assert {answer.sentence for answer in answers if isinstance(answer, BobbinError)} == {UsedUp().sentence}
        assert rig.calls == calls
        assert len([line for line in lines if line["log_level"] == "error"]) == 2
        assert rig.measured("bobbin_tokens_aside") == 2


async def test_a_token_that_was_set_aside_is_tried_again_later(rigged: Any) -> None:
    clock = Clock()
    async with rigged(clock=clock) as rig:
        rig.emulators[0].faults.set("used_up", count=3)
        with structlog.testing.capture_logs() as lines:
            for calls in range(1, 4):
                for _ in range(2):
                    with pytest.raises(UsedUp):
                        await rig.ask()
                assert rig.calls == [calls]
                clock.now += ASIDE
            assert await rig.ask("say exactly: paid") == "paid"
            rig.emulators[0].faults.set("used_up", count=1)
            with pytest.raises(UsedUp):
                await rig.ask()
        assert [line["log_level"] for line in lines if "token" in line] == ["error", "warning", "warning", "error"]


async def test_a_permission_that_is_lacking_sets_no_token_aside(rigged: Any) -> None:
    """It may concern one model only, and whoever may set a model could keep all others from asking."""
    async with rigged() as rig:
        rig.emulators[0].faults.set("plain", 403, count=1)
        with pytest.raises(TokenRefused):
            await rig.ask()
        assert await rig.ask("say exactly: still here") == "still here"


async def test_a_service_that_is_down_is_reached_by_probes_only_and_people_are_told_at_once(rigged: Any) -> None:
    clock = Clock()
    async with rigged(clock=clock, rest=Backoff(10, 60), in_flight=5) as rig:
        rig.emulators[0].faults.set("api_error")
        answers = await rig.ask_many(50)
        assert {type(answer) for answer in answers} <= {CircuitOpen, UpstreamFailed}
        calls = rig.calls[0]
        assert calls < FAILURES + 5
        for minute in range(1, 6):
            clock.now += 400  # longer than the longest pause
            answers = await rig.ask_many(50)
            assert CircuitOpen in {type(answer) for answer in answers}
            assert rig.calls[0] == calls + minute
        assert rig.measured("bobbin_upstream_down", model="gpt-5.1") == 1
        rig.emulators[0].faults.clear()
        clock.now += 400
        assert await rig.ask("say exactly: back") == "back"
        assert await rig.ask_many(50) == [str(n) for n in range(50)]
        assert rig.measured("bobbin_upstream_down", model="gpt-5.1") == 0


async def test_a_service_that_cannot_be_reached_at_all_is_left_alone_as_well(rigged: Any) -> None:
    async with rigged() as rig:
        await rig.emulators[0].stop()
        answers = await rig.ask_many(20)
        assert {type(answer).__name__ for answer in answers} <= {"CircuitOpen", "UpstreamUnreachable"}
        with pytest.raises(CircuitOpen, match="not asked"):
            await rig.ask()


async def test_a_service_that_is_away_for_a_moment_is_waited_for(rigged: Any) -> None:
    """Ten answers that had not begun when the network broke are ten failures, and tell of one moment only."""
    async with rigged(rest=Backoff(0.2, 60)) as rig:
        rig.emulators[0].faults.set("silent_before", count=20)
        asking = asyncio.create_task(rig.ask_many(20))
        while rig.calls[0] < 20:
            await asyncio.sleep(0.001)
        port = urlsplit(rig.emulators[0].url).port
        await rig.emulators[0].stop()
        answers = asyncio.create_task(rig.ask_many(30))
        await asyncio.sleep(0.3)
        await rig.emulators[0].start(port)
        assert await answers == [str(n) for n in range(30)]
        assert {type(answer) for answer in await asking} == {UpstreamCut}  # may have been heard: the worker asks anew


async def test_one_model_that_is_down_keeps_no_other_from_answering(rigged: Any) -> None:
    async with rigged() as rig:
        rig.emulators[0].faults.set("api_error")
        await rig.ask_many(20)
        rig.emulators[0].faults.clear()
        with pytest.raises(CircuitOpen):
            await rig.ask()
        assert await rig.ask("say exactly: here", model="o3") == "here"


async def test_who_hangs_up_gives_the_slot_back(rigged: Any) -> None:
    async with rigged(in_flight=1) as rig:
        rig.emulators[0].faults.set("silent_within", count=1)
        asking = asyncio.create_task(rig.ask("count to 50"))
        while not rig.measured("bobbin_upstream_first_byte_seconds_count"):
            await asyncio.sleep(0.001)
        asking.cancel()
        assert await asyncio.wait_for(rig.ask("say exactly: next"), 10) == "next"
        assert rig.measured("bobbin_upstream_calls_total", model="gpt-5.1", outcome="left") == 1


async def test_a_cut_before_the_first_byte_counts_as_down(rigged: Any) -> None:
    async with rigged() as rig:
        rig.emulators[0].faults.set("hang_up")
        answers = await rig.ask_many(FAILURES)
        assert {type(answer) for answer in answers} == {UpstreamCut}
        with pytest.raises(CircuitOpen):
            await rig.ask()


async def test_a_model_that_people_name_makes_no_label_of_its_own(rigged: Any) -> None:
    async with rigged() as rig:
        for number in range(5):
            await rig.ask("say exactly: here", model=f"model-{number}")
        await rig.ask("say exactly: here")
        count = {"outcome": "ok"}
        assert rig.measured("bobbin_upstream_calls_total", model="other", **count) == 5
        assert rig.measured("bobbin_upstream_calls_total", model="gpt-5.1", **count) == 1
        assert b"model-" not in rig.metrics.page()


async def test_a_code_that_nobody_knows_makes_no_label_of_its_own(rigged: Any) -> None:
    async with rigged() as rig:
        for number in range(3):
            error = UpstreamFailed(code=f"new_{number}", status=400)
            with pytest.raises(UpstreamFailed), patched(rig, error):
                await rig.ask(tries=1)
        assert rig.measured("bobbin_upstream_calls_total", model="gpt-5.1", outcome="UpstreamFailed") == 3
        assert b"new_" not in rig.metrics.page()


async def test_a_model_that_is_down_is_seen_by_its_label(rigged: Any) -> None:
    async with rigged(most_breakers=3) as rig:
        rig.emulators[0].faults.set("api_error")
        for _ in range(FAILURES):
            with pytest.raises(UpstreamFailed):
                await rig.ask(model="somebody's", tries=1)
        down = "bobbin_upstream_down"
        assert (rig.measured(down, model="other"), rig.measured(down, model="gpt-5.1")) == (1, 0)
        rig.emulators[0].faults.clear()
        for number in range(5):
            await rig.ask("say exactly: here", model=f"model-{number}")
        assert len(rig.service._breakers) == 3, "however many models people name"


@contextmanager
def patched(rig: Rig, error: UpstreamError) -> Iterator[None]:
    """Have the service refuse like that."""
    upstream = rig.service._limits.tokens[0].upstream

    @asynccontextmanager
    async def ask(prompt: Prompt) -> AsyncIterator[None]:
        if prompt.question:
            raise error
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upstream, "ask", ask)
        yield
