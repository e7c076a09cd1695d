"""What was said in Discord before a question, and what it costs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.discord.history import FORBIDDEN, NO_INTENT
from core.context import Earlier
from sandbox.discord import Permission

if TYPE_CHECKING:
    from core.turn import QuestionKey, Turn
    from tests.bots.discord.conftest import House

BUDGET = 12_000


async def told(house: House, turn: Turn, since: QuestionKey | None = None) -> Earlier:
    return await house.chat.earlier(turn, since, BUDGET)


def reads(house: House) -> int:
    return house.calls("GET /channels/{channel_id}/messages/{message_id}") + sum(
        "before" in call.query for call in house.discord.calls
    )


def texts(earlier: Earlier) -> list[str]:
    return [one.text for one in (*earlier.head, *earlier.remarks)]


async def test_what_was_heard_costs_no_call(house: House) -> None:
    async with house.listening():
        first = await house.discord.say("ada", "general", "The pump stands still.")
        thread = await house.discord.start_thread("ben", first, "The pump")
        await house.discord.say("ben", thread, "Again?")
        turn = await house.asked(to=thread)
        earlier = await told(house, turn)
        assert texts(earlier) == ["The pump stands still.", "Again?"]
        assert [one.name for one in (*earlier.head, *earlier.remarks)] == ["Ada", "Ben"]
    assert reads(house) == 0


async def test_what_was_read_once_is_remembered(house: House) -> None:
    for text in ("one", "two"):
        await house.discord.say("ben", "general", text)
    async with house.listening():
        assert texts(await told(house, await house.asked())) == ["one", "two"]
        await house.discord.say("ben", "general", "three")
        assert texts(await told(house, await house.asked())) == ["one", "two", "why?", "three"]
    assert reads(house) == 1


async def test_a_forum_post_is_told_with_its_title(house: House) -> None:
    async with house.listening():
        post = await house.discord.post("ada", "ideas", "Pump P-3 stands still", "It shows E42.")
        await house.discord.say("ada", post, "Nobody?")
        turn = await house.asked("@bobbin what can she do?", "ben", post)
        assert texts(await told(house, turn)) == ["Pump P-3 stands still", "It shows E42.", "Nobody?"]
    assert reads(house) == 0


async def test_the_title_is_told_with_a_question_that_is_the_post_itself(house: House) -> None:
    async with house.listening():
        await house.discord.post("ada", "ideas", "Pump P-3 stands still", "@bobbin please help")
        (turn,) = await house.accepted()
        assert texts(await told(house, turn)) == ["Pump P-3 stands still"]
    assert reads(house) == 0


async def test_who_only_answers_reads_all_of_it(house: House) -> None:
    """A process that isn't connected hears nothing, and knows no channels."""
    post = await house.discord.post("ada", "ideas", "Pump P-3 stands still", "It shows E42.")
    first = await house.discord.say("ada", "general", "The pump stands still.")
    thread = await house.discord.start_thread("ben", first, "The pump")
    await house.discord.say("ben", thread, "Again?")
    async with house.listening():
        turns = [await house.asked(to=post), await house.asked(to=thread)]
    chat = house.build()
    of_post, of_thread = [await chat.earlier(turn, None, BUDGET) for turn in turns]
    assert texts(of_post) == ["Pump P-3 stands still", "It shows E42."]
    assert texts(of_thread) == ["The pump stands still.", "Again?"]


async def test_of_a_long_thread_the_newest_are_told_and_what_it_was_made_from(house: House) -> None:
    first = await house.discord.say("ada", "general", "The pump stands still.")
    thread = await house.discord.start_thread("ben", first, "The pump")
    for number in range(5_000):
        await house.discord.say("ben", thread, f"number {number}")
    async with house.listening():
        turn = await house.asked(to=thread)
        before = reads(house)
        earlier = await told(house, turn)
        assert reads(house) - before <= 2
    assert texts(earlier)[0] == "The pump stands still."
    assert texts(earlier)[-1] == "number 4999"
    assert len(earlier.remarks) == 100
    assert earlier.is_more


async def test_in_a_channel_nobody_is_called_to_what_was_said_long_ago(house: House) -> None:
    for number in range(30):
        await house.discord.say("ben", "general", f"number {number}")
    async with house.listening():
        earlier = await told(house, await house.asked())
    assert texts(earlier) == [f"number {number}" for number in range(10, 30)]


async def test_a_command_is_told_what_was_said_in_its_channel(house: House) -> None:
    async with house.listening():
        await house.discord.say("ben", "general", "one")
        turn = await house.asked_by_command("why?")
        assert texts(await told(house, turn)) == ["one"]


async def test_a_missing_permission_is_said(house: House) -> None:
    await house.discord.say("ben", "general", "one")
    house.discord.deny("general", Permission.READ_MESSAGE_HISTORY)
    async with house.listening():
        assert (await told(house, await house.asked())).problem == FORBIDDEN


async def test_a_missing_intent_is_said(house: House) -> None:
    house.section = house.section.model_copy(update={"message_content": False})
    house.chat = house.build()
    async with house.listening():
        await house.discord.say("ben", "general", "one")
        turn = await house.asked()
        assert await told(house, turn) == Earlier(problem=NO_INTENT)


async def test_direct_messages_need_nothing(house: House) -> None:
    direct = house.discord.open_dm("ada")
    async with house.listening():
        turn = await house.asked("why?", to=direct)
        assert await told(house, turn) == Earlier()


async def test_other_bots_and_webhooks_are_heard(house: House) -> None:
    house.discord.add_user("ci", is_bot=True)
    async with house.listening():
        await house.discord.say("ci", "general", "Build 512 failed")
        await house.discord.say_by_webhook("grafana", "general", "Disk full")
        earlier = await told(house, await house.asked())
    assert [(one.name.lower(), one.text, one.is_bots) for one in earlier.remarks] == [
        ("ci", "Build 512 failed", True),
        ("grafana", "Disk full", True),
    ]
