"""Many questions at once in one Slack workspace, against a stand-in that counts as strictly as Slack's limits can be read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sandbox.slack import shown

if TYPE_CHECKING:
    from sandbox.slack import LocalSlack
    from sandbox.upstream import Emulator

QUESTIONS, CHANNELS = 200, 20
PATIENCE = 120.0  # seconds
READS = ("conversations.history", "conversations.replies")
LIMITS = {
    "per_person_minute": 0,
    "per_channel_minute": 0,
    "open_per_person": QUESTIONS,
    "open_per_thread": QUESTIONS,
}


async def test_two_hundred_questions_at_once_stay_within_slacks_budgets(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    """Half of them at a channel's root, half in a thread. A question costs one read at most, and most cost none."""
    slack, bot = local_slack, local_slack.bot_user_id
    channels = [slack.add_channel(f"crowd-{number}", "ada", "ben", bot) for number in range(CHANNELS)]

    def answers() -> list[str]:
        said = [one for channel in channels for one in slack.messages(channel)]
        return [shown(one) for one in said if one.user == bot]

    async with running(sqlite_url, "slack", limits=LIMITS) as bobbin:
        before = Counter(call.method for call in slack.calls)
        for number in range(QUESTIONS):
            channel = channels[number % CHANNELS]
            thread_ts = None
            if number % 2:
                thread_ts = (await slack.say("ben", channel, f"The pump {number} stands still.")).ts
            await slack.say("ada", channel, f"@bobbin say exactly: {number}", thread_ts)
        await slack.wait_for(lambda: len(answers()) >= QUESTIONS, PATIENCE)
        await bobbin.idle()
    made = Counter(call.method for call in slack.calls) - before
    # Below an answer it may say that it had to do without what was said before.
    assert sorted(int(text.partition("\n")[0]) for text in answers()) == list(range(QUESTIONS))
    assert len(emulator.requests) == QUESTIONS
    assert not [call.method for call in slack.calls if call.status == 429]
    assert sum(made[method] for method in READS) <= QUESTIONS / 2
