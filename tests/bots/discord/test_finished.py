"""What people do in Discord with a finished answer: once, where it stands, and told to who clicked alone."""

from __future__ import annotations

import base64
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from bots.discord.buttons import ELSEWHERE
from bots.discord.finished import WHY
from bots.discord.note import notes
from bots.discord.token import CLOSED
from bots.listening.finished import BEING_ANSWERED, BRANCHED_BEFORE, CONTINUED_BEFORE, NO_BRANCH, NOTED, THANKS
from bots.listening.router import NO_SUCH_QUESTION
from bots.reply.details import BRANCH, EXPORT
from bots.reply.page import Wish
from bots.reply.wanted import BAD, CONTINUE, GOOD, MORE, RETRY, TRY_AGAIN
from core.aftermath import BRANCHED, STALE, derived
from core.storage.tables import feedback
from core.turn import GOES_ON, Status
from sandbox.discord import Interaction, Message
from sandbox.discord.components import written_in
from tests.bots.discord.test_once import bring_again
from tests.bots.outage import Outage
from tests.bots.pressed import CASES, Changed, changed

if TYPE_CHECKING:
    from core.storage.database import Database
    from core.turn import Reply, Turn
    from tests.bots.discord.conftest import House

ANSWER = "<think>Hm, *why*? @everyone</think>Because."


@pytest.fixture
def ledger(database: Database) -> Outage:
    """On every database."""
    return Outage(database)


@pytest.fixture
def house(house: House) -> House:
    house.buttons = True
    house.chat = house.build()
    return house


def labels(message: Message) -> list[str]:
    return [str(one["label"]) for row in message.components for one in row["components"]]


async def finished(house: House, turn: Turn | None = None, **how: Any) -> tuple[Turn, Message]:
    """Ask, unless that was done, and answer."""
    turn = turn or await house.asked()
    turn = replace(turn.start("model-a").finish(ANSWER), answered_as="default", seconds=2.5, **how)
    await house.ledger.conclude(turn, None, epoch=0)
    turn = await house.show(turn)
    await house.ledger.settle(turn.settle())
    return turn, [one for one in house.said(house.thread()) if not one.is_ephemeral][-1]


async def asked(house: House, text: str, user: str = "ada", to: Any = "general") -> Turn:
    """Ask one more question."""
    count = len(house.woken)
    await house.discord.say(user, to, text)
    await house.discord.wait_for(lambda: len(house.woken) > count)
    return await taken(house)


async def taken(house: House) -> Turn:
    found = await house.ledger.take(house.woken[-1])
    assert found
    return found.turn


async def pressed(house: House, user: str, on: Message, label: str, *, times: int = 1) -> list[Interaction]:
    """Press a button so often at once, and wait for what comes of it."""
    clicks = [await house.discord.click(user, on, label) for _ in range(times)]
    await house.discord.wait_for(lambda: all(click.acknowledged for click in clicks))
    return clicks


def told(click: Interaction) -> str:
    """What only who clicked reads."""
    if click.response is None:
        return ""
    assert click.response.is_ephemeral
    return click.response.content


async def verdicts(house: House) -> list[tuple[Any, ...]]:
    of = feedback.c.verdict, feedback.c.comment
    return await house.ledger._database.run(lambda connection: [tuple(row) for row in connection.execute(select(*of))])


async def test_they_come_with_the_answer_and_cost_no_call(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        streaming = await house.show(turn.start("model-a").grow("Be"))
        house.discord.calls.clear()
        _, message = await finished(house, replace(streaming, status=Status.QUEUED))
        assert len(house.discord.calls) == 1
    assert (message.content, labels(message)) == ("Because.", [GOOD, BAD, RETRY, MORE])
    assert all(len(one["custom_id"]) <= 100 for one in message.components[0]["components"])


async def test_both_who_press_at_once_have_one_new_answer(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        assert [told(click) for click in await pressed(house, "ada", message, RETRY, times=2)] == ["", ""]
        again = await taken(house)
        assert again.attempt == turn.attempt + 2
        house.discord.calls.clear()
        started = await house.show(replace(again, is_anew=True).start("model-a"))
        assert not [call for call in house.discord.calls if "messages" in call.route], "the old one stays meanwhile"
        _, newer = await finished(house, replace(started, status=Status.QUEUED))
        assert newer.id == message.id


async def test_only_those_replace_an_answer_whose_it_is(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        (refused,) = await pressed(house, "ben", message, RETRY)
        assert told(refused).startswith("Only the person who asked")
        still = await house.ledger.turn(turn.question.key)
        assert still
        assert still.attempt == turn.attempt


async def test_an_answer_that_broke_off_goes_on_once_below_also_after_a_restart(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house, is_cut=True)
        assert labels(message) == [GOOD, BAD, CONTINUE, RETRY, MORE]
    house.chat = house.build()
    async with house.listening():
        clicks = await pressed(house, "ada", message, CONTINUE, times=2)
        assert sorted(map(told, clicks)) == ["", CONTINUED_BEFORE]
        more = await taken(house)
        assert more.question.key == derived(turn, GOES_ON)
        more, below = await finished(house, more, is_cut=True)
        assert [one.content for one in house.said(house.thread()) if not one.is_ephemeral] == ["Because.", "Because."]
        await pressed(house, "ada", below, CONTINUE)
        assert (await taken(house)).question.key == derived(more, GOES_ON)
        bring_again(house, clicks[0])


async def test_it_is_judged_and_the_judgement_changed_and_explained(house: House) -> None:
    async with house.listening():
        _, message = await finished(house)
        assert [told(click) for click in await pressed(house, "ada", message, GOOD, times=2)] == [THANKS, THANKS]
        assert await verdicts(house) == [("good", "")]
        (bad,) = await pressed(house, "ada", message, BAD)
        assert await verdicts(house) == [("bad", "")], "it counts without a comment"
    house.chat = house.build()
    async with house.listening():
        sent = await house.discord.submit(bad, **{WHY: "It is @everyone wrong."})
        await house.discord.wait_for(lambda: sent.acknowledged)
        assert told(sent) == NOTED
        empty = await house.discord.submit(bad, **{WHY: ""})
        await house.discord.wait_for(lambda: empty.acknowledged)
        assert await verdicts(house) == [("bad", "It is @everyone wrong.")]


async def test_details_are_for_who_clicked_in_blocks_that_call_nobody(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        (click,) = await pressed(house, "ben", message, MORE)
        details = click.response
        assert details
        assert details.is_ephemeral
        assert not details.pings
        said = written_in(details.components)
        for fact in ("default", "model-a", "2.5 seconds", "8 characters", turn.reference, "Hm, *why*?"):
            assert fact in said.replace("\\", "")


async def test_a_thread_is_sent_as_a_file_to_who_wants_it(house: House) -> None:
    async with house.listening():
        _, message = await finished(house)
        (click,) = await pressed(house, "ben", message, MORE)
        assert click.response
        sent = await pressed(house, "ben", click.response, EXPORT, times=2)
        (file,) = [one for each in sent if each.response for one in each.response.attachments]
        content = file.file.content.decode()
        assert "> why?\n\nBecause.\n" in content
        assert "Hm" not in content


async def test_a_branch_begins_once_with_what_was_said_and_goes_on(house: House) -> None:
    async with house.listening():
        turn, message = await finished(house)
        (click,) = await pressed(house, "ben", message, MORE)
        assert click.response
        both = await pressed(house, "ben", click.response, BRANCH, times=2)
        assert sorted(map(told, both)) == ["", BRANCHED_BEFORE]
        branch = await taken(house)
        branch = await house.show(branch)
        await house.ledger.settle(branch.settle())
        root = house.said("general")[-1]
        assert root.content.startswith("**Ben** goes on from ")
        assert root.content.endswith(BRANCHED)
        assert str(message.id) in root.content
        assert not root.components
        assert root.thread
    house.chat = house.build()
    async with house.listening():
        further = await asked(house, "@bobbin and then?", "ben", root.thread)
        before = await house.ledger.transcript(further.question.thread.id, further.id, 10)
        assert [one.question.key for one in before] == [turn.question.key]


async def test_a_process_that_died_after_posting_makes_the_thread(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.listening():
        _, message = await finished(house)
        (click,) = await pressed(house, "ben", message, MORE)
        assert click.response
        await pressed(house, "ben", click.response, BRANCH)
        branch = await taken(house)
        with monkeypatch.context() as patch:
            patch.setattr("bots.discord.hands.DiscordHands._branch", _die)
            with pytest.raises(Died):
                await house.chat.show(branch)
    house.have_times(nonce_trusted=0.0)
    async with house.listening():
        branch = await house.show(await taken(house))
        await house.ledger.settle(branch.settle())
        (root,) = [one for one in house.said("general") if "goes on from" in one.content]
        assert root.thread


class Died(BaseException):
    """The process is gone."""


async def _die(*_: object) -> None:
    raise Died


async def test_where_there_is_no_place_for_a_thread_none_is_offered(house: House) -> None:
    async with house.listening():
        direct = house.discord.open_dm("ada")
        turn = await house.asked("why?", to=direct)
        turn = await house.show(replace(turn.start("model-a").finish(ANSWER), answered_as="default"))
        await house.settle(turn)
        message = house.said(direct)[-1]
        (click,) = await pressed(house, "ada", message, MORE)
        assert click.response
        assert BRANCH not in str(click.response.components)
        export = next(one for one in click.response.components[-1]["components"] if one["label"] == EXPORT)
        export["custom_id"] = export["custom_id"].replace(Wish.EXPORT, Wish.BRANCH)
        (refused,) = await pressed(house, "ada", click.response, EXPORT)
        assert told(refused) == NO_BRANCH


LABELS = {
    Wish.GOOD: GOOD,
    Wish.BAD: BAD,
    Wish.CONTINUE: CONTINUE,
    Wish.AGAIN: RETRY,
    Wish.MORE: MORE,
    Wish.EXPORT: EXPORT,
    Wish.BRANCH: BRANCH,
}


@pytest.mark.parametrize(("user", "wish", "expected"), CASES)
async def test_pressed_twice_at_once_after_a_restart_it_does_one_thing(
    house: House, user: str, wish: Wish, expected: Changed
) -> None:
    async with house.listening():
        turn, on = await finished(house, is_cut=True)
    house.chat = house.build()
    async with house.listening():
        if wish in (Wish.EXPORT, Wish.BRANCH):  # which stand in the details
            (click,) = await pressed(house, user, on, MORE)
            assert click.response
            on = click.response
        clicks = await pressed(house, user, on, LABELS[wish], times=2)
        assert await changed(house.ledger, turn) == expected
        files = [one for click in clicks if click.response for one in click.response.attachments]
    assert len(files) == (wish is Wish.EXPORT)


@pytest.mark.parametrize("wish", [Wish.GOOD, Wish.CONTINUE, Wish.MORE, Wish.EXPORT, Wish.BRANCH, Wish.AGAIN])
async def test_what_holds_no_longer_says_so(house: House, wish: Wish) -> None:
    """Of an answer that is being redone, that was redone, and that was withdrawn."""
    async with house.listening():
        turn, message = await finished(house, is_cut=True)
        button = message.components[0]["components"][0]
        button["custom_id"] = button["custom_id"].replace(Wish.GOOD, wish)

        async def press() -> str:
            (click,) = await pressed(house, "ada", message, GOOD)
            return told(click)

        await house.relay.again(turn.question.key)
        if wish is not Wish.AGAIN:  # that is what is being done
            assert await press() == BEING_ANSWERED
        again = await house.ledger.take(turn.question.thread.id)
        assert again
        await house.ledger.settle(again.turn.start("m").finish("Newer.").settle())
        assert await press() == STALE
        await house.relay.withdraw(turn.question.key)
        assert await press() == NO_SUCH_QUESTION
        assert await verdicts(house) == []


async def test_an_id_of_another_place_opens_nothing(house: House) -> None:
    async with house.listening():
        elsewhere = await house.asked("@bobbin a secret?", to="random")
        elsewhere = await house.show(replace(elsewhere.start("model-a").finish("A secret."), answered_as="default"))
        await house.settle(elsewhere)
        _, message = await finished(house, await asked(house, "@bobbin why?"))
        button = message.components[0]["components"][-1]
        own = button["custom_id"]
        for forged, refusal in (
            (own.rpartition(":")[0].rpartition(":")[0] + f":{elsewhere.question.key}", NO_SUCH_QUESTION),
            (own.replace(str(message.channel.id), "1"), ELSEWHERE),
        ):
            button["custom_id"] = forged
            (click,) = await pressed(house, "ben", message, MORE)
            assert told(click) == refusal


async def asked_apart(house: House, kind: str) -> tuple[Turn, Interaction]:
    """Ask where only a command's token shows the answer: in private, or where the bot isn't."""
    where: Any = "general"
    if kind == "foreign":
        house.discord.install("ada")
        where = house.discord.add_channel_elsewhere("lobby")
    click = await house.discord.slash("ada", where, "ask", question="why?", private=kind == "private")
    await house.discord.wait_for(lambda: click.thinking)
    return await taken(house), click


async def finished_apart(house: House, kind: str, **how: Any) -> tuple[Turn, Message]:
    house.keys = [base64.urlsafe_b64encode(bytes(32)).decode()]
    house.section = house.section.model_copy(update={"user_install": True})
    house.chat = house.build()
    async with house.listening():
        turn, click = await asked_apart(house, kind)
        turn = await over(house, turn, **how)
        return turn, click.messages[0]


async def over(house: House, turn: Turn, answer: str = ANSWER, **how: Any) -> Turn:
    turn = replace(turn.start("model-a").finish(answer), answered_as="default", seconds=2.5, **how)
    await house.ledger.conclude(turn, None, epoch=0)
    turn = await house.show(turn)
    await house.ledger.settle(turn.settle())
    return turn


async def test_under_an_answer_that_a_token_shows_stands_what_stands_under_others(house: House) -> None:
    _, message = await finished_apart(house, "private")
    assert labels(message) == [GOOD, BAD, RETRY, "Share", MORE]
    _, message = await finished_apart(house, "foreign")
    assert labels(message) == [GOOD, BAD, RETRY, MORE]


# Nobody else sees a private answer.
APART = [
    (kind, *case)
    for kind in ("private", "foreign")
    for case in CASES
    if case[1] is not Wish.BRANCH and (kind == "foreign" or case[0] == "ada")
]


@pytest.mark.parametrize(("kind", "user", "wish", "expected"), APART)
async def test_so_it_is_where_a_token_shows_the_answer(
    house: House, kind: str, user: str, wish: Wish, expected: Changed
) -> None:
    turn, on = await finished_apart(house, kind, is_cut=True)
    house.chat = house.build()
    async with house.listening():
        if wish is Wish.EXPORT:
            (click,) = await pressed(house, user, on, MORE)
            assert click.response
            on = click.response
        clicks = await pressed(house, user, on, LABELS[wish], times=2)
        if expected.questions:  # each is acknowledged before it is recorded, and the other one is told so
            await house.discord.wait_for(lambda: any(click.followups for click in clicks))
        assert await changed(house.ledger, turn) == expected


@pytest.mark.parametrize("kind", ["private", "foreign"])
async def test_another_answer_comes_in_the_same_message_by_the_token_of_the_command(house: House, kind: str) -> None:
    _, message = await finished_apart(house, kind)
    house.chat = house.build()
    async with house.listening():
        await pressed(house, "ada", message, RETRY, times=2)
        await over(house, replace(await taken(house), is_anew=True), "Another.")
        (only,) = house.discord.interactions[0].messages
        assert (only.id, only.content) == (message.id, "> why?\n\nAnother.")
        assert only.is_ephemeral == (kind == "private")


@pytest.mark.parametrize("kind", ["private", "foreign"])
async def test_more_of_it_comes_by_the_token_of_the_click_however_late(house: House, kind: str) -> None:
    turn, message = await finished_apart(house, kind, is_cut=True)
    house.discord.expire_tokens()
    house.chat = house.build()
    async with house.listening():
        clicks = await pressed(house, "ada", message, CONTINUE, times=2)
        await house.discord.wait_for(lambda: any(click.followups for click in clicks))
        more = await taken(house)
        assert more.question.key == derived(turn, GOES_ON)
        await over(house, more, "And more.")
        said = [one for click in clicks for one in click.followups]
        assert sorted(one.content for one in said) == ["And more.", CONTINUED_BEFORE]
        assert all(one.is_ephemeral for one in said if kind == "private" or one.content == CONTINUED_BEFORE)
        assert not [one for one in house.said("general") if not one.is_ephemeral]


@pytest.mark.parametrize("kind", ["private", "foreign"])
@pytest.mark.parametrize("is_good", [True, False])
async def test_once_the_token_is_over_a_sentence_says_so_and_nothing_is_asked(
    house: House,
    kind: str,
    is_good: bool,  # noqa: FBT001
) -> None:
    house.section = house.section.model_copy(update={"user_install": True})
    house.chat = house.build()
    async with house.listening():
        turn, click = await asked_apart(house, kind)
        turn = turn.start("model-a")
        turn = await house.show(turn.finish(ANSWER) if is_good else turn.fail("It failed."))
        turn = turn.replied(long_after(turn.reply))
        await house.settle(turn)
        (again,) = await pressed(house, "ada", click.messages[0], RETRY if is_good else TRY_AGAIN)
        assert told(again) == CLOSED
        still = await house.ledger.turn(turn.question.key)
        assert still
        assert (still.attempt, still.is_over) == (turn.attempt, True)


def long_after(reply: Reply) -> Reply:
    """A note of an answer, when the token that showed it is over."""
    note = notes().read(reply)
    assert note.where.token
    over = replace(note.where.token, until=time.time() - 1.0)
    return replace(note, where=replace(note.where, token=over)).write(is_final=True)


async def test_where_time_has_to_pass_it_says_so_and_asks_nothing_before(house: House) -> None:
    until = math.ceil(time.time()) + 600
    said = f"Worth another try: <t:{until}:R>"
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("model-a").fail("It is down.", helps_at=until))
        await house.settle(turn)
        message = house.said(house.thread())[-1]
        assert message.content == f"⚠️ It is down.\n-# {said}"
        assert labels(message) == [TRY_AGAIN]
        assert not message.pings
    house.chat = house.build()
    async with house.listening():
        house.discord.calls.clear()
        clicks = await pressed(house, "ada", message, TRY_AGAIN, times=2)
        assert [told(click) for click in clicks] == [said, said]
        assert not [call for call in house.discord.calls if "messages" in call.route], "its message stays as it is"
        still = await house.ledger.turn(turn.question.key)
        assert still
        assert (still.attempt, still.status) == (turn.attempt, Status.FAILED)
        button = message.components[0]["components"][0]
        button["custom_id"] = button["custom_id"].replace(str(until), str(until - 601))  # as if that time had come
        await pressed(house, "ada", message, TRY_AGAIN, times=2)
        again = await taken(house)
        assert again.attempt == turn.attempt + 2
        await house.show(replace(again, is_anew=True).start("model-a").finish("Because."))
        assert message.content == "Because."
