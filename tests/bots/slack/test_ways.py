"""What is asked by a command, in a form or from a message's menu: recorded once, shown where it belongs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bots.listening.router import NOT_TO_SHARE, SHARED_BEFORE
from bots.slack.form import (
    ABOUT_MESSAGE,
    ANYWHERE,
    AUDIENCE,
    CHANNEL,
    EMPTY,
    OUTDATED,
    PRIVATE,
    QUESTION,
)
from bots.slack.ways import NO_DIRECT, NO_FORM, NOT_BETWEEN, NOT_HERE, NOT_THERE, NOT_THERE_TO_SHARE
from core.errors import ChatUnclear, StorageUnavailable
from core.quote import Quote, Source
from core.turn import Turn
from sandbox.replies import Reply
from sandbox.slack import Channel, Interaction, LocalSlack, Message, shown
from sandbox.slack.delivery import Kind
from sandbox.slack.faults import Failure
from sandbox.slack.nouns import ChannelKind
from tests.bots.slack.conftest import House


def filled(view: dict[str, Any], **chosen: str) -> dict[str, Any]:
    """What a client sends of *view* with what was typed and chosen, by block."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        name, element = block["block_id"], block["element"]
        if name not in chosen:
            continue
        if element["type"] == "plain_text_input":
            value: dict[str, Any] = {"value": chosen[name]}
        elif element["type"] == "conversations_select":
            value = {"selected_conversation": chosen[name]}
        else:
            value = {"selected_option": next(one for one in element["options"] if one["value"] == chosen[name])}
        values[name] = {name: {"type": element["type"], **value}}
    assert values.keys() == chosen.keys()
    return values


async def submit(slack: LocalSlack, view: str, user: str = "ada", **chosen: str) -> Interaction:
    return await slack.submit(user, view, filled(slack.views[view], **chosen))


async def opened(slack: LocalSlack, message: Message | None = None, user: str = "ada") -> str:
    """The form that a shortcut opens."""
    interaction = await slack.shortcut(user, ABOUT_MESSAGE if message else ANYWHERE, message)
    assert not interaction.problem
    (view,) = interaction.views
    return view


async def answered(house: House, turn: Turn, answer: str = "Because.") -> Turn:
    """As a worker would: show, take the answer, and show how it ended."""
    turn = turn.replied(await house.chat.show(turn.start("model-a")))
    turn = turn.start("model-a").finish(answer)
    await house.ledger.conclude(turn, None, epoch=0)
    turn = turn.replied(await house.chat.show(turn))
    await house.ledger.settle(turn.settle())
    return turn


async def the_turn(house: House) -> Turn:
    (turn,) = await house.accepted()
    house.woken.clear()
    return turn


async def taken_again(house: House, turn: Turn) -> Turn:
    """As another process would find it."""
    taken = await house.ledger.take(turn.question.thread.id)
    assert taken
    assert taken.turn.attempt > turn.attempt
    return taken.turn


def said(house: House, channel: Channel | str, thread_ts: str | None = None) -> list[str]:
    """What the bot said there."""
    messages = house.slack.messages(channel, thread_ts)
    return [shown(one) for one in messages if one.bot_id == house.slack.bot_id and not one.ephemeral_to]


def roots(house: House, channel: Channel | str) -> list[Message]:
    messages = house.slack.messages(channel)
    return [one for one in messages if one.bot_id == house.slack.bot_id and not (one.thread_ts or one.ephemeral_to)]


# By a command


async def test_a_command_that_is_no_command_asks_for_all_to_see_in_a_thread_of_its_own(either: House) -> None:
    async with either.listening():
        given = await either.slack.command("ada", "general", "/bobbin", "why *is* <!here> it?", wait=0)
        turn = await the_turn(either)
        assert given.ack in (None, {})
        assert (turn.question.text, turn.question.asker_name) == ("why *is* @here it?", "ada")
        turn = turn.replied(await either.chat.show(turn.start("model-a")))
        (root,) = roots(either, "general")
        assert shown(root) == "ada asked:\n> why *is* @here it?"
        assert "broadcast" not in str(root.blocks)
        await answered(either, turn)
        assert said(either, "general", root.ts) == [shown(root), "Because."]
        assert len(roots(either, "general")) == 1


async def test_a_long_answer_has_all_its_pages_below_the_question(house: House) -> None:
    house.most_pages = 2
    house.chat = house.build()
    long = "\n\n".join(f"Paragraph {number}: " + "word " * 200 for number in range(40))
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        turn = await the_turn(house)
        for end in (10, len(long) // 2, len(long)):
            turn = turn.replied(await house.chat.show(turn.start("model-a").grow(long[:end])))
        await answered(house, turn, long)
    (root,) = roots(house, "general")
    question, *pages, file = house.slack.messages("general", root.ts)
    assert (question, len(pages)) == (root, 2)
    assert [one.content.decode() for one in file.files] == [long]
    assert len(root.versions) == 1


async def test_a_question_that_failed_is_answered_again_below_it(house: House) -> None:
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        turn = await the_turn(house)
        failed = turn.start("model-a").fail("It broke.")
        await house.ledger.conclude(failed, None, epoch=0)
        failed = failed.replied(await house.chat.show(failed))
        await house.ledger.settle(failed.settle())
        (root,) = roots(house, "general")
        await house.slack.click("ben", house.slack.messages("general", root.ts)[-1], "again")
        await answered(house, await taken_again(house, turn))
    assert said(house, "general", root.ts) == ["ada asked:\n> why?", "Because."]


async def test_what_is_said_in_its_thread_goes_on_in_it_also_after_a_restart(house: House) -> None:
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        turn = await answered(house, await the_turn(house))
        (root,) = roots(house, "general")
        await house.slack.say("ben", "general", "@bobbin and how?", root.ts)
        follow_up = await the_turn(house)
        assert follow_up.question.thread.id == turn.question.thread.id
    house.chat = house.build()
    async with house.listening():
        await answered(house, follow_up, "So.")
        await house.slack.say("ben", "general", "@bobbin and when?", root.ts)
        assert (await the_turn(house)).question.thread.id == turn.question.thread.id
    assert said(house, "general", root.ts)[-1] == "So."


async def test_what_was_said_in_its_thread_while_the_bot_was_away_goes_on_in_it(house: House) -> None:
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        turn = await answered(house, await the_turn(house))
    (root,) = roots(house, "general")
    house.slack.faults.lose_events = True
    await house.slack.say("ben", "general", "@bobbin and how?", root.ts)
    house.slack.faults.lose_events = False
    house.chat = house.build()
    async with house.listening():
        missed = await the_turn(house)
    assert (missed.question.text, missed.question.thread.id) == ("and how?", turn.question.thread.id)


async def test_a_process_that_died_after_posting_the_question_posts_it_once(house: House) -> None:
    """It had no time to write down where."""
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        turn = await the_turn(house)
        await house.chat.show(turn.start("model-a").grow("Half of it"))
        house.chat = house.build()
        await answered(house, await taken_again(house, turn))
    (root,) = roots(house, "general")
    assert said(house, "general", root.ts) == ["ada asked:\n> why?", "Because."]


async def test_a_question_whose_posting_nobody_knows_the_outcome_of_is_posted_once(house: House) -> None:
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        turn = await the_turn(house)
        house.slack.faults.odd("chat.postMessage", Reply(body="<html>"), done=True)
        with pytest.raises(ChatUnclear):
            await house.chat.show(turn.start("model-a"))
        house.slack.faults.clear()
        await answered(house, turn)
    assert len(roots(house, "general")) == 1


async def test_a_command_that_comes_twice_asks_once(either: House) -> None:
    async with either.listening():
        await either.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        await the_turn(either)
    (parcel,) = [each.parcel for each in either.slack.deliveries if each.parcel.kind is Kind.COMMAND]
    either.chat = either.build()
    async with either.listening():
        await either.slack._deliveries.ask(parcel)
        await either.slack.command("ada", "general", "/bobbin", "help")
    assert either.woken == []


async def test_where_the_bot_is_not_a_command_says_what_to_do(house: House) -> None:
    house.slack.add_channel("far", "ada")
    house.slack.add_channel("secret", "ada", private=True)
    async with house.listening():
        for channel in ("far", "secret"):
            (told,) = (await house.slack.command("ada", channel, "/bobbin", "why?")).messages
            assert told.ephemeral_to
            assert told.text == NOT_HERE.replace("`", "")
        between = house.slack._platform.workspace.add_channel("", ["ada", "ben"], ChannelKind.DIRECT)
        (told,) = (await house.slack.command("ada", between, "/bobbin", "why?")).messages
        assert told.text == NOT_BETWEEN
    assert house.woken == []


async def test_while_slack_does_not_say_where_the_bot_is_a_command_asks(house: House) -> None:
    house.slack.faults.fail("conversations.info", Failure(200, "internal_error"))
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        await the_turn(house)


async def test_a_question_that_cant_be_recorded_is_told_so(house: House) -> None:
    async with house.listening():
        house.ledger.is_away = True
        (told,) = (await house.slack.command("ada", "general", "/bobbin", "why?")).messages
    assert told.text.startswith(StorageUnavailable().sentence[:20])
    assert told.ephemeral_to


async def test_in_direct_messages_reset_is_a_command_as_well(house: House) -> None:
    async with house.listening():
        (told,) = (await house.slack.command("ada", house.slack.open_dm("ada"), "/bobbin", "reset")).messages
    assert "starts a new one" in told.text


# In a form


async def test_a_command_without_words_opens_a_form_whose_question_is_seen_in_the_channel(either: House) -> None:
    async with either.listening():
        (view,) = (await either.slack.command("ada", "general", "/bobbin")).views
        sent = await submit(either.slack, view, question="why?", preset="terse")
        assert not sent.problem
        assert view not in either.slack.views
        turn = await the_turn(either)
        assert (turn.question.text, turn.question.preset) == ("why?", "terse")
        assert not turn.question.is_private
        await answered(either, turn)
    (root,) = roots(either, "general")
    assert said(either, "general", root.ts) == ["ada asked:\n> why?", "Because."]


async def test_a_form_is_one_question_however_often_it_is_sent(either: House) -> None:
    async with either.listening():
        (view,) = (await either.slack.command("ada", "general", "/bobbin")).views
        await submit(either.slack, view, question="why?")
        await the_turn(either)
    (parcel,) = [
        each.parcel for each in either.slack.deliveries if each.parcel.payload.get("type") == "view_submission"
    ]
    either.chat = either.build()
    async with either.listening():
        await asyncio.gather(*(either.slack._deliveries.ask(parcel) for _ in range(3)))
    assert either.woken == []


async def test_the_shortcut_asks_about_a_message_in_its_thread(either: House) -> None:
    """Nobody there saw the question, so that the answer begins with it."""
    async with either.listening():
        about = await either.slack.say("ben", "general", "The pump is *leaking* again.")
        view = await opened(either.slack, about)
        await submit(either.slack, view)
        turn = await the_turn(either)
        assert turn.question.text == "Explain this message."
        assert turn.question.quotes == (Quote(Source.REPLY, "The pump is *leaking* again.", "ben"),)
        assert turn.question.is_unseen
        assert turn.question.thread.id.endswith(f"/{about.ts}")
        await answered(either, turn)
    assert said(either, "general", about.ts) == ["ada asked:\n> Explain this message.\n\nBecause."]


async def test_the_shortcut_on_a_reply_asks_in_the_thread_that_it_stands_in(house: House) -> None:
    async with house.listening():
        await house.slack.command("ada", "general", "/bobbin", "why?", wait=0)
        turn = await answered(house, await the_turn(house))
        (root,) = roots(house, "general")
        answer = house.slack.messages("general", root.ts)[-1]
        await submit(house.slack, await opened(house.slack, answer, "ben"), "ben", question="how so?")
        follow_up = await the_turn(house)
    assert follow_up.question.thread.id == turn.question.thread.id
    assert follow_up.question.quotes == (Quote(Source.REPLY, "Because.", is_ours=True),)


async def test_a_long_message_is_read_again_where_the_bot_may(house: House) -> None:
    long = "The pump. " * 1_000
    house.slack.add_channel("far", "ada", "ben")
    async with house.listening():
        for channel, most in (("general", 20_000), ("far", 3_000)):
            about = await house.slack.say("ben", channel, long)
            await submit(house.slack, await opened(house.slack, about), audience=PRIVATE)
            (quote,) = (await the_turn(house)).question.quotes
            assert 2_000 < len(quote.text) < most
            assert quote.text.startswith(long[:2_000])


async def test_the_shortcut_for_all_asks_in_the_channel_that_is_chosen(house: House) -> None:
    async with house.listening():
        view = await opened(house.slack)
        await submit(house.slack, view, question="why?", channel=house.slack.channel("random").id)
        await answered(house, await the_turn(house))
    (root,) = roots(house, "random")
    assert shown(root) == "ada asked:\n> why?"


async def test_without_a_channel_it_can_be_asked_only_for_oneself(house: House) -> None:
    async with house.listening():
        view = await opened(house.slack)
        refused = await submit(house.slack, view, question="why?")
        assert refused.ack
        assert set(refused.ack["errors"]) == {CHANNEL}
        await submit(house.slack, view, question="why?", audience=PRIVATE)
        turn = await answered(house, await the_turn(house))
    assert turn.question.is_private
    (root,) = roots(house, house.slack.open_dm("ada"))
    assert said(house, root.channel, root.ts) == ["You asked:\n> why?", "Because."]
    assert "share" not in str(house.slack.messages(root.channel)[-1].blocks)


@pytest.mark.parametrize("words", [" ", "\u200b", "\n\t"])
async def test_a_form_without_a_question_says_so(either: House, words: str) -> None:
    async with either.listening():
        (view,) = (await either.slack.command("ada", "general", "/bobbin")).views
        refused = await submit(either.slack, view, question=words)
        assert refused.ack == {"response_action": "errors", "errors": {QUESTION: EMPTY}}
        assert view in either.slack.views
    assert either.woken == []


async def test_where_the_bot_is_not_a_form_says_what_to_do(house: House) -> None:
    house.slack.add_channel("far", "ada", "ben")
    async with house.listening():
        about = await house.slack.say("ben", "far", "The pump is leaking.")
        view = await opened(house.slack, about)
        refused = await submit(house.slack, view)
        assert refused.ack == {"response_action": "errors", "errors": {AUDIENCE: NOT_THERE}}
        await submit(house.slack, view, audience=PRIVATE)
        turn = await the_turn(house)
    assert turn.question.quotes == (Quote(Source.REPLY, "The pump is leaking."),)


async def test_while_nothing_can_be_recorded_a_form_stays_open(house: House) -> None:
    async with house.listening():
        (view,) = (await house.slack.command("ada", "general", "/bobbin")).views
        house.ledger.is_away = True
        refused = await submit(house.slack, view, question="why?")
        assert refused.ack
        assert refused.ack["errors"] == {QUESTION: StorageUnavailable().sentence}
        house.ledger.is_away = False
        await submit(house.slack, view, question="why?")
        await the_turn(house)


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        "null",
        "{}{}",
        '{"channel": 7}',
        '{"channel": "C1/../C2"}',
        '{"thread_ts": "x"}',
        '{"message_ts": null}',
        '{"depth": 3}',
        "[" * 2_000,
    ],
)
async def test_a_form_that_keeps_something_odd_is_to_be_opened_again(house: House, kept: str) -> None:
    async with house.listening():
        (view,) = (await house.slack.command("ada", "general", "/bobbin")).views
        house.slack.views[view]["private_metadata"] = kept
        refused = await submit(house.slack, view, question="why?")
        assert refused.ack == {"response_action": "errors", "errors": {QUESTION: OUTDATED}}
    assert house.woken == []


async def test_a_form_of_a_strange_shape_is_skipped(either: House) -> None:
    async with either.listening():
        (view,) = (await either.slack.command("ada", "general", "/bobbin")).views
        whole = await submit(either.slack, view, question="why?")
        assert not whole.problem
        await the_turn(either)
        (parcel,) = [
            each.parcel for each in either.slack.deliveries if each.parcel.payload.get("type") == "view_submission"
        ]
        form = parcel.payload["view"]
        changes: list[dict[str, Any]] = [{"id": None}, {"state": None}, {"state": {"values": []}}]
        changes.append({"state": {"values": {QUESTION: 7}}})
        for change in changes:
            await either.slack.send_raw_interaction({**parcel.payload, "view": {**form, **change}})
        await either.slack.send_raw_interaction({**parcel.payload, "user": None})
        await either.slack.say("ada", "general", "@bobbin still there?")
        assert (await the_turn(either)).question.text == "still there?"


async def test_a_form_that_comes_too_late_is_told_of(house: House) -> None:
    async with house.listening():
        house.slack.faults.fail("views.open", Failure(200, "expired_trigger_id"), times=2)
        (told,) = (await house.slack.command("ada", "general", "/bobbin")).messages
        assert (told.text, bool(told.ephemeral_to)) == (NO_FORM, True)
        await house.slack.shortcut("ada", ANYWHERE)
        dm = house.slack.open_dm("ada")
        await house.slack.wait_for(lambda: house.slack.messages(dm))
        assert said(house, dm) == [NO_FORM]


async def test_who_closes_the_form_asks_nothing(house: House) -> None:
    async with house.listening():
        view = await opened(house.slack)
        await house.slack.close_view("ada", view)
    assert house.woken == []


# Private


async def private(house: House, **chosen: str) -> tuple[Message, Turn, Message]:
    """Ada asks about what Ben said, only for herself: what that was, her turn, and what shows the answer."""
    about = await house.slack.say("ben", "general", "The pump is leaking.")
    await submit(house.slack, await opened(house.slack, about), audience=PRIVATE, **chosen)
    turn = await answered(house, await the_turn(house))
    return about, turn, house.slack.messages(house.slack.open_dm("ada"))[-1]


async def test_a_private_answer_is_seen_by_the_asker_alone(either: House) -> None:
    async with either.listening():
        about, turn, answer = await private(either)
        assert turn.question.is_private
        (root,) = roots(either, either.slack.open_dm("ada"))
        assert said(either, root.channel, root.ts) == [
            "You asked about this message:\n> Explain this message.",
            "Because.\n[Share]",
        ]
        assert f"/archives/{about.channel}/p{about.ts.replace('.', '')}" in str(root.blocks)
        assert "share" in str(answer.blocks)
        assert said(either, "general") == []
        await either.slack.say("ada", root.channel, "and how?", root.ts)
        assert (await the_turn(either)).question.thread.id == turn.question.thread.id


async def test_it_is_shared_where_it_is_about_once_and_also_after_a_restart(either: House) -> None:
    async with either.listening():
        about, _, answer = await private(either)
    either.chat = either.build()
    async with either.listening():
        await either.slack.click("ada", answer, "share")
        (thread,) = either.woken
        assert thread.endswith(f"/{about.ts}")
        taken = await either.ledger.take(thread)
        assert taken
        turn = taken.turn.replied(await either.chat.show(taken.turn))
        await either.ledger.settle(turn.settle())
        assert said(either, "general", about.ts) == ["ada asked:\n> Explain this message.\n\nBecause."]
        await either.slack.click("ada", answer, "share")
        await either.slack.wait_for(lambda: whispered(either) == [f"Shared in <#{about.channel}>.", SHARED_BEFORE])
    assert either.woken == [thread]


def whispered(house: House) -> list[str]:
    everywhere = (one for channel in house.slack.channels for one in house.slack.messages(channel))
    return [one.text for one in everywhere if one.ephemeral_to]


async def test_what_was_asked_beside_all_threads_is_shared_in_one_of_its_own(house: House) -> None:
    async with house.listening():
        (view,) = (await house.slack.command("ada", "general", "/bobbin")).views
        await submit(house.slack, view, question="why?", audience=PRIVATE)
        await answered(house, await the_turn(house))
        await house.slack.click("ada", house.slack.messages(house.slack.open_dm("ada"))[-1], "share")
        taken = await house.ledger.take(house.woken[0])
        assert taken
        await house.chat.show(taken.turn)
        (root,) = roots(house, "general")
        assert said(house, "general", root.ts) == ["ada asked:\n> why?", "Because."]
        house.woken.clear()
        await house.ledger.settle(taken.turn.settle())
        await house.slack.say("ben", "general", "@bobbin how?", root.ts)
        follow_up = await the_turn(house)
    assert follow_up.question.thread.id == taken.turn.question.thread.id


async def test_nobody_but_the_asker_shares_it(house: House) -> None:
    async with house.listening():
        _, _, answer = await private(house)
        house.slack.channel(answer.channel).members.append(house.slack.user("ben").id)
        await house.slack.click("ben", answer, "share")
        await house.slack.wait_for(lambda: whispered(house) == [NOT_TO_SHARE])
    assert house.woken == []


async def test_it_is_not_shared_where_the_bot_is_not_any_more(house: House) -> None:
    async with house.listening():
        about, _, answer = await private(house)
        house.slack.channel(about.channel).members.remove(house.slack.bot_user_id)
        await house.slack.click("ada", answer, "share")
        await house.slack.wait_for(lambda: whispered(house))
    assert whispered(house) == [NOT_THERE_TO_SHARE]
    assert house.woken == []


async def test_a_click_on_what_is_not_known_any_more_is_told_so(house: House) -> None:
    async with house.listening():
        _, turn, answer = await private(house)
        await house.relay.withdraw(turn.question.key)
        await house.slack.click("ada", answer, "share")
        await house.slack.wait_for(lambda: whispered(house) == [NOT_TO_SHARE])


async def test_to_whom_slack_does_not_let_it_write_it_says_so_in_the_form(house: House) -> None:
    async with house.listening():
        view = await opened(house.slack)
        house.slack.faults.fail("conversations.open", Failure(200, "missing_scope"))
        refused = await submit(house.slack, view, question="why?", audience=PRIVATE)
        assert refused.ack == {"response_action": "errors", "errors": {AUDIENCE: NO_DIRECT}}
    assert house.woken == []


# Direct messages


async def test_direct_messages_beside_threads_are_answered_in_the_thread_of_the_question(house: House) -> None:
    dm = house.slack.open_dm("ada")
    async with house.listening():
        asked = await house.slack.say("ada", dm, "why?")
        turn = await the_turn(house)
        await house.chat.show(turn.start("model-a").grow("Half of it"))
        house.chat = house.build()
        await answered(house, await taken_again(house, turn))
    assert [one.thread_ts for one in house.slack.messages(dm)] == [None, asked.ts]
    assert said(house, dm) == ["Because."]


async def test_what_was_said_below_an_older_question_in_direct_messages_while_the_bot_was_away_is_heard(
    house: House,
) -> None:
    """Nothing was asked in the thread so far, so that the ledger doesn't know of it."""
    dm = house.slack.open_dm("ada")
    async with house.listening():
        first = await house.slack.say("ada", dm, "why?")
        await answered(house, await the_turn(house))
        await house.slack.say("ada", dm, "and how?")
        await answered(house, await the_turn(house))
    house.slack.faults.lose_events = True
    await house.slack.say("ada", dm, "and when?", first.ts)
    house.slack.faults.lose_events = False
    house.chat = house.build()
    async with house.listening():
        missed = await the_turn(house)
    assert missed.question.text == "and when?"
    assert missed.question.thread.id == f"slack:{house.slack.team_id}/{dm.id}/{first.ts}"


async def test_what_was_said_in_direct_messages_while_the_bot_was_away_is_heard(house: House) -> None:
    dm = house.slack.open_dm("ada")
    async with house.listening():
        await house.slack.say("ada", dm, "why?")
        turn = await answered(house, await the_turn(house))
    house.slack.faults.lose_events = True
    await house.slack.say("ada", dm, "and how?")
    house.slack.faults.lose_events = False
    house.chat = house.build()
    async with house.listening():
        missed = await the_turn(house)
    assert (missed.question.text, missed.question.thread.id) == ("and how?", turn.question.thread.id)
