"""What people say in Discord is recorded once, and answered where they said it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord
import pytest
import structlog
import yarl
from pydantic import SecretStr

from bots.discord.note import Starter, Where
from core.errors import ChatBusy, SetupError, ThreadGone
from sandbox.discord import LocalDiscord, Permission
from sandbox.replies import Reply

if TYPE_CHECKING:
    from tests.bots.discord.conftest import House

EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
POST = "POST /channels/{channel_id}/messages"
START_THREAD = "POST /channels/{channel_id}/messages/{message_id}/threads"


async def test_a_mention_is_answered_in_a_thread_of_its_own(house: House) -> None:
    async with house.listening():
        turn = await house.asked("@bobbin what is a bobbin?")
        guild, general = house.discord.guild_id, house.discord.channel("general")
        said = house.discord.messages("general")[0]
        assert turn.question.text == "what is a bobbin?"
        assert turn.question.asker == str(house.discord.user("ada").id)
        assert turn.question.key == f"discord:{said.id}"
        assert turn.question.thread.id == f"discord:{guild}/{said.id}"
        assert turn.question.thread.workspace == f"discord:{guild}"
        assert turn.question.thread.channel == f"discord:{guild}/{general.id}"
        turn = await house.show(turn.start("m").grow("A spool"))
        await house.show(turn.finish("A spool for thread."))
        thread = house.thread()
        assert (thread.id, thread.name) == (said.id, "what is a bobbin?")
        assert [one.content for one in house.said(thread)] == ["A spool for thread."]
        assert [one.content for one in house.said(thread)[0].history] == ["A spool", "A spool for thread."]


async def test_somebody_is_seen_typing_until_there_is_text(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        await house.discord.wait_for(lambda: house.discord.threads() and house.discord.typing(house.thread()))
        turn = await house.show(turn.start("m"))
        assert not house.said(house.thread())
        await house.show(turn.grow("Because"))
        assert not house.chat._indicator._typing
        assert house.calls(START_THREAD) == 1


async def test_a_short_answer_takes_three_calls_and_nobody_is_seen_typing(house: House) -> None:
    house.have_times(types_after=60.0)  # however slow this machine is
    async with house.listening():
        house.discord.calls.clear()
        turn = await house.asked()
        await house.discord.wait_for(house.discord.threads)
        turn = await house.show(turn.start("m").grow("Be"))
        await house.show(turn.finish("Because."))
        async with asyncio.timeout(30):
            while house.chat._indicator._tasks:
                await asyncio.sleep(0.005)
        made = [call.route for call in house.discord.calls if "/channels/" in call.route and "GET" not in call.route]
        assert made == [START_THREAD, POST, EDIT]


async def test_follow_ups_in_its_own_thread_need_no_mention(house: House) -> None:
    async with house.listening():
        first = await house.asked()
        await house.settle(await house.show(first.start("m").finish("Because.")))
        second = await house.asked("and then?", to=house.thread())
        assert second.question.thread == first.question.thread
        await house.show(second.start("m").finish("Then it ends."))
        assert [one.content for one in house.said(house.thread())] == ["Because.", "Then it ends."]


async def test_what_people_tell_each_other_there_is_none_of_its_business(house: House) -> None:
    async with house.listening():
        first = await house.asked()
        await house.settle(await house.show(first.start("m").finish("Because.")))
        await house.discord.say("ada", house.thread(), "@ben did you see that?")
        await house.discord.say("ben", "general", "nothing for the bot")
        turn = await house.asked("go on", to=house.thread())
        assert turn.question.text == "go on"
        assert len(house.woken) == 2


async def test_in_a_thread_of_others_it_answers_when_mentioned(house: House) -> None:
    async with house.listening():
        said = await house.discord.say("ada", "general", "let us talk")
        thread = await house.discord.start_thread("ada", said, "talk")
        post = await house.discord.post("ben", "ideas", "An idea", "What do you think, @bobbin?")
        by_post = (await house.accepted())[0]
        assert by_post.question.thread.id == f"discord:{house.discord.guild_id}/{post.id}"
        await house.discord.say("ben", thread, "just us")
        turn = await house.asked("@bobbin and you?", to=thread)
        assert turn.question.thread.channel == f"discord:{house.discord.guild_id}/{house.discord.channel('general').id}"
        await house.show(turn.start("m").finish("Me too."))
        assert [one.content for one in house.said(thread)] == ["Me too."]


async def test_in_a_direct_conversation_every_message_is_a_question(house: House) -> None:
    async with house.listening():
        direct = house.discord.open_dm("ada")
        turn = await house.asked("hello", to=direct)
        assert turn.question.thread.id == f"discord:dm/{direct.id}"
        assert turn.question.thread.layers == (f"discord:dm/{direct.id}",)
        await house.show(turn.start("m").finish("Hello, Ada."))
        assert [one.content for one in house.said(direct)] == ["Hello, Ada."]


async def test_bots_are_not_answered(house: House) -> None:
    async with house.listening():
        other = house.discord.add_user("other")
        other.is_bot = True
        await house.discord.say(other, "general", "@bobbin let us talk for ever")
        turn = await house.asked("@bobbin hello")
        assert turn.question.text == "hello"
        assert len(house.woken) == 1


async def test_who_types_and_who_answers_make_one_thread(house: House) -> None:
    async with house.listening():
        said, opener = await house.discord.say("ada", "general", "let us talk"), house.chat._threads
        where = Where(said.id, Starter(house.discord.channel("general").id, said.id, "a thread"))
        async with house.chat._api.client() as client:
            assert opener.is_to_be_made(client, where)
            both = await asyncio.gather(opener.opened(client, where), opener.opened(client, where))
            assert not opener.is_to_be_made(client, where)
        assert set(both) == {Where(said.id)}
        assert house.calls(START_THREAD) == 1


async def test_an_answer_that_is_quicker_than_discord_makes_one_thread(house: House) -> None:
    """It comes while the sign of life still waits for the thread."""
    async with house.listening():
        house.discord.latency = 0.3
        turn = await house.asked()
        await house.show(turn.start("m").finish("Because."))
        house.discord.latency = 0.0
        assert house.calls(START_THREAD) == 1


async def test_where_it_may_make_no_thread_it_replies(house: House) -> None:
    house.discord.deny("general", Permission.CREATE_PUBLIC_THREADS)
    async with house.listening():
        turn = await house.asked()
        await house.show(turn.start("m").finish("Because."))
        (reply,) = house.said("general")
        assert reply.reply_to
        assert int(reply.reply_to["message_id"]) == house.discord.messages("general")[0].id
        assert not house.calls(START_THREAD)


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (400, 50024), (400, 160006), (400, 200000)])
async def test_where_the_thread_is_refused_it_replies(house: House, status: int, code: int) -> None:
    async with house.listening():
        refusal = Reply(status, f'{{"code": {code}, "message": "no"}}', "application/json")
        house.discord.faults.odd(START_THREAD, refusal, 2)
        turn = await house.asked()
        await house.show(turn.start("m").finish("Because."))
        assert [one.content for one in house.said("general")] == ["Because."]


async def test_nobody_is_pinged_by_an_answer(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        ben = house.discord.user("ben")
        turn = await house.show(turn.start("m").grow(f"@everyone @here <@{ben.id}>"))
        await house.show(turn.finish(f"@everyone @here <@{ben.id}> look"))
        (answer,) = house.said(house.thread())
        assert not answer.pings
        assert not answer.mention_everyone


async def test_a_long_answer_goes_on_in_further_messages(house: House) -> None:
    text = "\n\n".join(f"```python\nx = {part}\n" + "y = 2\n" * 80 + "```" for part in range(8))
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow(text[:1_500]))
        await house.show(turn.finish(text))
        said = house.said(house.thread())
        assert len(said) > 2
        assert all(len(one.content) <= 2_000 and one.content.count("```") % 2 == 0 for one in said)
        assert sum(one.content.count("y = 2") for one in said) == 640


async def test_a_restart_edits_the_same_message(house: House) -> None:
    """What is in `turn.reply` is all a new process needs."""
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("Half of"))
    house.chat = house.build()
    async with house.listening():
        turn = await house.show(turn.start("m").grow("Another"))
        await house.show(turn.finish("Another answer."))
        assert [one.content for one in house.said(house.thread())] == ["Another answer."]


async def test_a_message_that_was_posted_but_not_written_down_is_found_again(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        await house.show(turn.start("m").grow("Half of"))
        house.chat = house.build()
        await house.show(turn.start("m").finish("The whole answer."))
        assert [one.content for one in house.said(house.thread())] == ["The whole answer."]


async def test_a_shorter_second_attempt_leaves_no_old_pages(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("word " * 1_000))
        assert len(house.said(house.thread())) == 3
        turn = await house.show(turn.start("m").grow("Now"))
        assert len(house.said(house.thread())) == 3, "what stood there stays until the end is known"
        await house.show(turn.finish("Now short."))
        assert [one.content for one in house.said(house.thread())] == ["Now short."]


async def test_what_is_shown_already_is_not_written_again(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("word " * 600))
        before = house.calls(EDIT)
        await house.show(turn.finish("word " * 600 + "end"))
        assert house.calls(EDIT) == before + 1


async def test_a_deleted_answer_ends_the_turn(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("Half"))
        await house.discord.delete("ada", house.said(house.thread())[0])
        with pytest.raises(ThreadGone):
            await house.show(turn.grow("Half of it"))
        assert not house.said(house.thread())


async def test_a_failure_stands_under_what_came(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("```\ncode that never"))
        await house.show(turn.fail("The service broke off."))
        (said,) = house.said(house.thread())
        assert said.content.endswith("```\n\n-# ⚠️ The service broke off.")


async def test_an_answer_in_an_archived_thread_is_still_brought_to_its_end(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("Half"))
        await house.discord.archive(house.thread())
        await house.show(turn.finish("The whole."))
        assert [one.content for one in house.said(house.thread())] == ["The whole."]


async def test_one_more_answer_can_be_shown_after_listening_has_ended(house: House) -> None:
    """At shutdown, running turns may end."""
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("Half"))
    await house.show(turn.finish("The whole."))
    assert [one.content for one in house.said(house.thread())] == ["The whole."]


async def test_when_listening_has_ended_nothing_more_is_heard(house: House) -> None:
    async with house.chat._api.client():  # as while something is still being shown
        async with house.listening():
            assert house.discord.gateway._connections
        async with asyncio.timeout(5):
            while house.discord.gateway._connections:
                await asyncio.sleep(0.005)


async def test_who_asks_while_the_database_is_down_is_told(house: House) -> None:
    house.have_times(patience=0.1)
    async with house.listening():
        house.ledger.is_away = True
        asked = await house.discord.say("ada", "general", "@bobbin why?")
        await house.discord.wait_for(lambda: house.said("general"))
        (told,) = house.said("general")
        assert "database" in told.content
        assert told.reply_to
        assert int(told.reply_to["message_id"]) == asked.id
        assert not house.woken


async def test_who_asks_while_the_database_is_restarted_is_answered(house: House) -> None:
    async with house.listening():
        house.ledger.is_away = True
        await house.discord.say("ada", "general", "@bobbin why?")
        while not house.ledger.handed_in:
            await asyncio.sleep(0.005)
        house.ledger.is_away = False
        while not house.woken:
            await asyncio.sleep(0.005)
        assert not house.said("general")


async def test_a_dropped_connection_loses_no_question(house: House) -> None:
    async with house.listening():
        house.discord.gateway.drop()
        turn = await house.asked()
        assert turn.question.text == "why?"


async def test_a_wrong_token_is_said_in_a_sentence(house: House) -> None:
    wrong = "no-such-token"
    house.section = house.section.model_copy(update={"token": SecretStr(wrong)})
    house.chat = house.build()
    with pytest.raises(SetupError, match="BOBBIN_DISCORD__TOKEN") as error:
        await house.chat.listen(house.relay)
    assert wrong not in error.value.sentence


async def test_a_missing_intent_is_said_in_a_sentence(house: House) -> None:
    async with LocalDiscord(message_content_intent=False) as local:
        update = {"token": SecretStr(local.token), "api_url": local.api_url, "gateway_url": local.gateway_url}
        house.section = house.section.model_copy(update=update)
        house.chat = house.build()
        with pytest.raises(SetupError, match=f"{local.application_id}/bot"):
            await house.chat.listen(house.relay)


async def test_without_the_intent_mentions_are_answered_and_the_log_says_once_what_is_missing(house: House) -> None:
    house.section = house.section.model_copy(update={"message_content": False})
    house.chat = house.build()
    with structlog.testing.capture_logs() as logged:
        async with house.listening():
            first = await house.asked()
            await house.settle(await house.show(first.start("m").finish("Because.")))
            await house.discord.say("ada", house.thread(), "and then?")
            await house.discord.say("ada", house.thread(), "well?")
            second = await house.asked("@bobbin and then?", to=house.thread())
            assert second.question.text == "and then?"
            assert len(house.woken) == 2
    assert sum("Message Content Intent is off" in line["event"] for line in logged) == 1


async def test_until_discord_can_be_reached_it_tries_again(house: House) -> None:
    async with LocalDiscord() as gone:
        away = {"api_url": gone.api_url, "gateway_url": gone.gateway_url}
    house.section = house.section.model_copy(update=away)
    house.chat = house.build()
    listening = asyncio.create_task(house.chat.listen(house.relay))
    async with asyncio.timeout(5):
        while "reached" not in house.vitals.troubles.get("discord", ""):
            await asyncio.sleep(0.005)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_gateway_that_comes_up_late_is_found(house: House) -> None:
    async with LocalDiscord() as gone:
        nowhere = gone.gateway_url
    house.section = house.section.model_copy(update={"gateway_url": nowhere})
    house.chat = house.build()
    house.vitals.expect("discord")
    listening = asyncio.create_task(house.chat.listen(house.relay))
    async with asyncio.timeout(5):
        while "reached" not in house.vitals.troubles["discord"]:
            await asyncio.sleep(0.005)
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(house.discord.gateway_url)
        await house.vitals.well()
        turn = await house.asked()
    assert turn.question.text == "why?"
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_call_that_gets_no_answer_fails_before_others_have_waited_long(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.have_times(call=0.5)
    enough = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await enough.wait()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with house.listening():
        turn = await house.asked()
        address = silent.sockets[0].getsockname()
        monkeypatch.setattr(discord.http.Route, "BASE", f"http://{address[0]}:{address[1]}")
        with pytest.raises(ChatBusy):
            await house.chat.show(turn.start("m").finish("Because."))
        monkeypatch.setattr(discord.http.Route, "BASE", house.discord.api_url)
        await house.chat.show(turn.start("m").finish("Because."))
    enough.set()
    silent.close()
    await silent.wait_closed()


async def test_a_sign_of_life_that_is_held_up_does_not_hold_up_the_answer(house: House) -> None:
    """discord.py sleeps a rate limit out inside the call; cancelled there, it would let nobody through any more."""
    async with house.listening():
        house.discord.faults.next_calls(
            "POST /channels/{channel_id}/typing", status=429, times=1, retry_after=1.0, scope="global"
        )
        turn = await house.asked()
        await house.discord.wait_for(lambda: any(call.status == 429 for call in house.discord.calls))
        await house.chat.show(turn.start("m").finish("Because."))
        await house.chat.show(turn.start("m").finish("Because, you know."))
        assert house.said(house.discord.threads()[0])[-1].content == "Because, you know."
