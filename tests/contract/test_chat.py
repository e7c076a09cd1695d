"""What every chat promises, whatever its platform."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bots.reply.wanted import FILE_NAME, IN_THE_FILE, NOT_IN_A_FILE
from core.chat import Paced, ready
from core.errors import AnswerDeleted, ChatBusy
from core.storage.database import open_database
from core.storage.migrate import migrate
from core.turn import Status
from tests.contract.chats import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.turn import Turn
    from tests.contract.chats import Stage

# Several pages on each platform.
PARAGRAPHS = 12
LONG = "\n\n".join(f"Paragraph {number}: " + "words and words " * 60 for number in range(PARAGRAPHS))


@pytest.fixture(params=PLATFORMS)
async def stage(
    request: pytest.FixtureRequest,
    sqlite_url: str,
    addresses: None,
) -> AsyncIterator[Stage]:
    database = open_database(sqlite_url)
    await migrate(database)
    async with PLATFORMS[request.param](database) as stage:
        yield stage
    await database.close()


async def asked(stage: Stage, text: str = "why?") -> Turn:
    """Return the turn, which streams."""
    await stage.ask(text)
    return (await stage.turns(1))[0].start("model-a")


async def show(stage: Stage, turn: Turn) -> Turn:
    """As core does: updates where the platform is ready for them, ends in any case."""
    if not turn.is_over and not isinstance(stage.chat, Paced):
        return turn  # it never is
    if not turn.is_over:
        try:
            async with asyncio.timeout(5):
                await ready(stage.chat, turn)
        except TimeoutError:
            return turn
    else:
        await ready(stage.chat, turn)
    return turn.replied(await stage.chat.show(turn))


async def shown_at_last(stage: Stage, turn: Turn) -> Turn:
    """As core does, without its pauses."""
    for _ in range(3):
        try:
            return await show(stage, turn)
        except ChatBusy:
            continue
    raise AssertionError("never shown")


def words(stage: Stage, turn: Turn) -> str:
    return "\n\n".join(text for _, text in stage.said(turn))


def taken_over(turn: Turn) -> Turn:
    return (
        replace(turn, attempt=turn.attempt + 1).start("model-a")
        if not turn.is_over
        else replace(turn, attempt=turn.attempt + 1)
    )


async def test_one_message_is_one_question_whatever_is_delivered(stage: Stage) -> None:
    await stage.ask("why?")
    await stage.ask("and how?")
    turns = await stage.turns(2)
    assert [turn.question.text for turn in turns] == ["why?", "and how?"]
    assert len(stage.woken) == 2


async def test_it_does_not_hear_itself(stage: Stage) -> None:
    turn = await asked(stage)
    await show(stage, turn.finish("@bobbin <@bobbin> why?"))
    assert stage.said(turn)
    await stage.ask("and how?")
    assert len(await stage.turns(2)) == 2
    assert len(stage.woken) == 2


async def test_an_answer_ends_in_one_message_and_is_not_written_again(stage: Stage) -> None:
    turn = await show(stage, (await asked(stage)).grow("Because"))
    turn = await show(stage, turn.finish("Because it is."))
    before = stage.said(turn)
    assert [text for _, text in before] == ["Because it is."]
    await show(stage, turn)
    assert stage.said(turn) == before


async def test_another_process_goes_on_in_the_same_message(stage: Stage) -> None:
    turn = await show(stage, (await asked(stage)).grow("Because it was late, and"))
    before = stage.said(turn)
    stage.restart()
    turn = await show(stage, taken_over(turn).finish("Because."))
    assert [text for _, text in stage.said(turn)] == ["Because."]
    assert not before or stage.said(turn)[0][0] == before[0][0]


async def test_what_is_over_stays_as_it_is_for_another_process(stage: Stage) -> None:
    turn = await show(stage, (await asked(stage)).finish(LONG))
    before = stage.said(turn)
    stage.restart()
    await show(stage, taken_over(turn))
    assert stage.said(turn) == before


async def test_an_outage_shows_later_what_could_not_be_shown(stage: Stage) -> None:
    turn = (await asked(stage)).finish("Because.")
    stage.refuse_posts()
    with pytest.raises(ChatBusy):
        await show(stage, turn)
    assert not stage.said(turn)
    await show(stage, turn)
    assert [text for _, text in stage.said(turn)] == ["Because."]


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_lost_post_is_found(stage: Stage, restarts: bool) -> None:  # noqa: FBT001
    turn = (await asked(stage)).finish("Because.")
    stage.lose_post()
    with pytest.raises(ChatBusy):
        await show(stage, turn)
    (lost,) = stage.said(turn)
    if restarts:
        stage.restart()
        turn = taken_over(turn)
    await show(stage, turn)
    assert [text for _, text in stage.said(turn)] == ["Because."]
    assert stage.said(turn) == [lost] or stage.chat.name == "board"


async def test_pages_are_cut_and_grow(stage: Stage) -> None:
    turn = await show(stage, (await asked(stage)).finish(LONG))
    assert len(stage.said(turn)) > 1
    assert all(f"Paragraph {number}:" in words(stage, turn) for number in range(PARAGRAPHS))
    turn = await show(stage, replace(turn, attempt=turn.attempt + 1, answer="In short: yes."))
    assert [text for _, text in stage.said(turn)] == ["In short: yes."]
    turn = await show(stage, replace(turn, attempt=turn.attempt + 1, answer=LONG))
    said = words(stage, turn)
    assert all(said.count(f"Paragraph {number}:") == 1 for number in range(PARAGRAPHS))
    assert said.index("Paragraph 0:") < said.index(f"Paragraph {PARAGRAPHS - 1}:")


async def test_an_answer_that_can_not_be_whole_says_why(stage: Stage) -> None:
    turn = await show(stage, (await asked(stage)).grow("Because it").fail("The AI service broke off."))
    said = " ".join(words(stage, turn).split())
    assert said.startswith("Because it ")
    assert "⚠️ The AI service broke off." in said


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_is_withdrawn_is_taken_away(stage: Stage, restarts: bool) -> None:  # noqa: FBT001
    turn = await show(stage, (await asked(stage)).finish(LONG))
    if restarts:
        stage.restart()
    await show(stage, replace(turn, attempt=turn.attempt + 1, is_withdrawn=True, answer=""))
    assert not stage.said(turn)


async def test_an_answer_of_too_many_pages_comes_whole_as_a_file(stage: Stage) -> None:
    stage.limit_pages(1)
    turn = await show(stage, (await asked(stage)).grow(LONG))
    assert len(stage.said(turn)) <= 1
    turn = await show(stage, turn.finish(LONG))
    said = stage.said(turn)
    assert 1 <= len(said) <= 2  # what is told of the file may need one of its own
    if stage.files(turn):
        assert stage.files(turn) == [LONG]
        assert IN_THE_FILE.format(file=FILE_NAME) in words(stage, turn)
    else:
        assert stage.chat.name == "board"
        assert NOT_IN_A_FILE in words(stage, turn)
    for restarts in (False, True):
        if restarts:
            stage.restart()
            stage.limit_pages(1)
            turn = taken_over(turn)
        files = stage.files(turn)
        turn = await show(stage, turn)
        assert (stage.said(turn), stage.files(turn)) == (said, files)
    turn = await show(stage, asked_again(turn).finish("In short: yes."))
    assert ([text for _, text in stage.said(turn)], stage.files(turn)) == (["In short: yes."], [])


async def test_where_no_file_can_be_added_that_is_told(stage: Stage) -> None:
    turn = await asked(stage)
    stage.limit_pages(1)
    stage.forbid_files()
    turn = await show(stage, turn.finish(LONG))
    assert not stage.files(turn)
    assert NOT_IN_A_FILE in words(stage, turn)
    assert IN_THE_FILE.format(file=FILE_NAME) not in words(stage, turn)


async def test_a_withdrawn_question_leaves_no_file(stage: Stage) -> None:
    turn = await asked(stage)
    stage.limit_pages(1)
    turn = await show(stage, turn.finish(LONG))
    await show(stage, replace(turn, attempt=turn.attempt + 1, is_withdrawn=True, answer=""))
    assert (stage.said(turn), stage.files(turn)) == ([], [])


async def test_a_file_that_was_lost_is_found(stage: Stage) -> None:
    turn = await asked(stage)
    stage.limit_pages(1)
    # The first page has room for what is told of the file, so that the file is all that is posted in the end.
    size = {"slack": 9_000, "discord": 2_000, "board": 500}[stage.chat.name]
    whole = "\n\n".join(("word " * (size * 6 // 50)).strip() for _ in range(2))
    turn = await show(stage, turn.grow(whole))
    stage.lose_file()
    await shown_at_last(stage, turn.finish(whole))
    assert len(stage.files(turn)) == (stage.chat.name != "board")


def asked_again(turn: Turn) -> Turn:
    """As it is when somebody wanted another answer, and a worker has taken that on."""
    return replace(turn, attempt=turn.attempt + 2, status=Status.STREAMING, answer="", is_anew=True)


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_was_deleted_is_there_again_when_somebody_asks_for_it(stage: Stage, restarts: bool) -> None:  # noqa: FBT001
    turn = await show(stage, (await asked(stage)).finish("Because."))
    await stage.delete(stage.said(turn)[0][0])
    assert not stage.said(turn)
    if restarts:
        stage.restart()
    await show(stage, asked_again(turn).finish("Because."))
    assert [text for _, text in stage.said(turn)] == ["Because."]


async def test_who_deletes_a_growing_answer_sees_no_more_of_it_until_somebody_asks_again(stage: Stage) -> None:
    turn = await show(stage, (await asked(stage)).grow("Because"))
    if stage.said(turn):  # where an answer grows before one's eyes
        await stage.delete(stage.said(turn)[0][0])
        with pytest.raises(AnswerDeleted):
            await show(stage, turn.grow("Because it"))
        turn = await show(stage, turn.stop())
        assert not stage.said(turn)
    turn = await show(stage, asked_again(turn))
    turn = await show(stage, turn.grow("Because it was"))
    await show(stage, turn.finish("Because it was late."))
    assert [text for _, text in stage.said(turn)] == ["Because it was late."]


async def test_when_a_page_was_deleted_another_answer_is_in_order(stage: Stage) -> None:
    turn = await show(stage, (await asked(stage)).finish(LONG))
    await stage.delete(stage.said(turn)[0][0])
    turn = await show(stage, asked_again(turn).finish(LONG))
    said = words(stage, turn)
    assert all(said.count(f"Paragraph {number}:") == 1 for number in range(PARAGRAPHS))
    assert said.index("Paragraph 0:") < said.index(f"Paragraph {PARAGRAPHS - 1}:")


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_people_have_read_never_gets_shorter_while_it_streams_again(stage: Stage, restarts: bool) -> None:  # noqa: FBT001
    whole = "words and words " * 50
    turn = await show(stage, (await asked(stage)).grow(whole[:700]))
    before = len(words(stage, turn))
    if restarts:
        stage.restart()
    turn = taken_over(turn)
    for length in (20, 400):
        turn = await show(stage, turn.grow(whole[:length]))
        assert len(words(stage, turn)) == before
    turn = await show(stage, turn.finish("In short: yes."))
    assert words(stage, turn) == "In short: yes."


async def test_a_command_is_obeyed_and_told_in_the_thread(stage: Stage) -> None:
    """Where words can be commands: on Discord they are slash commands."""
    await stage.ask("help")
    (turn,) = await stage.turns(1)
    assert turn.is_over == (stage.chat.name != "discord")
    if turn.is_over:
        turn = await show(stage, turn)
        assert "show this list" in words(stage, turn)
