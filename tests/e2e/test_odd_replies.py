"""A platform answers oddly for a while: who asked gets the answer, once, and the other platform notices nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.replies import Reply
from tests.e2e.conftest import DiscordSide, Side, SlackSide

if TYPE_CHECKING:
    from sandbox import discord, slack
    from tests.e2e.conftest import Running

JSON = "application/json"
POST = {"slack": "chat.postMessage", "discord": "POST /channels/{channel_id}/messages"}
UPDATE = {"slack": "chat.update", "discord": "PATCH /channels/{channel_id}/messages/{message_id}"}


def whole(side: Side, thread: Any, answer: str) -> bool:
    return [text for is_bot, text in side.said(thread) if is_bot] == [answer]


@pytest.mark.parametrize("done", [False, True], ids=["instead", "done"])
async def test_at_every_call_that_shows_an_answer(
    side: SlackSide | DiscordSide,
    running: Running,
    sqlite_url: str,
    done: bool,  # noqa: FBT001
) -> None:
    faults, name = side.local.faults, side.name
    async with running(sqlite_url, name) as bobbin:
        for number, reply in enumerate((Reply(), Reply(403), Reply(body="[1]", content_type=JSON))):
            for route in (POST[name], UPDATE[name]):
                faults.odd(route, reply, done=done)
            answer = f"{number}: " + "it is so, since " * 40
            thread = await side.open(number, f"say exactly: {answer}")
            await side.until(lambda thread=thread, answer=answer: whole(side, thread, answer.strip()))  # type: ignore[misc]
            faults.clear()
        assert b"bobbin_chat_replies_unclear_total" in bobbin.vitals.metrics.page()


async def test_one_platform_answers_with_pages_and_the_other_notices_nothing(
    local_slack: slack.LocalSlack, local_discord: discord.LocalDiscord, running: Running, sqlite_url: str
) -> None:
    both = SlackSide(local_slack), DiscordSide(local_discord)
    async with running(sqlite_url, "slack", "discord"):
        for ill, well in (both, both[::-1]):
            ill.local.faults.odd(POST[ill.name], Reply(), None)
            waiting = await ill.open(1, "say exactly: Here at last.")
            answered = await well.open(2, "say exactly: Here at once.")
            await well.until(lambda well=well, answered=answered: whole(well, answered, "Here at once."))  # type: ignore[misc]
            assert not whole(ill, waiting, "Here at last.")
            ill.local.faults.clear()
            await ill.until(lambda ill=ill, waiting=waiting: whole(ill, waiting, "Here at last."))  # type: ignore[misc]
