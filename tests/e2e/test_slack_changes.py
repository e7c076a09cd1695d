"""The whole bot in a Slack where people change their minds, and where it was away for a while."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bots.reply.page import Wish
from bots.reply.wanted import ANSWER_EDITED, TRY_AGAIN
from bots.slack.catch_up import SEEN_NOTE
from core.storage.database import open_database
from core.storage.ledger import Ledger
from sandbox.slack import LocalSlack, Message, shown
from sandbox.upstream import Emulator

PATIENCE = 60.0  # seconds
DAY = 86_400.0  # seconds


@pytest.fixture
def slack(local_slack: LocalSlack) -> LocalSlack:
    return local_slack


def answers(slack: LocalSlack, question: Message) -> list[str]:
    """What the bot says in the thread of *question* now."""
    return [shown(message) for message in posted(slack, question)]


def posted(slack: LocalSlack, question: Message) -> list[Message]:
    thread = slack.messages(question.channel, question.thread_ts or question.ts)
    return [message for message in thread if message.bot_id == slack.bot_id and not message.ephemeral_to]


async def until(slack: LocalSlack, question: Message, *wanted: str) -> list[Message]:
    """Wait until exactly these are the bot's messages; return them."""
    await slack.wait_for(lambda: answers(slack, question) == list(wanted), PATIENCE)
    return posted(slack, question)


async def heard(slack: LocalSlack) -> None:
    """Wait until the bot has acknowledged all that happened."""
    await slack.wait_for(lambda: not slack.under_way, PATIENCE)


# Edits


async def test_an_edited_question_is_answered_anew_in_the_same_message_when_somebody_wants_it(
    running: Any, slack: LocalSlack, sqlite_url: str
) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        (first,) = await until(slack, question, "tea")
        await bobbin.idle()
        await slack.edit(question, "@bobbin say exactly: coffee")
        await until(slack, question, f"tea\n[{ANSWER_EDITED}]")
        click = await slack.click("ben", first, Wish.AGAIN)
        (last,) = await until(slack, question, "coffee")
        await bobbin.idle()
    assert not click.problem
    assert last.ts == first.ts
    assert not last.edited_ts


async def test_the_button_outlives_the_process(running: Any, slack: LocalSlack, sqlite_url: str) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, question, "tea")
        await bobbin.idle()
        await slack.edit(question, "@bobbin say exactly: coffee")
        (message,) = await until(slack, question, f"tea\n[{ANSWER_EDITED}]")
    async with running(sqlite_url, "slack"):
        await slack.click("ada", message, Wish.AGAIN)
        await until(slack, question, "coffee")


async def test_an_edit_that_changes_no_words_is_none(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack", questions={"on_edit": "redo"}) as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: see https://example.com/tea")
        (answer,) = await slack.wait_for(lambda: posted(slack, question), PATIENCE)
        await bobbin.idle()
        await slack.unfurl(question, "Tea")
        await heard(slack)
        await bobbin.idle()
    assert posted(slack, question)[0].versions == answer.versions
    assert len(emulator.requests) == 1


async def test_an_edited_question_is_answered_anew_at_once_if_that_is_wished(
    running: Any, slack: LocalSlack, sqlite_url: str
) -> None:
    async with running(sqlite_url, "slack", questions={"on_edit": "redo"}):
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        (first,) = await until(slack, question, "tea")
        await slack.edit(question, "@bobbin say exactly: coffee")
        (last,) = await until(slack, question, "coffee")
    assert last.ts == first.ts


async def test_an_edit_that_mentions_the_bot_asks_it(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack"):
        message = await slack.say("ada", "general", "say exactly: tea")
        await heard(slack)
        await slack.edit(message, "@bobbin say exactly: tea")
        await until(slack, message, "tea")
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("on_edit", ["offer", "redo"])
async def test_a_question_that_becomes_a_command_is_neither_answered_nor_obeyed(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator, on_edit: str
) -> None:
    async with running(sqlite_url, "slack", questions={"on_edit": on_edit}) as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, question, "tea")
        await slack.edit(question, "@bobbin preset set model gpt-4o")
        await heard(slack)
        await bobbin.idle()
        assert answers(slack, question) == ["tea"]
        other = await slack.say("ada", "general", "@bobbin say exactly: coffee")
        await until(slack, other, "coffee")
    first, second = (request.body for request in emulator.requests)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["model"] == second["model"]


async def test_a_failed_answer_can_be_tried_again(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.replace({"chat_error": True})
    async with running(sqlite_url, "slack"):
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await slack.wait_for(lambda: any(TRY_AGAIN in text for text in answers(slack, question)), PATIENCE)
        (failed,) = posted(slack, question)
        emulator.faults.clear()
        await slack.click("ben", failed, Wish.AGAIN)
        (answered,) = await until(slack, question, "tea")
    assert answered.ts == failed.ts


async def test_a_long_answer_done_anew_leaves_nothing_of_the_old_one(
    running: Any, slack: LocalSlack, sqlite_url: str
) -> None:
    long = " ".join(f"word{number}" for number in range(1_500))
    async with running(sqlite_url, "slack") as bobbin:
        question = await slack.say("ada", "general", f"@bobbin say exactly: {long}")
        await slack.wait_for(lambda: len(posted(slack, question)) == 2, PATIENCE)
        await bobbin.idle()
        before = posted(slack, question)[0]
        await slack.edit(question, "@bobbin say exactly: tea")
        await slack.wait_for(lambda: answers(slack, question)[-1].endswith(f"[{ANSWER_EDITED}]"), PATIENCE)
        first, last = posted(slack, question)
        assert first.versions == before.versions, "the offer changes only the last page"
        await slack.click("ada", last, Wish.AGAIN)
        await until(slack, question, "tea")


async def test_a_click_elsewhere_does_nothing(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.read("invalid_token*1")
    async with running(sqlite_url, "slack") as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await slack.wait_for(lambda: any(TRY_AGAIN in text for text in answers(slack, question)), PATIENCE)
        (failed,) = posted(slack, question)
        forged = slack._workspace.post(
            Message(slack.channel("random").id, "1.000001", slack.bot_user_id, "", failed.blocks, bot_id=slack.bot_id)
        )
        click = await slack.click("ben", forged, Wish.AGAIN)
        await bobbin.idle()
    assert not click.problem
    assert posted(slack, question)[0].versions == failed.versions
    assert len(emulator.requests) == 1


# Deletions


async def test_a_deleted_question_takes_its_answer_with_it(running: Any, slack: LocalSlack, sqlite_url: str) -> None:
    async with running(sqlite_url, "slack"):
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, question, "tea")
        await slack.delete(question)
        await slack.wait_for(lambda: not slack.messages("general"), PATIENCE)
        await heard(slack)


async def test_a_question_deleted_in_a_thread_takes_only_its_own_answer_with_it(
    running: Any, slack: LocalSlack, sqlite_url: str
) -> None:
    async with running(sqlite_url, "slack"):
        root = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, root, "tea")
        second = await slack.say("ben", "general", "@bobbin say exactly: coffee", root.ts)
        await until(slack, root, "tea", "coffee")
        await slack.delete(second)
        await until(slack, root, "tea")


async def test_a_question_deleted_while_its_answer_streams_is_broken_off(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.read("silent_within")
    async with running(sqlite_url, "slack") as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: word by word by word by word")
        await slack.wait_for(lambda: posted(slack, question), PATIENCE)
        await slack.delete(question)
        await slack.wait_for(lambda: not slack.messages("general"), PATIENCE)
        await bobbin.idle()
    assert emulator.requests[0].ended == "client left"


async def test_an_answer_deleted_while_it_streams_ends_and_is_not_posted_again(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.pace = 0.1
    async with running(sqlite_url, "slack") as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: " + "word " * 400)
        (answer,) = await slack.wait_for(lambda: posted(slack, question), PATIENCE)
        await slack.delete(answer, "ada")
        await bobbin.idle()
    assert not posted(slack, question)
    assert emulator.requests[0].ended == "client left"


async def test_a_page_deleted_while_a_later_one_streams_is_not_posted_again(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.pace = 0.006
    emulator.faults.read("huge=20000")
    async with running(sqlite_url, "slack") as bobbin:
        question = await slack.say("ada", "general", "@bobbin hello")
        await slack.wait_for(lambda: len(posted(slack, question)) > 1, PATIENCE)
        first = posted(slack, question)[0]
        assert not emulator.requests[0].ended, "it streams still"
        await slack.delete(first, "ada")
        await bobbin.idle()
    assert first.ts not in [page.ts for page in posted(slack, question)]
    assert len(posted(slack, question)) == 2
    assert sum(call.method == "chat.postMessage" for call in slack.calls) == 3


# Away


async def test_what_was_missed_is_answered_once_and_in_order(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack"):
        root = await slack.say("ada", "general", "@bobbin say exactly: zero")
        await until(slack, root, "zero")

    slack.faults.lose_events = True
    await slack.say("ben", "general", "this is chatter", root.ts)
    await slack.say("ada", "general", "@bobbin say exactly: one", root.ts)
    await slack.say("ben", "general", "@bobbin say exactly: two", root.ts)
    mention = await slack.say("ben", "random", "@bobbin say exactly: hello")
    await slack.say("ada", "random", "@bobbin say exactly: hello again", mention.ts)
    other = await slack.say("ada", "random", "nobody in particular")
    await slack.say("ben", "random", "@bobbin say exactly: joined", other.ts)
    direct = await slack.say("ada", slack.open_dm("ada"), "say exactly: direct")
    slack.faults.lose_events = False

    async with running(sqlite_url, "slack") as bobbin:
        await until(slack, root, "zero", "one", "two")
        await until(slack, mention, "hello", "hello again")
        await until(slack, other, "joined")
        await slack.wait_for(lambda: [shown(one) for one in slack.messages(direct.channel)][1:] == ["direct"], PATIENCE)
        await slack.say("ada", "general", "@bobbin say exactly: three", root.ts)
        await until(slack, root, "zero", "one", "two", "three")
        await bobbin.idle()
    assert len(emulator.requests) == 8

    async with running(sqlite_url, "slack") as bobbin:
        await slack.say("ada", "general", "@bobbin say exactly: four", root.ts)
        await until(slack, root, "zero", "one", "two", "three", "four")
        await bobbin.idle()
    assert len(emulator.requests) == 9


async def test_what_became_of_questions_meanwhile_is_noticed(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack"):
        edited = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, edited, "tea")
        deleted = await slack.say("ben", "random", "@bobbin say exactly: milk")
        await until(slack, deleted, "milk")
        untouched = await slack.say("ben", "random", "@bobbin say exactly: sugar")
        await until(slack, untouched, "sugar")
    slack.faults.lose_events = True
    await slack.edit(edited, "@bobbin say exactly: coffee")
    await slack.delete(deleted)
    slack.faults.lose_events = False
    async with running(sqlite_url, "slack") as bobbin:
        (answer,) = await until(slack, edited, f"tea\n[{ANSWER_EDITED}]")
        await slack.wait_for(lambda: not posted(slack, deleted), PATIENCE)
        await slack.click("ada", answer, Wish.AGAIN)
        await until(slack, edited, "coffee")
        await bobbin.idle()
    assert answers(slack, untouched) == ["sugar"]
    assert len(emulator.requests) == 4


async def test_what_slack_brings_again_by_itself_is_answered_once(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack"):
        root = await slack.say("ada", "general", "@bobbin say exactly: zero")
        await until(slack, root, "zero")
    await slack.say("ada", "general", "@bobbin say exactly: one", root.ts)
    mention = await slack.say("ada", "random", "@bobbin say exactly: hello")
    async with running(sqlite_url, "slack") as bobbin:
        await until(slack, root, "zero", "one")
        await until(slack, mention, "hello")
        await heard(slack)
        await bobbin.idle()
    assert len(emulator.requests) == 3


async def test_what_was_missed_too_long_ago_is_let_be(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    archive = slack.add_channel("archive", "ada", slack.bot_user_id)
    async with running(sqlite_url, "slack"):
        pass
    database = open_database(sqlite_url)
    await Ledger(database).write_note(SEEN_NOTE, f"{time.time() - 5 * DAY:.6f}")
    await database.close()
    slack.faults.lose_events = True
    slack.turn_clock_back(2 * DAY)
    late = await slack.say("ada", archive, "@bobbin say exactly: late")
    slack.turn_clock_back(0.5 * DAY)
    in_time = await slack.say("ada", archive, "@bobbin say exactly: in time")
    slack.turn_clock_back(0)
    slack.faults.lose_events = False
    async with running(sqlite_url, "slack") as bobbin:
        await until(slack, in_time, "in time")
        await bobbin.idle()
    assert not posted(slack, late)
    assert len(emulator.requests) == 1


async def test_a_command_that_was_obeyed_is_not_obeyed_again_after_a_restart(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack"):
        first = await slack.say("ada", "general", "@bobbin preset set model o1")
        await slack.wait_for(lambda: posted(slack, first), PATIENCE)
        second = await slack.say("ada", "general", "@bobbin preset set model gpt-4o")
        await slack.wait_for(lambda: posted(slack, second), PATIENCE)
        await slack.command("ada", "general", "/bobbin", "preset set model o3")
    async with running(sqlite_url, "slack") as bobbin:
        # The last place that is looked into, so that everything was.
        await slack.wait_for(lambda: sum(call.method == "conversations.history" for call in slack.calls) == 2, PATIENCE)
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, question, "tea")
        await bobbin.idle()
    assert isinstance(emulator.requests[-1].body, dict)
    assert emulator.requests[-1].body["model"] == "o3"


# Order


async def test_edits_that_come_in_reverse_end_in_the_newest(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack", questions={"on_edit": "redo"}) as bobbin:
        question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, question, "tea")
        await bobbin.idle()
        with slack.holding_events() as events:
            for word in ("milk", "sugar", "coffee"):
                await slack.edit(question, f"@bobbin say exactly: {word}")
            events.reverse()
        await heard(slack)
        await until(slack, question, "coffee")
        await bobbin.idle()
    async with running(sqlite_url, "slack", questions={"on_edit": "redo"}) as bobbin:
        for event in events[1:]:  # brought again hours later
            slack.send_raw(event["event"])
        await heard(slack)
        await bobbin.idle()
    assert answers(slack, question) == ["coffee"]
    assert len(emulator.requests) == 2


async def test_an_edit_heard_before_its_message_is_asked_once(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        with slack.holding_events() as events:
            question = await slack.say("ada", "general", "@bobbin say exactly: tea")
            edited = await slack.edit(question, "@bobbin say exactly: coffee")
            first = [event for event in events if event["event"].get("subtype") != "message_changed"]
            events[:] = [event for event in events if event not in first]
        await heard(slack)
        for event in first:
            slack.send_raw(event["event"])
        await heard(slack)
        await until(slack, edited, "coffee")
        await bobbin.idle()
    assert len(emulator.requests) == 1


async def test_a_deletion_heard_before_its_message_leaves_nothing(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        with slack.holding_events() as events:
            question = await slack.say("ada", "general", "@bobbin say exactly: tea")
            await slack.delete(question)
            events.reverse()
        await heard(slack)
        await bobbin.idle()
    assert not posted(slack, question)
    assert not emulator.requests


@pytest.mark.parametrize("hours", [1, 23])
async def test_a_message_that_is_brought_again_hours_later_is_answered_once(
    running: Any, slack: LocalSlack, sqlite_url: str, emulator: Emulator, hours: int
) -> None:
    """Slack's Delayed Events: https://docs.slack.dev/apis/events-api#delayed-events"""
    slack.turn_clock_back(hours * 3_600)
    async with running(sqlite_url, "slack") as bobbin:
        with slack.holding_events() as events:
            question = await slack.say("ada", "general", "@bobbin say exactly: tea")
        await until(slack, question, "tea")
        await bobbin.idle()
    async with running(sqlite_url, "slack") as bobbin:
        for event in events:
            slack.send_raw(event["event"])
        await heard(slack)
        await bobbin.idle()
    assert answers(slack, question) == ["tea"]
    assert len(emulator.requests) == 1
