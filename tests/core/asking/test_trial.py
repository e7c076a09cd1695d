"""Whether the service has a model that nobody has heard of, asked over a socket."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from core.asking.service import Service
from core.asking.trial import Trial
from core.errors import ModelUntried, UnknownModel
from core.models import Models
from core.thread import PlaceId, Thread, ThreadId
from core.upstream.client import Upstream
from sandbox.upstream import Emulator

THREAD = Thread(ThreadId("chat:1"), "chat", (PlaceId("chat:work"),))
PATIENCE = 20.0  # seconds


@dataclass
class Rig:
    emulator: Emulator
    service: Service
    now: float = 1000.0
    counted: int = 0
    trial: Trial = field(init=False)

    def __post_init__(self) -> None:
        self.trial = self.build()

    def build(self, longest: float = PATIENCE) -> Trial:
        return Trial(self.service, Models(), longest=longest, clock=lambda: self.now)

    async def check(self, name: str, within: float = PATIENCE) -> None:
        await self.trial.check(name, thread=THREAD, asker="ada", within=within, count=self._count)

    async def _count(self) -> None:
        self.counted += 1

    @property
    def asked(self) -> int:
        return len(self.emulator.requests)

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                await asyncio.sleep(0.002)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Emulator(models={"new-1"}, pace=0.01) as emulator:
        service = Service([Upstream(emulator.url, f"local-{secrets.token_hex(8)}")])
        rig = Rig(emulator, service)
        yield rig
        await rig.trial.aclose()
        await service.aclose()


async def test_a_model_that_answers_is_there_and_is_asked_once(rig: Rig) -> None:
    await asyncio.gather(*(rig.check("new-1") for _ in range(3)))
    await rig.check("new-1")
    assert rig.asked == rig.counted == 1
    assert rig.emulator.requests[0].body == {"model": "new-1", "question": "Say OK."}
    assert not rig.emulator.conversations


async def test_a_model_that_is_refused_is_told_with_what_is_near(rig: Rig) -> None:
    for _ in range(2):
        with pytest.raises(UnknownModel, match=r"has no model `gpt-5\.11`.* Did you mean `gpt-5\.1`, .* or `"):
            await rig.check("gpt-5.11")
    assert rig.asked == 1


async def test_a_name_can_not_break_out_of_its_sentence(rig: Rig) -> None:
    with pytest.raises(UnknownModel) as told:
        await rig.check("x`\n@everyone <!channel>")
    assert "`xˋ @everyone <!channel>`" in told.value.sentence


@pytest.mark.parametrize("fault", ["not_found", "no_conversation", "empty"])
async def test_however_it_is_refused_it_is_not_there(rig: Rig, fault: str) -> None:
    rig.emulator.faults.set(fault)
    with pytest.raises(UnknownModel):
        await rig.check("new-1")


async def test_moderation_says_nothing_of_the_model(rig: Rig) -> None:
    rig.emulator.faults.set("forbidden")
    await rig.check("new-1")


@pytest.mark.parametrize(
    "fault", ["api_error", "busy", "html", "too_many_requests", "used_up", "invalid_token", "cut=0"]
)
async def test_what_may_pass_is_no_verdict_and_is_tried_again(rig: Rig, fault: str) -> None:
    rig.emulator.faults.read(f"{fault}*1")
    with pytest.raises(ModelUntried):
        await rig.check("new-1")
    rig.service.trust_tokens()
    await rig.check("new-1")
    assert rig.asked == 2


async def test_who_has_no_time_is_told_and_finds_it_known_later(rig: Rig) -> None:
    rig.emulator.first_delay = 0.3
    with pytest.raises(ModelUntried):
        await rig.check("new-1", within=0.0)
    await rig.check("new-1")
    assert rig.asked == 1


async def test_a_model_that_stays_silent_is_hung_up_on(rig: Rig) -> None:
    rig.emulator.faults.set("silent_before")
    rig.trial = rig.build(longest=0.1)
    with pytest.raises(ModelUntried):
        await rig.check("new-1")
    await rig.until(lambda: rig.emulator.requests[0].ended == "client left")


async def test_no_more_than_the_first_words_are_waited_for(rig: Rig) -> None:
    rig.emulator.faults.set("silent_within")
    await rig.check("new-1")
    await rig.until(lambda: rig.emulator.requests[0].ended == "client left")


async def test_after_a_while_it_is_tried_again(rig: Rig) -> None:
    with pytest.raises(UnknownModel):
        await rig.check("soon-1")
    rig.emulator._models = {"soon-1"}
    rig.now += 601
    await rig.check("soon-1")


async def test_what_is_under_way_ends_with_the_process(rig: Rig) -> None:
    rig.emulator.faults.set("silent_before")
    with pytest.raises(ModelUntried):
        await rig.check("new-1", within=0.0)
    await rig.until(lambda: rig.asked)
    await rig.trial.aclose()
    await rig.until(lambda: rig.emulator.requests[0].ended == "client left")
