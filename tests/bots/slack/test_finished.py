"""What people do in Slack with a finished answer: once, where it stands, and told to who clicked alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from bots.listening.finished import BEING_ANSWERED, BRANCHED_BEFORE, CONTINUED_BEFORE, NOTED, THANKS
from bots.listening.router import NO_SUCH_QUESTION
from bots.reply.page import Wish
from bots.slack.buttons import FEEDBACK
from bots.slack.finished import SENT, WHY
from core.aftermath import BRANCHED, STALE, derived
from core.storage.tables import feedback
from core.turn import GOES_ON, Status
from sandbox.slack import Message, shown
from tests.bots.outage import Outage
from tests.bots.pressed import CASES, Changed, changed

if TYPE_CHECKING:
    from core.storage.database import Database
    from core.turn import Turn
    from tests.bots.slack.conftest import House

ANSWER = "<think>Hm, *why*?</think>Because."
ROW = "[Good answer] [Bad answer]\n[{}] [More]"


@pytest.fixture
def ledger(database: Database) -> Outage:
    """On every database."""
    return Outage(database)


@pytest.fixture
def house(house: House) -> House:
    """On a machine that may be slow: how long Slack waits is shown elsewhere."""
    house.buttons = True
    house.have_times(recorded_within=30.0)
    return house


async def finished(house: House, turn: Turn | None = None, **how: Any) -> tuple[Turn, Message]:
    """Ask, unless that was done, and answer."""
    turn = turn or await house.asked()
    turn = replace(turn.start("model-a").finish(ANSWER), answered_as="default", seconds=2.5, **how)
    await house.ledger.conclude(turn, None, epoch=0)
    turn = turn.replied(await house.chat.show(turn))
    await house.ledger.settle(turn.settle())
    return turn, house.replies(turn)[-1]


async def asked(house: House, text: str, thread_ts: str | None = None) -> Turn:
    """Ask one more question."""
    count = len(house.woken)
    await house.slack.say("ada", "general", text, thread_ts)
    await house.until(lambda: len(house.woken) > count)
    found = await house.ledger.take(house.woken[-1])
    assert found
    return found.turn


async def taken(house: House, turn: Turn) -> Turn:
    """Take what is to be done in the thread of *turn*, as soon as there is something."""
    async with asyncio.timeout(30):
        while not (found := await house.ledger.take(turn.question.thread.id)):
            await asyncio.sleep(0.005)
    return found.turn


async def whispers(house: House, turn: Turn, user: str, count: int = 1) -> list[Message]:
    """What only *user* sees in the thread, as soon as there is so much of it."""
    person = house.slack.user(user).id

    def seen() -> list[Message]:
        found = [one for one in house.replies(turn) if one.ephemeral_to == person]
        return found if len(found) >= count else []

    return await house.slack.wait_for(seen)


async def verdicts(house: House) -> list[tuple[Any, ...]]:
    of = feedback.c.verdict, feedback.c.comment
    return await house.ledger._database.run(lambda connection: [tuple(row) for row in connection.execute(select(*of))])


def value(wish: Wish, turn: Turn) -> str:
    return f"{wish.value}:{turn.question.key}"


async def test_they_come_with_the_answer_and_cost_no_call(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        assert shown(message) == "Because.\n" + ROW.format("Retry")
        assert [house.calls(f"chat.{one}") for one in ("postMessage", "update", "postEphemeral")] == [1, 0, 0]
        streaming = replace((await asked(house, "@bobbin who?")).start("model-a").grow("Be"), attempt=1)
        streaming = streaming.replied(await house.chat.show(streaming))
        before = house.calls("chat.update")
        await finished(house, replace(streaming, status=Status.QUEUED))
        assert house.calls("chat.update") == before + 1
        assert turn.attempt == 1


async def test_both_who_press_at_once_have_one_new_answer(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        await asyncio.gather(*(house.slack.click("ada", message, Wish.AGAIN) for _ in range(2)))
        again = await taken(house, turn)
        assert again.attempt == turn.attempt + 2
        started = replace(again, is_anew=True).start("model-a")
        before = house.calls("chat.update")
        started = started.replied(await house.chat.show(started))
        assert house.calls("chat.update") == before, "the old answer stays until there is a new one"
        _, newer = await finished(house, replace(started, status=Status.QUEUED))
        assert newer.ts == message.ts
        await house.slack.click("ada", message, Wish.AGAIN)  # the one on somebody's screen
    assert [await house.ledger.turn(turn.question.key)]


async def test_somebody_else_may_not_replace_it(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        await house.slack.click("ben", message, Wish.AGAIN)
        (told,) = await whispers(house, turn, "ben")
        still = await house.ledger.turn(turn.question.key)
    assert told.text.startswith("Only the person who asked")
    assert still
    assert still.attempt == turn.attempt


async def test_an_answer_that_broke_off_goes_on_once_below_also_after_a_restart(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house, is_cut=True)
        assert shown(message).endswith("[Continue] [Retry] [More]")
    house.chat = house.build()
    async with house.listening():
        await asyncio.gather(*(house.slack.click("ada", message, Wish.CONTINUE) for _ in range(2)))
        (told,) = await whispers(house, turn, "ada")
        more = await taken(house, turn)
        assert more.question.key == derived(turn, GOES_ON)
        await finished(house, more)
        said = [shown(one).split("\n")[0] for one in house.replies(turn) if not one.ephemeral_to]
    assert told.text == CONTINUED_BEFORE
    assert said == ["Because.", "Because."]


async def test_it_is_judged_and_the_judgement_changed_and_explained(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        both = (house.slack.click("ada", message, FEEDBACK, value=value(Wish.GOOD, turn)) for _ in range(2))
        await asyncio.gather(*both)
        assert [one.text for one in await whispers(house, turn, "ada", 2)] == [THANKS, THANKS]
        assert await verdicts(house) == [("good", "")]
        click = await house.slack.click("ada", message, FEEDBACK, value=value(Wish.BAD, turn))
        view = await house.slack.wait_for(lambda: click.views)
        assert await verdicts(house) == [("bad", "")], "it counts without a comment"
        values = {WHY: {WHY: {"type": "plain_text_input", "value": "It is <!channel> wrong."}}}
        sent = await house.slack.submit("ada", view[0], values)
        assert (await whispers(house, turn, "ada", 3))[-1].text == NOTED
        assert not sent.problem
        assert await verdicts(house) == [("bad", "It is <!channel> wrong.")]


async def test_a_form_that_is_none_of_ours_is_skipped(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        click = await house.slack.click("ada", message, FEEDBACK, value=value(Wish.BAD, turn))
        (view,) = await house.slack.wait_for(lambda: click.views)
        house.slack.views[view]["private_metadata"] = "[1]"
        await house.slack.submit("ada", view, {WHY: {WHY: {"type": "plain_text_input", "value": "x"}}})
        _, other = await finished(house, await asked(house, "@bobbin and now?"))
    assert shown(other)
    assert await verdicts(house) == [("bad", "")]


async def test_details_are_for_who_clicked_with_what_the_model_thought(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        await house.slack.click("ben", message, Wish.MORE)
        (details,) = await whispers(house, turn, "ben")
    told = shown(details)
    for fact in ("default", "model-a", "2.5 seconds", "8 characters", turn.reference, "Hm, *why*?"):
        assert fact in told
    assert "[Branch off here] [Export thread]" in told


async def test_a_thread_is_sent_as_a_file_to_who_wants_it(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        await house.slack.click("ben", message, Wish.MORE)
        (details,) = await whispers(house, turn, "ben")
        await house.slack.click("ben", details, Wish.EXPORT)
        assert (await whispers(house, turn, "ben", 2))[-1].text == SENT
        direct = house.slack.open_dm("ben")
        (sent,) = [one for one in house.slack.messages(direct) if one.files]
    content = sent.files[0].content.decode()
    assert "> why?\n\nBecause.\n" in content
    assert "Hm" not in content


async def test_a_branch_begins_once_with_what_was_said_and_goes_on(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        await house.slack.click("ben", message, Wish.MORE)
        (details,) = await whispers(house, turn, "ben")
        await asyncio.gather(*(house.slack.click("ben", details, Wish.BRANCH) for _ in range(2)))
        assert (await whispers(house, turn, "ben", 2))[-1].text == BRANCHED_BEFORE
        branch = await taken(
            house,
            replace(turn, question=replace(turn.question, thread=replace(turn.question.thread, id=house.woken[-1]))),
        )
        branch = branch.replied(await house.chat.show(branch))
        await house.ledger.settle(branch.settle())
        root = [one for one in house.slack.messages("general") if one.thread_ts in {None, one.ts}][-1]
        assert shown(root).startswith("ben goes on from an answer:")
        assert f"/p{message.ts.replace('.', '')}" in str(root.blocks)
        (told,) = [one for one in house.slack.messages("general", root.ts) if one.ts != root.ts]
        assert shown(told) == BRANCHED
    house.chat = house.build()
    async with house.listening():
        further = await asked(house, "@bobbin and then?", thread_ts=root.ts)
        told_before = await house.ledger.transcript(further.question.thread.id, further.id, 10)
    assert further.question.thread.id == branch.question.thread.id
    assert [one.question.key for one in told_before] == [turn.question.key]


@pytest.mark.parametrize(("user", "wish", "expected"), CASES)
async def test_pressed_twice_at_once_after_a_restart_it_does_one_thing(
    house: House, user: str, wish: Wish, expected: Changed
) -> None:
    async with house.listening():
        turn, message = await finished(house, is_cut=True)
    house.chat = house.build()
    async with house.listening():
        on = message
        if wish in (Wish.EXPORT, Wish.BRANCH):  # which stand in the details
            await house.slack.click(user, message, Wish.MORE)
            (on,) = await whispers(house, turn, user)
        judged = {"value": value(wish, turn)} if wish in (Wish.GOOD, Wish.BAD) else {}
        action = FEEDBACK if judged else wish
        await asyncio.gather(*(house.slack.click(user, on, action, **judged) for _ in range(2)))
        await house.slack.wait_for(lambda: not house.slack.under_way)
        assert await changed(house.ledger, turn) == expected
        if wish is Wish.EXPORT:
            await whispers(house, turn, user, 2)
            direct = house.slack.messages(house.slack.open_dm(user))
            assert len([one for one in direct if one.files]) == 1


@pytest.mark.parametrize("wish", [Wish.GOOD, Wish.CONTINUE, Wish.MORE, Wish.EXPORT, Wish.BRANCH, Wish.AGAIN])
async def test_what_holds_no_longer_says_so(house: House, wish: Wish) -> None:
    """Of an answer that is being redone, that was redone, and that was withdrawn."""
    async with house.listening():
        turn, message = await finished(house, is_cut=True)
        buttons = [block for block in message.blocks if "action" in block["type"]]
        buttons[-1]["elements"] = [*buttons[-1]["elements"], *_elements(turn)]

        async def press() -> str:
            before = len([one for one in house.replies(turn) if one.ephemeral_to])
            if wish is Wish.GOOD:
                await house.slack.click("ada", message, FEEDBACK, value=value(wish, turn))
            else:
                await house.slack.click("ada", message, wish)
            return (await whispers(house, turn, "ada", before + 1))[-1].text

        await house.relay.again(turn.question.key)
        if wish is not Wish.AGAIN:  # that is what is being done
            assert await press() == BEING_ANSWERED
        await house.ledger.settle((await taken(house, turn)).start("m").finish("Newer.").settle())
        assert await press() == STALE
        await house.relay.withdraw(turn.question.key)
        assert await press() == NO_SUCH_QUESTION
    assert await verdicts(house) == []


def _elements(turn: Turn) -> list[dict[str, Any]]:
    words = {"type": "plain_text", "text": "x"}
    return [
        {"type": "button", "action_id": wish.value, "text": words, "value": turn.question.key}
        for wish in (Wish.EXPORT, Wish.BRANCH)
    ]


async def test_an_id_of_another_place_opens_nothing(house: House) -> None:
    async with house.listening():
        elsewhere, _ = await finished(house, await house.asked("@bobbin a secret?", to="random"))
        turn, message = await finished(house, await asked(house, "@bobbin why?"))
        row = next(block for block in message.blocks if block["type"] == "actions")
        for forged in (elsewhere.question.key, "slack:T0/C0/1.2", turn.question.key + "/on9_9", "x"):
            row["elements"] = [
                one | {"value": forged} if one["action_id"] == Wish.MORE else one for one in row["elements"]
            ]
            await house.slack.click("ben", message, Wish.MORE)
        await house.slack.wait_for(lambda: not house.slack.under_way)
        told = [one.text for one in house.replies(turn) if one.ephemeral_to]
    assert set(told) <= {NO_SUCH_QUESTION}


async def test_what_bobbin_says_itself_has_none_of_them(house: House) -> None:
    async with house.listening():
        await house.slack.say("ada", "general", "@bobbin help")
        (turn,) = await house.accepted()
        turn = turn.replied(await house.chat.show(turn))
    assert "[" not in shown(house.replies(turn)[-1]).splitlines()[-1]
