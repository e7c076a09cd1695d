"""In a channel each `/ask` is a conversation, and replying to its answer goes on with it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from bots.discord.ids import NAME, key_of_command
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, Turn

if TYPE_CHECKING:
    from sandbox.discord import Channel, Interaction, Message
    from tests.bots.discord.conftest import House


async def next_turn(house: House, before: int) -> Turn:
    """Take on, as a worker would, what is woken next."""
    async with asyncio.timeout(30):
        while len(house.woken) == before:
            await asyncio.sleep(0.005)
    taken = await house.ledger.take(house.woken[before])
    assert taken
    return taken.turn


async def ask(house: House, question: str, user: str = "ada", where: Channel | str = "general") -> Turn:
    before = len(house.woken)
    await house.discord.slash(user, where, "ask", question=question)
    return await next_turn(house, before)


async def say(
    house: House, user: str, where: Channel | str, text: str, to: Message | None = None, *, pings: bool = False
) -> Turn:
    before = len(house.woken)
    await house.discord.say(user, where, text, reply_to=to, pings=pings)
    return await next_turn(house, before)


async def answer(house: House, turn: Turn, text: str, where: Channel | str = "general") -> list[Message]:
    """Have *turn* answered; return the messages of the answer."""
    shown = await house.show(turn.start("m").finish(text))
    await house.settle(shown)
    ids = [int(message["id"].removeprefix("@")) for message in json.loads(shown.reply)["messages"]]
    return [one for one in house.said(where) if one.id in ids]


async def told(house: House, user: str, command: str, where: Channel | str = "general") -> str:
    interaction = await house.discord.slash(user, where, command)
    await house.discord.wait_for(lambda: interaction.answered or interaction.failed)
    assert interaction.response
    return interaction.response.content


def interaction_of(house: House, turn: Turn) -> Interaction:
    return next(one for one in house.discord.interactions if key_of_command(one.id) == turn.question.key)


async def test_each_ask_in_a_channel_is_a_conversation_of_its_own(house: House) -> None:
    async with house.listening():
        first, second = await ask(house, "one?"), await ask(house, "two?", "ben")
        general = house.discord.channel("general").id
        threads = [turn.question.thread for turn in (first, second)]
        here = f"discord:{house.discord.guild_id}/{general}"
        assert [one.id for one in threads] == [f"{here}/{interaction_of(house, one).id}" for one in (first, second)]
        assert all(one.channel == PlaceId(here) for one in threads)
        # The second is taken on and shown while nothing of the first is.
        assert "Two." in (await answer(house, second, "Two."))[0].content


async def test_in_threads_and_direct_conversations_an_ask_goes_on_with_what_is_there(house: House) -> None:
    async with house.listening():
        opened = await house.asked()
        await house.settle(await house.show(opened.start("m").finish("Because.")))
        direct = house.discord.open_dm("ada")
        in_thread, first, second = [await ask(house, "?", where=place) for place in (house.thread(), direct, direct)]
        assert in_thread.question.thread.id == opened.question.thread.id
        assert first.question.thread.id == second.question.thread.id == f"discord:dm/{direct.id}"


@pytest.mark.parametrize("pings", [False, True])
@pytest.mark.parametrize("words", ["and then?", "@bobbin and then?"])
async def test_a_reply_to_the_answer_goes_on_with_its_conversation(house: House, words: str, pings: bool) -> None:  # noqa: FBT001
    async with house.listening():
        asked = await ask(house, "why?")
        (response,) = await answer(house, asked, "Because.")
        await ask(house, "something else?", "ben")
        turn = await say(house, "ben", "general", words, response, pings=pings)
        assert turn.question.thread.id == asked.question.thread.id
        assert turn.question.text == "and then?"
        (said,) = await answer(house, turn, "Then that.")
        assert said.reply_to
        assert f"discord:{said.reply_to['message_id']}" == turn.question.key
        assert not house.discord.threads("general")
        further = await say(house, "ada", "general", "and after that?", said)
        assert further.question.thread.id == asked.question.thread.id


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_reply_to_a_later_page_goes_on_as_well(house: House, restarts: bool) -> None:  # noqa: FBT001
    async with house.listening():
        asked = await ask(house, "why?")
        *_, last = pages = await answer(house, asked, "word " * 1_000)
        assert len(pages) > 1
        answers = [await say(house, "ada", "general", "shorter", last)]
        *_, last = await answer(house, answers[0], "letter " * 1_000)
    if restarts:
        house.chat = house.build()
    async with house.listening():
        answers.append(await say(house, "ada", "general", "shorter still", last))
        assert {turn.question.thread.id for turn in answers} == {asked.question.thread.id}


async def test_a_reply_to_an_answer_that_came_without_the_token_goes_on_as_well(house: House) -> None:
    async with house.listening():
        asked = await ask(house, "why?")
        await house.discord.wait_for(lambda: interaction_of(house, asked).thinking)
        house.discord.expire_tokens()
        (said,) = await answer(house, asked, "Because.")
        assert said.interaction is None
        turn = await say(house, "ada", "general", "and then?", said)
        assert turn.question.thread.id == asked.question.thread.id


async def test_a_reply_that_was_missed_goes_on_as_well(house: House) -> None:
    async with house.listening():
        asked = await ask(house, "why?")
        (response,) = await answer(house, asked, "Because.")
    house.chat = house.build()
    before = len(house.woken)
    await house.discord.say("ada", "general", "and then?", reply_to=response)
    async with house.listening():
        turn = await next_turn(house, before)
        assert (turn.question.thread.id, turn.question.text) == (asked.question.thread.id, "and then?")


async def test_a_reply_that_is_for_somebody_else_is_not_heard(house: House) -> None:
    async with house.listening():
        asked = await ask(house, "why?")
        (response,) = await answer(house, asked, "Because.")
        bens = await house.discord.say("ben", "general", "is that so?")
        before = len(house.woken)
        await house.discord.say("ada", "general", "I think so", reply_to=bens)
        await house.discord.say("ada", "general", "@ben look at that", reply_to=response, pings=False)
        turn = await say(house, "ada", "general", "@bobbin are you sure?", response)
        assert turn.question.text == "are you sure?"
        assert len(house.woken) == before + 1


async def test_a_reply_to_what_is_no_answer_is_not_heard(house: House) -> None:
    async with house.listening():
        await house.discord.slash("ada", "general", "preset set", model="model-b")
        await house.discord.wait_for(lambda: house.said("general"))
        await house.discord.say("ada", "general", "thanks", reply_to=house.said("general")[0], pings=False)
        turn = await say(house, "ada", "general", "@bobbin why?")
        assert turn.question.text == "why?"
        assert len(house.woken) == 1


async def test_a_mention_in_a_reply_to_somebody_opens_a_thread_as_ever(house: House) -> None:
    async with house.listening():
        bens = await house.discord.say("ben", "general", "is that so?")
        turn = await say(house, "ada", "general", "@bobbin is it?", bens)
        message = house.discord.messages("general")[-1].id
        assert turn.question.thread.id == f"discord:{house.discord.guild_id}/{message}"


async def test_an_answer_recorded_by_an_earlier_version_is_gone_on_with(house: House) -> None:
    """Until 0.1 all of a channel's commands were one conversation."""
    async with house.listening():
        general = house.discord.channel("general").id
        asked = await ask(house, "why?")
        old = Thread(ThreadId(f"discord:{house.discord.guild_id}/{general}"), NAME, asked.question.thread.within)
        earlier = await house.ledger.accept(
            Question(key_of_command(interaction_of(house, asked).id + 1), old, asked.question.asker, "earlier?"),
            asked.reply,
        )
        turn = await house.ledger.take(old.id)
        assert turn
        await house.settle(turn.turn.start("m").finish("So."))
        assert "Trying your last question" in await told(house, "ada", "retry")
        again = await house.ledger.take(old.id)
        assert again
        assert again.turn.id == earlier.turn.id


async def test_retry_in_a_channel_means_the_askers_own_last_question(house: House) -> None:
    async with house.listening():
        adas = await ask(house, "one?")
        (response,) = await answer(house, adas, "One.")
        bens = await say(house, "ben", "general", "and two?", response)
        await answer(house, bens, "Two.")
        other = await ask(house, "three?", "ben", "random")
        await answer(house, other, "Three.", "random")
        before = len(house.woken)
        assert "Trying your last question" in await told(house, "ada", "retry")
        assert (await next_turn(house, before)).question == adas.question
        before = len(house.woken)
        await told(house, "ben", "retry")
        assert (await house.ledger.turn(bens.question.key)).attempt > bens.attempt  # type: ignore[union-attr]
        assert house.woken[before:] == [bens.question.thread.id]


async def test_reset_in_a_channel_means_the_askers_own_last_conversation(house: House) -> None:
    async with house.listening():
        adas, bens = await ask(house, "one?"), await ask(house, "two?", "ben")
        for turn in (adas, bens):
            (response,) = await answer(house, turn, "So.")
        assert "your last question" in await told(house, "ada", "reset")
        follow_up = await say(house, "ada", "general", "and?", interaction_of(house, adas).response)
        taken = [
            await house.ledger.take(turn.question.thread.id)
            for turn in (follow_up, await say(house, "ben", "general", "and?", response))
        ]
        assert [one.has_earlier for one in taken if one] == [False, True]


async def test_who_has_asked_nothing_in_a_channel_has_nothing_to_retry_or_to_forget(house: House) -> None:
    async with house.listening():
        await answer(house, await ask(house, "one?"), "One.")
        await ask(house, "two?", "ben", "random")
        for command in ("retry", "reset"):
            assert "haven't asked me anything in this channel" in await told(house, "ben", command)
        # One place's id may begin like another's.
        assert len(house.woken) == 2


async def test_in_a_thread_retry_and_reset_mean_the_thread(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        await house.settle(await house.show(turn.start("m").finish("Because.")))
        assert "replaces my last one above" in await told(house, "ada", "retry", house.thread())
        assert "your next question starts a new one" in await told(house, "ada", "reset", house.thread())


# Threads that others have made


async def in_needles_thread(house: House) -> tuple[Turn, Channel]:
    """A question that was answered in a thread that another bot made of it first."""
    house.discord.add_user("needle", is_bot=True)
    question = await house.discord.say("ada", "general", "@bobbin why?")
    thread = await house.discord.start_thread("needle", question, "made by needle")
    turn = await next_turn(house, 0)
    assert len(await answer(house, turn, "Because.", thread)) == 1
    return turn, thread


async def test_in_a_thread_that_another_bot_made_of_a_question_people_go_on(house: House) -> None:
    async with house.listening():
        turn, thread = await in_needles_thread(house)
        further = await say(house, "ben", thread, "and then?")
        assert further.question.thread.id == turn.question.thread.id
        mentioning = await say(house, "ben", thread, "@bobbin and then?")
        assert mentioning.question.thread.id == turn.question.thread.id


async def test_what_was_missed_in_such_a_thread_is_heard(house: House) -> None:
    async with house.listening():
        turn, thread = await in_needles_thread(house)
    house.chat = house.build()
    before = len(house.woken)
    await house.discord.say("ben", thread, "and then?")
    async with house.listening():
        further = await next_turn(house, before)
        assert further.question.thread.id == turn.question.thread.id


async def test_in_another_thread_that_the_bot_has_not_made_it_answers_mentions_only(house: House) -> None:
    async with house.listening():
        message = await house.discord.say("ben", "general", "what a day")
        thread = await house.discord.start_thread("ben", message, "days")
        await house.discord.say("ada", thread, "indeed")
        turn = await say(house, "ada", thread, "@bobbin was it?")
        assert turn.question.thread.id == f"discord:{house.discord.guild_id}/{thread.id}"
        await house.settle(await house.show(turn.start("m").finish("It was.")))
        await house.discord.say("ben", thread, "thought so")
        last = await say(house, "ada", thread, "@bobbin really?")
        assert last.question.text == "really?"
        assert len(house.woken) == 2


async def test_of_a_thread_that_is_not_the_bots_the_ledger_is_asked_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look = house.ledger.standing

    async def counting(thread: Thread) -> object:
        asked.append(thread.id)
        return await look(thread)

    monkeypatch.setattr(house.ledger, "standing", counting)
    async with house.listening():
        message = await house.discord.say("ben", "general", "what a day")
        thread = await house.discord.start_thread("ben", message, "days")
        for words in ("one", "two", "three"):
            await house.discord.say("ada", thread, words)
        await say(house, "ada", thread, "@bobbin was it?")
        assert asked == [f"discord:{house.discord.guild_id}/{thread.id}"]


async def test_a_reply_while_the_database_is_away_is_recorded_when_it_is_back(house: House) -> None:
    async with house.listening():
        asked = await ask(house, "why?")
        (response,) = await answer(house, asked, "Because.")
        house.ledger.is_away = True
        before = house.ledger.looked
        await house.discord.say("ada", "general", "and then?", reply_to=response)
        async with asyncio.timeout(30):
            while house.ledger.looked == before:
                await asyncio.sleep(0.005)
        house.ledger.is_away = False
        assert (await next_turn(house, 1)).question.text == "and then?"
