"""What people write in Slack is recorded once, and acknowledged only then."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
import pytest
from pydantic import SecretStr

from bots.reply.page import Wish
from core.errors import AnswerDeleted, SetupError, StorageUnavailable, ThreadGone
from core.turn import Status
from sandbox.slack import Failure, Message
from sandbox.slack.delivery import Kind
from sandbox.slack.request_url import signature

if TYPE_CHECKING:
    from core.turn import Turn
    from tests.bots.slack.conftest import House


async def test_a_mention_becomes_one_turn(either: House) -> None:
    """Slack sends it as `message` and as `app_mention`."""
    async with either.listening():
        said = await either.slack.say("ada", "general", "@bobbin what is a bobbin?")
        (turn,) = await either.accepted()
        await either.all_delivered(2)
    slack = either.slack
    channel = slack.channel("general").id
    assert turn.question.text == "what is a bobbin?"
    assert turn.question.asker == slack.user("ada").id
    assert turn.question.key == f"slack:{slack.team_id}/{channel}/{said.ts}"
    assert turn.question.thread.id == f"slack:{slack.team_id}/{channel}/{said.ts}"
    assert len(either.woken) == 1
    assert all(delivered.acknowledged for delivered in slack.deliveries)


async def test_the_second_door_alone_is_enough(house: House) -> None:
    house.slack.faults.mention_first = True
    async with house.listening():
        await house.slack.say("ada", "general", "@bobbin hello")
        await house.all_delivered(2)
    assert len(house.woken) == 1


async def test_a_redelivery_changes_nothing(either: House) -> None:
    either.slack.faults.redeliver = 2
    async with either.listening():
        await either.slack.say("ada", "general", "@bobbin hello")
        await either.all_delivered(6)
        await either.until(lambda: either.ledger.handed_in == 3)  # the mentions beside them tell nothing new
    assert len(either.woken) == 1


async def test_what_could_not_be_recorded_is_not_acknowledged_and_comes_again(either: House) -> None:
    either.ledger.is_away = True
    async with either.listening():
        await either.slack.say("ada", "general", "@bobbin hello")
        await either.until(lambda: either.ledger.handed_in >= 2)
        assert not either.woken
        either.ledger.is_away = False
        (turn,) = await either.accepted()
    assert turn.question.text == "hello"
    assert not any(delivered.acknowledged for delivered in list(either.slack.deliveries)[:2])


async def test_nothing_is_acknowledged_before_it_is_recorded(either: House) -> None:
    either.ledger.is_quick.clear()
    async with either.listening():
        await either.slack.say("ada", "general", "@bobbin hello")
        await either.until(lambda: either.ledger.handed_in)
        assert not any(delivered.acknowledged for delivered in either.slack.deliveries)
        either.ledger.is_quick.set()
        await either.until(lambda: any(delivered.acknowledged for delivered in either.slack.deliveries))
        assert len(either.woken) == 1


async def test_what_is_said_while_nobody_listens_is_answered_afterwards(house: House) -> None:
    await house.slack.say("ada", "general", "@bobbin hello")
    async with house.listening():
        (turn,) = await house.accepted()
    assert turn.question.text == "hello"


async def test_bots_are_not_answered(house: House) -> None:
    lamp = house.slack.add_user("lamp", is_bot=True)
    async with house.listening():
        await house.slack.say(lamp, "general", "@bobbin hello")
        await house.slack.say("bobbin", "general", "@bobbin hello")
        await house.slack.say("ada", "general", "nobody in particular")
        await house.slack.say("ada", "general", "@bobbin the end")
        (turn,) = await house.accepted()
    assert turn.question.text == "the end"
    assert house.ledger.handed_in <= 2


async def test_direct_messages_need_no_mention_and_are_one_conversation_beside_their_threads(house: House) -> None:
    """While an answer is still to come in a thread, what is written there belongs to the conversation of that."""
    dm = house.slack.open_dm("ada")
    async with house.listening():
        first = await house.slack.say("ada", dm, "hello")
        await house.until(lambda: len(house.woken) == 1)
        await house.slack.say("ada", dm, "and again")
        await house.until(lambda: len(house.woken) == 2)
        await house.slack.say("ada", dm, "on with it", first.ts)
        await house.until(lambda: len(house.woken) == 3)
        other = await house.slack.say("bobbin", dm, "by the way")
        await house.slack.say("ada", dm, "aside", other.ts)
        await house.until(lambda: len(house.woken) == 4)
    here = f"slack:{house.slack.team_id}/{dm.id}"
    assert house.woken == [here, here, here, f"{here}/{other.ts}"]


async def test_a_mention_in_a_thread_goes_on_in_it(house: House) -> None:
    async with house.listening():
        root = await house.slack.say("ada", "general", "let us talk")
        await house.slack.say("ben", "general", "@bobbin join us", root.ts)
        (turn,) = await house.accepted()
    assert turn.question.thread.id.endswith(f"/{root.ts}")
    assert not turn.question.key.endswith(f"/{root.ts}")


async def test_the_question_wears_a_sign_until_it_is_answered(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        _, channel, ts = turn.question.key.split("/")
        question = await house.slack.wait_for(lambda: [m for m in house.slack.messages(channel, ts) if m.reactions])
        assert question[0].reactions[0].name == "eyes"
        reply = await house.chat.show(turn.start("m").finish("Because."))
        assert not house.slack.messages(channel, ts)[0].reactions
        await house.chat.show(turn.start("m").finish("Because.").replied(reply))
    assert house.calls("reactions.remove") == 1


async def test_the_sign_does_not_outlive_an_answer_that_somebody_deleted(house: House) -> None:
    async with house.listening():
        turn = (await house.asked()).start("model-a")
        (question,) = await house.slack.wait_for(lambda: [m for m in house.slack.messages("general") if m.reactions])
        turn = turn.replied(await house.chat.show(turn.grow("Because")))
        await house.slack.delete(house.replies(turn)[0])
        with pytest.raises(AnswerDeleted):
            await house.chat.show(turn.grow("Because it"))
        await house.chat.show(turn.stop())
        assert not house.slack.messages("general", question.ts)[0].reactions


async def test_nor_one_that_can_not_be_shown(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        (question,) = await house.slack.wait_for(lambda: [m for m in house.slack.messages("general") if m.reactions])
        house.slack.faults.fail("chat.postMessage", Failure(error="is_archived"))
        with pytest.raises(ThreadGone):
            await house.chat.show(turn.start("model-a").finish("Because."))
        assert not house.slack.messages("general", question.ts)[0].reactions


async def test_without_the_scope_there_is_no_sign_and_all_else_works(house: House) -> None:
    house.slack.installation.scopes.discard("reactions:write")
    async with house.listening():
        turn = await house.asked()
        await house.slack.wait_for(lambda: house.calls("reactions.add"))
        await house.chat.show(turn.start("m").finish("Because."))
        await house.slack.say("ada", "random", "@bobbin and this?")
        await house.accepted(2)
    assert house.replies(turn)
    assert (house.calls("reactions.add"), house.calls("reactions.remove")) == (1, 0)


# Commands


async def test_a_command_after_the_mention_is_obeyed_once_and_answered_in_the_thread(house: House) -> None:
    house.slack.faults.redeliver = 1
    async with house.listening():
        await house.slack.say("ada", "general", "@bobbin preset set model model-b")
        (turn,) = await house.accepted()
        await house.chat.show(turn)
        await house.all_delivered(4)
        choice = await house.relay.choice(turn.question.thread)
    assert choice.model == "model-b"
    assert ["model-b" in reply.text for reply in house.replies(turn)] == [True]
    assert (house.ledger.handed_in, len(house.woken)) == (2, 1)


async def test_a_command_that_could_not_be_recorded_is_obeyed_when_it_comes_again(house: House) -> None:
    house.ledger.is_away = True
    async with house.listening():
        await house.slack.say("ada", "general", "@bobbin help")
        await house.until(lambda: house.ledger.handed_in >= 2)
        house.ledger.is_away = False
        (turn,) = await house.accepted()
    assert "preset show" in turn.answer


async def test_a_slash_command_shows_to_one_and_changes_for_all_to_see(either: House) -> None:
    async with either.listening():
        shown = await either.slack.command("ada", "general", "/bobbin", "preset show")
        changed = await either.slack.command("ada", "general", "/bobbin", "preset set terse")
        refused = await either.slack.command("ada", "general", "/bobbin", "preset set unheard-of")
        helped = await either.slack.command("ada", "general", "/bobbin", "help")
        retried = await either.slack.command("ada", "general", "/bobbin", "retry")
    assert "model-a" in shown.messages[0].text
    assert shown.messages[0].ephemeral_to == either.slack.user("ada").id
    assert "terse" in changed.messages[0].text
    assert not changed.messages[0].ephemeral_to
    assert refused.messages[0].ephemeral_to
    assert helped.messages[0].text.startswith("Mention me with a question")
    assert retried.messages[0].text == "To retry, go to the thread and write @bobbin retry."


async def replayed(house: House, kind: Kind) -> str:
    """Deliver all of a kind once more, after a restart; return what was answered."""
    parcels = [each.parcel for each in house.slack.deliveries if each.parcel.kind is kind]
    house.chat = house.build()
    async with house.listening():
        return str([await house.slack._deliveries.ask(parcel) for parcel in parcels])


async def test_a_slash_command_that_is_replayed_changes_nothing(either: House) -> None:
    async with either.listening():
        await either.slack.command("ada", "general", "/bobbin", "preset set model model-b")
        changed = either.slack.deliveries[-1].parcel
        assert "twice" in str(await either.slack._deliveries.ask(changed))
        await either.slack.command("ada", "general", "/bobbin", "preset set model model-c")
        assert "twice" in str(await either.slack._deliveries.ask(changed))
        turn = await either.asked()
        choice = await either.relay.choice(turn.question.thread)
    assert choice.model == "model-c"
    assert "twice" in await replayed(either, Kind.COMMAND)


async def test_a_replay_without_a_trigger_is_known_by_its_signature(by_http: House) -> None:
    async with by_http.listening(), aiohttp.ClientSession() as client:
        await by_http.slack.command("ada", "general", "/bobbin", "preset show")
        payload = dict(by_http.slack.deliveries[-1].parcel.payload) | {"text": "preset set terse"}
        del payload["trigger_id"]
        body, timestamp = urlencode(payload).encode(), str(int(time.time()))
        headers = {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(by_http.slack.signing_secret, timestamp, body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        told = []
        for _ in range(2):
            answer = await client.post(f"{by_http.door.url}/slack/events", data=body, headers=headers)
            told.append(await answer.text())
    assert ["twice" in each for each in told] == [False, True]


async def test_a_slash_command_that_changes_nothing_may_come_twice(either: House) -> None:
    async with either.listening():
        await either.slack.command("ada", "general", "/bobbin", "preset show")
    assert "model-a" in await replayed(either, Kind.COMMAND)


async def test_while_the_database_is_away_a_slash_command_is_told_so(either: House) -> None:
    async with either.listening():
        either.ledger.is_away = True
        said = await either.slack.command("ada", "general", "/bobbin", "preset set terse")
        either.ledger.is_away = False
        again = await either.slack.command("ada", "general", "/bobbin", "preset set terse")
    assert said.messages[0].text == StorageUnavailable().sentence
    assert "terse" in again.messages[0].text


async def test_a_click_that_is_replayed_after_a_restart_starts_nothing(either: House) -> None:
    async with either.listening():
        turn, message = await failed(either)
        await either.slack.click("ben", message, Wish.AGAIN)
        taken = await either.ledger.take(turn.question.thread.id)
        assert taken
        await either.ledger.save(taken.turn.start("m").finish("Because.").settle())
    await replayed(either, Kind.INTERACTIVE)
    anew = await either.ledger.turn(turn.question.key)
    assert anew
    assert anew.status is Status.ANSWERED


async def test_events_that_are_replayed_after_a_restart_start_nothing(either: House) -> None:
    async with either.listening():
        await either.slack.say("ada", "general", "@bobbin why?")
        await either.accepted()
        await either.all_delivered(2)
    await replayed(either, Kind.EVENT)
    assert len(either.woken) == 1


async def test_a_command_in_words_that_is_replayed_after_a_restart_changes_nothing(either: House) -> None:
    async with either.listening():
        await either.slack.say("ada", "general", "@bobbin preset set model model-b")
        (turn,) = await either.accepted()
        await either.all_delivered(2)
        await either.slack.command("ada", "general", "/bobbin", "preset set model model-c")
    await replayed(either, Kind.EVENT)
    assert (await either.relay.choice(turn.question.thread)).model == "model-c"


async def test_a_slash_command_can_not_ping(house: House) -> None:
    async with house.listening():
        said = await house.slack.command("ada", "general", "/bobbin", "preset set instructions <!channel> ping @here")
    (section, *_) = said.messages[0].blocks[0]["elements"]
    assert {element["type"] for element in section["elements"]} == {"text"}
    assert "<!" not in said.messages[0].text


async def test_a_button_of_somebody_else_is_acknowledged(house: House) -> None:
    async with house.listening():
        said = await house.slack.shortcut("ada", "unknown_shortcut")
    assert not said.problem


# Edits, deletions, clicks


async def test_an_edit_or_deletion_that_could_not_be_recorded_comes_again(either: House) -> None:
    async with either.listening():
        turn = await either.asked("@bobbin tea?")
        (question,) = either.slack.messages("general")
        await either.slack.wait_for(lambda: not either.slack.under_way)
        either.ledger.is_away = True
        await either.slack.edit(question, "@bobbin coffee?")
        await either.slack.wait_for(lambda: not either.slack.deliveries[-1].acknowledged)
        either.ledger.is_away = False
        await either.slack.wait_for(lambda: not either.slack.under_way)
        revised = await either.ledger.turn(turn.question.key)
        either.ledger.is_away = True
        await either.slack.delete(question)
        await either.slack.wait_for(lambda: not either.slack.deliveries[-1].acknowledged)
        either.ledger.is_away = False
        await either.slack.wait_for(lambda: not either.slack.under_way)
    assert revised
    assert revised.question.text == "coffee?"
    withdrawn = await either.ledger.turn(turn.question.key)
    assert withdrawn
    assert withdrawn.is_withdrawn


async def failed(house: House) -> tuple[Turn, Message]:
    turn = (await house.asked()).start("m").fail("It broke.")
    turn = turn.replied(await house.chat.show(turn))
    await house.ledger.save(turn.settle())
    (message,) = house.replies(turn)
    return turn, message


async def test_a_click_is_recorded_before_it_is_acknowledged_and_counts_once(either: House) -> None:
    async with either.listening():
        turn, message = await failed(either)
        click = await either.slack.click("ben", message, Wish.AGAIN)
        anew = await either.ledger.turn(turn.question.key)
        await either.slack.click("ada", message, Wish.AGAIN)
        still = await either.ledger.turn(turn.question.key)
    assert not click.problem
    assert anew
    assert anew.status is Status.QUEUED
    assert still == anew, "somebody who clicks the same button a moment later starts nothing"


async def test_a_click_that_could_not_be_recorded_is_told_and_may_be_repeated(house: House) -> None:
    async with house.listening():
        turn, message = await failed(house)
        house.ledger.is_away = True
        click = await house.slack.click("ben", message, Wish.AGAIN)
        whisper = await house.slack.wait_for(lambda: [each for each in house.replies(turn) if each.ephemeral_to])
        house.ledger.is_away = False
        await house.slack.click("ben", message, Wish.AGAIN)
        anew = await house.ledger.turn(turn.question.key)
    assert not click.problem
    assert whisper[0].ephemeral_to == house.slack.user("ben").id
    assert whisper[0].text == StorageUnavailable().sentence
    assert anew
    assert anew.status is Status.QUEUED


async def test_a_click_for_what_is_no_more_is_told(house: House) -> None:
    async with house.listening():
        turn, message = await failed(house)
        await house.relay.withdraw(turn.question.key)
        await house.slack.click("ben", message, Wish.AGAIN)
        whisper = await house.slack.wait_for(lambda: [each for each in house.replies(turn) if each.ephemeral_to])
    assert "ask it again" in whisper[0].text


# Connecting


async def test_variables_of_bolt_itself_change_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """With these two set, Bolt would look for installations by OAuth; with the others, use somebody else's token."""
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BOT_TOKEN", "APP_TOKEN", "SIGNING_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", secrets.token_hex(8))
    async with house.listening():
        turn = await house.asked()
        await house.chat.show(turn.start("m").finish("Because."))
    assert house.replies(turn)
    assert all(call.answer["ok"] for call in house.slack.calls)


@pytest.mark.parametrize("field", ["bot_token", "app_token"])
async def test_a_wrong_token_is_told_in_a_sentence(house: House, field: str) -> None:
    wrong = secrets.token_hex(8)
    house.section = house.section.model_copy(update={field: SecretStr(wrong)})
    house.chat = house.build()
    with pytest.raises(SetupError, match=f"BOBBIN_SLACK__{field.upper()}") as error:
        async with house.listening():
            pass
    assert wrong not in error.value.sentence


async def test_trouble_at_the_start_is_waited_out(house: House) -> None:
    house.slack.faults.fail("auth.test", Failure(status=503), times=3)
    async with house.listening():
        assert not house.vitals.troubles
    assert house.calls("auth.test") == 4


async def test_a_lost_socket_is_opened_again(house: House) -> None:
    async with house.listening():
        await house.slack.disconnect()
        await house.until(lambda: house.calls("apps.connections.open") == 2 and house.slack.sockets == 1)
        turn = await house.asked()
    assert turn.question.text == "why?"


async def test_a_socket_that_breaks_is_opened_again(house: House) -> None:
    async with house.listening():
        house.slack.drop_sockets()
        await house.slack.say("ada", "general", "@bobbin still there?")
        (turn,) = await house.accepted(within=15)
    assert turn.question.text == "still there?"


async def test_a_forged_request_is_refused(by_http: House) -> None:
    async with by_http.listening(), aiohttp.ClientSession() as session:
        assert await by_http.slack.verify_request_url()
        forged = {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": str(int(time.time()))}
        answer = await session.post(f"{by_http.door.url}/slack/events", json={"type": "event_callback"}, headers=forged)
        assert answer.status == 401
    assert not by_http.woken


async def test_nothing_is_left_running(house: House) -> None:
    this = asyncio.current_task()

    def ours() -> list[str]:
        others = [repr(task) for task in asyncio.all_tasks() if task is not this]
        return [told for told in others if "slack_sdk" in told or "bots/slack" in told]

    async with house.listening():
        await house.asked()
        assert ours()
    assert not ours()


async def test_an_answer_is_shown_after_listening_has_ended(house: House) -> None:
    """At a shutdown running turns may still end."""
    async with house.listening():
        turn = await house.asked()
    await house.chat.show(replace(turn.start("m").finish("Late.")))
    assert house.replies(turn)[0].text == "Late."
