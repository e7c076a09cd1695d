"""The smallest adapter there can be, for a platform that can't edit. `docs/new-platform.md` walks through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bots.reply.delivery import Deed, Delivery
from bots.reply.note import Message, Note, Notes
from bots.reply.page import Page
from bots.text.cut import pieces
from bots.text.reasoning import visible
from core.errors import ChatBusy, ChatLimited
from core.relay import Relay
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Turn
from tests.contract.board import BOT, LONGEST, Board, FullError

NAME = "board"


@dataclass(frozen=True, slots=True)
class Where:
    thread: str


class BoardRenderer:
    plainest = 0
    drops_buttons = False
    opens_alone = shares = False
    reopens = True
    offers = False
    opening = silence = ""

    def pages(self, text: str, *, streaming: bool = False, plainness: int = 0, most: int | None = None) -> list[str]:
        return pieces(visible(text, streaming=streaming), LONGEST)[:most]

    def fits(self, page: Page, plainness: int) -> bool:
        return len(content(page)) <= LONGEST


def content(page: Page) -> str:
    return "\n\n".join(filter(None, (page.text, page.under, page.aside)))


class BoardHands:
    def __init__(self, board: Board, turn: Turn, where: Where) -> None:
        self._board = board
        self._turn = turn
        self.where = where

    async def prepare(self, deed: Deed) -> None:
        """The board has no rates."""

    async def post(self, number: int, page: Page, plainness: int) -> str:
        with translated():
            return await self._board.put(self.where.thread, BOT, content(page), f"{self._turn.id}#{number}")

    async def edit(self, message: Message, page: Page, plainness: int) -> str | None:
        return None

    async def delete(self, message: Message) -> None:
        with translated():
            await self._board.take_down(message.id)

    async def find(self, note: Note[Where], pages: Sequence[Page | None]) -> Mapping[int, str]:
        with translated():
            notices = await self._board.read(self.where.thread)
        tags = {one.tag: one.id for one in notices if one.author == BOT}
        ours = (tag.partition("#") for tag in tags)
        return {int(page): tags[f"{turn}#{page}"] for turn, _, page in ours if turn == str(self._turn.id)}

    def is_deleted(self, message: Message) -> bool:
        return False


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except FullError as error:
        raise ChatLimited("the board is full", code="full") from error  # surely not done
    except ConnectionError as error:
        raise ChatBusy(type(error).__name__, code="unreachable") from error  # perhaps done


class BoardChat:
    name = NAME

    def __init__(self, board: Board, most_pages: int = 50) -> None:
        self._board = board
        self._most_pages = most_pages
        self._notes = Notes(Where)

    async def listen(self, relay: Relay) -> None:
        async for notice in self._board.listen():
            if notice.author != BOT and notice.text.startswith(f"@{BOT} "):
                thread = Thread(ThreadId(f"{NAME}:{notice.thread}"), NAME, (PlaceId(f"{NAME}:all"),))
                words = notice.text.removeprefix(f"@{BOT} ")
                question = Question(QuestionKey(f"{NAME}:{notice.id}"), thread, notice.author, words)
                await relay.hear(question, Note(Where(notice.thread)).write())

    async def show(self, turn: Turn) -> Reply:
        note = self._notes.newest(turn)
        delivery = Delivery(BoardHands(self._board, turn, note.where), BoardRenderer(), turn, note, self._most_pages)
        try:
            await delivery.run()
        finally:
            self._notes.keep(turn, delivery.note)
        return delivery.note.write(is_final=turn.is_over)
