"""A process in which one person asks a crowd's questions; it says how many of them were taken."""

from __future__ import annotations

import asyncio
import sys

from core.preset import Preset
from core.rates import Rates
from core.relay import Relay
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey

ASKED, ALLOWED = 60, 25  # by each, and to all


async def main(url: str, name: str) -> None:
    database = open_database(url)
    ledger = Ledger(database, rates=Rates(person_day=ALLOWED))
    relay = Relay(ledger, lambda _: None, {"default": Preset(model="m")}, longest_question=100)

    async def ask(number: int) -> bool:
        place = PlaceId(f"chat:work/{number % 5}")
        thread = Thread(ThreadId(f"{place}/{name}{number}"), "chat", (PlaceId("chat:work"), place))
        accepted = await relay.ask(Question(QuestionKey(f"{name}/{number}"), thread, "ada", "Why?"))
        return accepted.exceeded is None

    taken = await asyncio.gather(*map(ask, range(ASKED)))
    await database.close()
    print(sum(taken))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
