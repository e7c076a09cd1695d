"""What people can do, and what nobody can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.slack import LocalSlack


async def test_a_reply_to_a_reply_is_in_the_same_thread(slack: LocalSlack) -> None:
    parent = await slack.say("ada", "general", "one")
    reply = await slack.say("ben", "general", "two", parent.ts)
    again = await slack.say("ada", "general", "three", reply.ts)
    assert again.thread_ts == parent.ts
    assert slack.messages("general", parent.ts) == [parent, reply, again]


async def test_nobody_speaks_uninvited_or_in_a_thread_that_is_not_there(slack: LocalSlack) -> None:
    slack.add_channel("secret", "ada", private=True)
    with pytest.raises(ValueError, match="ben is not in this private channel"):
        await slack.say("ben", "secret", "hello")
    with pytest.raises(KeyError, match=r"message 1\.000001"):
        await slack.say("ben", "general", "hello", "1.000001")


async def test_who_speaks_in_a_public_channel_is_in_it(slack: LocalSlack) -> None:
    cai = slack.add_user("cai")
    await slack.say(cai, "#general", "hello")
    assert cai.id in slack.channel("general").members


def test_channels_are_named_as_slack_wants(slack: LocalSlack) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        slack.add_channel("Not This")


async def test_waiting_ends_when_it_is_true_or_too_late(slack: LocalSlack) -> None:
    with pytest.raises(TimeoutError):
        await slack.wait_for(lambda: slack.messages("general"), timeout=0.01)
    said = await slack.say("ada", "general", "hello")
    assert await slack.wait_for(lambda: slack.messages("general")) == [said]


async def test_timestamps_are_never_shared(slack: LocalSlack) -> None:
    said = [await slack.say("ada", "general", "x") for _ in range(200)]
    assert len({message.ts for message in said}) == 200
    assert slack.messages("general") == said


async def test_a_deleted_reply_is_not_counted(slack: LocalSlack) -> None:
    parent = await slack.say("ada", "general", "one")
    first = await slack.say("ben", "general", "two", parent.ts)
    second = await slack.say("ben", "general", "three", parent.ts)
    await slack.delete(first)
    assert slack.messages("general", parent.ts) == [parent, second]
    assert slack._platform.shown(parent)["reply_count"] == 1


async def test_a_deleted_message_with_replies_leaves_a_tombstone_until_they_are_gone(slack: LocalSlack) -> None:
    slack.faults.expect_acks = False
    parent = await slack.say("ada", "general", "hello")
    reply = await slack.say("ben", "general", "hi", parent.ts)
    await slack.delete(parent)
    tombstone, _ = slack.messages("general")
    assert (tombstone.ts, tombstone.subtype, tombstone.text) == (parent.ts, "tombstone", "This message was deleted.")
    await slack.delete(reply)
    assert not slack.messages("general")


async def test_a_preview_is_a_change_without_an_edit(slack: LocalSlack) -> None:
    slack.faults.expect_acks = False
    said = await slack.say("ada", "general", "https://example.com")
    after = await slack.unfurl(said, "An example")
    assert (after.text, after.edited_ts) == (said.text, "")
    assert after.attachments
