"""What Slack sends in a shape that nobody expects costs that alone, and doesn't come again and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from bots.slack.setup import check
from core.backoff import Backoff
from core.errors import SetupError
from sandbox.slack import Raw

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

HTML = Raw("<html>Please log in to the network</html>", "text/html")
STRANGE = [HTML, Raw("<html>"), Raw("[]"), Raw("7"), Raw("text", "text/plain"), Raw("{}"), Raw('{"ok": true}')]


def counted(house: House, what: str = "") -> float:
    """How many things of the kind were skipped, or how many in all."""
    samples = [sample for one in house.vitals.metrics.unreadable.collect() for sample in one.samples]
    ours = [one for one in samples if one.name.endswith("_total") and what in ("", one.labels["what"])]
    return sum(one.value for one in ours)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message"},
        {"type": "message", "channel": None, "user": "U1", "text": "secret", "ts": None},
        {"type": "message", "channel": "D1", "user": "U1", "text": 7, "ts": "1.2"},
        {"type": "message", "channel": "D1", "user": "U1", "text": "secret", "ts": "yesterday"},
        {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.2"},
        {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.2", "message": None},
        {"type": "message", "subtype": "message_deleted", "channel": "C1", "ts": "1.2"},
        {"type": "message", "subtype": ["x"], "channel": 7, "ts": {}},
        {"type": "app_mention", "user": "U1", "text": "secret", "ts": "1.2"},
        {"type": "new"},
        {"type": None},
        {},
        None,
    ],
)
async def test_an_event_of_a_strange_shape_is_acknowledged_and_said_to_be_skipped(either: House, event: Any) -> None:
    async with either.listening():
        with capture_logs() as logs:
            either.slack.send_raw(event)
            await either.all_delivered(1)
            await either.slack.wait_for(lambda: not either.slack.under_way)
        assert [one.acknowledged for one in either.slack.deliveries] == [True]
        assert "secret" not in str(logs)
        assert counted(either) == (event != {"type": "new"})
        assert (await either.asked("@bobbin still there?")).question.text == "still there?"


@pytest.mark.parametrize(
    "change",
    [
        {"actions": ["x"]},
        {"actions": [{"action_id": "again", "type": "button", "value": 7}]},
        {"actions": [{"action_id": "again", "type": "button", "value": ["x"]}]},
        {"actions": [{"action_id": 7, "type": "button", "value": "x"}]},
        {"actions": []},
        {"team": "text"},
        {"channel": "text"},
        {"container": "text"},
        {"user": "text"},
        {"user": None},
    ],
    ids=str,
)
async def test_a_click_of_a_strange_shape_is_skipped(either: House, change: dict[str, Any]) -> None:
    click = {
        "type": "block_actions",
        "team": {"id": either.slack.team_id},
        "user": {"id": "U1"},
        "channel": {"id": "C1"},
        "container": {"type": "message", "channel_id": "C1", "message_ts": "1.2"},
        "actions": [{"action_id": "again", "type": "button", "value": f"slack:{either.slack.team_id}/C1/1.2"}],
    }
    async with either.listening():
        with capture_logs() as logs:
            await either.slack.send_raw_interaction(click | change)
        assert not [one for one in logs if one["log_level"] == "error"]
        assert counted(either) == counted(either, "click")
        assert (await either.asked("@bobbin still there?")).question.text == "still there?"


@pytest.mark.parametrize(
    "change",
    [{"user_id": None}, {"team_id": None}, {"channel_id": None}, {"text": 7}, {"text": ["x"]}, {"command": 7}],
    ids=str,
)
async def test_a_slash_command_of_a_strange_shape_is_skipped(either: House, change: dict[str, Any]) -> None:
    given = {"command": "/bobbin", "text": "help", "user_id": "U1", "channel_id": "C1", "team_id": either.slack.team_id}
    async with either.listening():
        with capture_logs() as logs:
            await either.slack.send_raw_command({name: value for name, value in (given | change).items() if value})
        assert not [one for one in logs if one["log_level"] == "error"]
        assert counted(either) == counted(either, "command")
        assert (await either.asked("@bobbin still there?")).question.text == "still there?"


@pytest.mark.parametrize("frame", ["no JSON", '{"secret": ', "[]", "7", '{"a":' * 10_000], ids=lambda frame: frame[:12])
async def test_a_frame_that_is_none_is_counted_and_costs_nothing_else(
    house: House, frame: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.listening():
        with capture_logs() as logs:
            await house.slack._sockets._open[0].socket.send_str(frame)
            await house.until(lambda: counted(house, "frame"))
        assert (await house.asked("@bobbin still there?")).question.text == "still there?"
    (said,) = [one for one in logs if one["log_level"] == "warning"]
    assert said["what"] == "frame"
    assert "secret" not in str(logs)
    assert not [one for one in caplog.records if one.levelname in ("WARNING", "ERROR")], "no traceback of the SDK's"


async def test_a_message_that_is_none_does_not_keep_the_others_of_its_channel(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    house.slack.faults.lose_events = True
    strange: list[Any] = [None, 7, {"ts": None}, {"text": 7}, {"user": None}, {"reply_users": 7}]
    for number, part in enumerate(strange):
        said = await house.slack.say("ben", "general", f"@bobbin chatter {number}")
        house.slack.faults.added[said.ts] = part
        house.slack.limits.enforced = False
    await house.slack.say("ada", "general", "@bobbin missed")
    house.chat = house.build()
    async with house.listening():
        await house.until(lambda: len(house.woken) >= 2)
        turns = [turn.question.text for turn in await house.accepted(3)]
    assert "missed" in turns
    assert counted(house) >= 4


@pytest.mark.parametrize("answer", STRANGE)
@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_who_is_answered_by_something_else_goes_on_trying(house: House, method: str, answer: Raw) -> None:
    house.have_times(reach=Backoff(first=0.01, longest=0.1))
    house.slack.faults.raw[method] = answer
    with pytest.raises(SetupError, match="is not Slack"):
        await anext(check(house.section))
    listening = asyncio.create_task(house.chat.listen(house.relay))
    await house.until(lambda: house.calls(method) >= 3 or listening.done())
    house.slack.faults.raw.clear()
    house.vitals.expect("slack")
    async with asyncio.timeout(10):
        await house.vitals.well()
    assert not listening.done()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
