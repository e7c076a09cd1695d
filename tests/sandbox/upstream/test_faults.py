"""Every fault of the emulator, met through the door: what the service does wrong has one meaning for us."""

from __future__ import annotations

import json
from dataclasses import dataclass

import aiohttp
import pytest

from core.thread import ConversationId
from core.upstream import AnswerSoFar, Prompt, Upstream, errors
from sandbox.upstream import FAULTS, Emulator

ASKED = Prompt("gpt-5.1", "say exactly: one two three four five six")
TEXT = "one two three four five six"

REFUSED: dict[str, type[errors.UpstreamError]] = {
    "bad_request": errors.BadRequest,
    "no_token": errors.TokenRefused,
    "api_not_implemented": errors.WrongAddress,
    "token_mismatched": errors.TokenRefused,
    "token_mismatched=400": errors.TokenRefused,
    "invalid_token": errors.TokenRefused,
    "token_expired": errors.TokenRefused,
    "used_up": errors.UsedUp,
    "used_up=402": errors.UsedUp,
    "disabled": errors.TokenRefused,
    "forbidden": errors.ModerationRefused,
    "no_api": errors.WrongAddress,
    "not_found": errors.BadRequest,
    "no_conversation": errors.BadRequest,
    "request_entity_too_large": errors.ConversationTooLarge,
    "content_too_large": errors.ConversationTooLarge,
    "too_many_requests": errors.UpstreamBusy,
    "rate_limited=3": errors.UpstreamBusy,
    "connection_reset": errors.UpstreamCut,
    "api_error": errors.UpstreamFailed,
    "chat_error": errors.UpstreamFailed,
    "busy": errors.UpstreamBusy,
    "timeout": errors.UpstreamFailed,
    "retired=gpt-5.1": errors.ModelRefused,
    "html": errors.UpstreamFailed,
    "html=504": errors.UpstreamFailed,
    "html=200": errors.NotTheService,
    "plain": errors.UpstreamFailed,
    "error_string": errors.UpstreamFailed,
    "error_null": errors.UpstreamFailed,
    "error_flat": errors.UpstreamFailed,
    "error_untraced": errors.UpstreamFailed,
    "redirect": errors.WrongAddress,
    "hang_up": errors.UpstreamCut,
    "empty": errors.EmptyAnswer,
    "silent_before": errors.UpstreamCut,
    "cut": errors.UpstreamCut,
}
BROKEN: dict[str, tuple[type[errors.UpstreamError], str]] = {
    "cut": (errors.UpstreamCut, "one two three"),
    "cut=1": (errors.UpstreamCut, "one"),
    "cut=0": (errors.UpstreamCut, ""),
    "error_within": (errors.UpstreamFailed, "one two three"),
    "error_within=string": (errors.UpstreamFailed, "one two three"),
    "error_within=type": (errors.UpstreamFailed, "one two three"),
    "silent_within": (errors.UpstreamCut, "one two three"),
    "empty": (errors.EmptyAnswer, ""),
}
HARMLESS = [
    "lf",
    "no_cumulative",
    "delta_short",
    "split",
    "blank_lines",
    "unknown_types",
    "gzip",
    "id_first",
    "id_last",
    "done,no_id",
    "no_cumulative,id_first,unknown_types,blank_lines,lf,split,gzip,done",
]


@dataclass(slots=True)
class Heard:
    text: str
    error: errors.UpstreamError | None


async def listen(upstream: Upstream, prompt: Prompt = ASKED) -> Heard:
    text = ""
    try:
        async with upstream.ask(prompt) as stream:
            try:
                async for _ in stream:
                    pass
            finally:
                text = stream.said().text
    except errors.UpstreamError as error:
        return Heard(text, error)
    return Heard(text, None)


@pytest.fixture
async def impatient(emulator: Emulator, token: str) -> Upstream:
    return Upstream(emulator.url, token, idle_timeout=0.3)


@pytest.mark.parametrize("switch", REFUSED)
async def test_a_refusal_has_its_meaning_streamed_or_whole(
    emulator: Emulator, impatient: Upstream, switch: str
) -> None:
    emulator.faults.read(switch)
    async with impatient:
        heard = await listen(impatient)
        assert type(heard.error) is REFUSED[switch]
        with pytest.raises(REFUSED[switch]):
            await impatient.answer(ASKED)


@pytest.mark.parametrize(("switch", "least", "most"), [("too_many_requests=2", 2, 2), ("too_many_requests=date", 0, 2)])
async def test_retry_after_is_kept(emulator: Emulator, upstream: Upstream, switch: str, least: int, most: int) -> None:
    emulator.faults.read(switch)
    heard = await listen(upstream)
    assert heard.error is not None
    assert heard.error.retry_after is not None
    assert least <= heard.error.retry_after <= most
    emulator.faults.read("too_many_requests")
    again = await listen(upstream)
    assert again.error is not None
    assert again.error.retry_after is None


@pytest.mark.parametrize("switch", BROKEN)
async def test_what_breaks_in_the_middle_leaves_what_came(emulator: Emulator, impatient: Upstream, switch: str) -> None:
    emulator.faults.read(switch)
    kind, text = BROKEN[switch]
    async with impatient:
        heard = await listen(impatient)
    assert (type(heard.error), heard.text) == (kind, text)


@pytest.mark.parametrize("switch", HARMLESS)
async def test_what_is_only_odd_is_read(emulator: Emulator, upstream: Upstream, switch: str) -> None:
    emulator.faults.read(switch)
    async with upstream.ask(ASKED) as stream:
        async for _ in stream:
            pass
        assert stream.said() == AnswerSoFar(TEXT, ConversationId(next(iter(emulator.conversations))))
    assert emulator.requests[-1].ended == "answered"


async def test_raw_separators_do_not_break_lines(emulator: Emulator, upstream: Upstream) -> None:
    emulator.faults.read("raw")
    assert (await listen(upstream)).text == f"{TEXT} Split\u2028by\u0085lines."


async def test_a_huge_answer_arrives_whole(emulator: Emulator, upstream: Upstream) -> None:
    emulator.faults.read("huge")
    assert len((await listen(upstream)).text) == 50_000
    assert len((await upstream.answer(ASKED)).text) == 50_000


async def test_a_silence_that_ends_is_waited_for(emulator: Emulator, impatient: Upstream) -> None:
    emulator.faults.read("silent_before=0.05,silent_within=0.05")
    async with impatient:
        assert await listen(impatient) == Heard(TEXT, None)


async def test_an_unnamed_conversation_stays_unnamed(emulator: Emulator, upstream: Upstream) -> None:
    emulator.faults.read("no_id")
    assert await upstream.answer(ASKED) == AnswerSoFar(TEXT, None)


@pytest.mark.parametrize(("kind", "odd"), [("long", "x" * 264), ("nul", "\0"), ("half", "\ud800")])
async def test_a_conversation_may_have_an_odd_id(emulator: Emulator, upstream: Upstream, kind: str, odd: str) -> None:
    emulator.faults.read(f"odd_id={kind}")
    await upstream.answer(ASKED)
    [name] = emulator.conversations
    assert name.endswith(odd)


def going_on(name: str) -> Prompt:
    return Prompt("gpt-5.1", "What is my name?", ConversationId(name))


async def test_an_expired_conversation_is_an_unknown_one(emulator: Emulator, upstream: Upstream) -> None:
    begun = await upstream.answer(Prompt("gpt-5.1", "My name is Ada"))
    emulator.faults.read("expired*1")
    with pytest.raises(errors.UnknownConversation):
        await upstream.answer(going_on(str(begun.conversation)))


@pytest.mark.parametrize(("flavour", "is_same"), [("new", False), ("same", True)])
async def test_an_unknown_id_may_be_met_with_silent_amnesia(
    emulator: Emulator, upstream: Upstream, flavour: str, *, is_same: bool
) -> None:
    emulator.faults.read(f"unknown_id={flavour}")
    said = await upstream.answer(going_on("never-heard-of"))
    assert "don't know" in said.text
    assert (said.conversation == "never-heard-of") is is_same


async def test_a_conversation_may_go_on_under_another_id(emulator: Emulator, upstream: Upstream) -> None:
    begun = await upstream.answer(Prompt("gpt-5.1", "My name is Ada"))
    emulator.faults.read("other_id")
    said = await upstream.answer(going_on(str(begun.conversation)))
    assert said.conversation not in (None, begun.conversation)


async def test_a_cut_turn_is_in_the_history(emulator: Emulator, upstream: Upstream) -> None:
    """This is why a cut question is not asked again in its conversation."""
    emulator.faults.read("hang_up*1")
    await listen(upstream)
    [conversation] = emulator.conversations.values()
    assert [turn.question for turn in conversation.turns] == [ASKED.question]


async def test_events_carry_faults_too(emulator: Emulator, token: str) -> None:
    emulator.faults.read("error_within=type")
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with aiohttp.ClientSession(emulator.url, headers=headers) as session:
        body = {"model": "o3", "question": "say exactly: a b"}
        async with session.post("/aichat/conversations", json=body) as response:
            events = (await response.read()).split(b"\n\n")
    assert json.loads(events[1].removeprefix(b"data: "))["type"] == "error"


def test_every_fault_is_tried_here() -> None:
    source = [*REFUSED, *BROKEN, *HARMLESS, "raw", "huge", "no_id", "odd_id", "expired", "unknown_id", "other_id"]
    tried = {switch.partition("=")[0] for each in source for switch in each.split(",")}
    assert tried == set(FAULTS)
