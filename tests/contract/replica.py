"""One of several processes on a database: started, frozen and killed by the tests of the engine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from core.engine.distributed import Procrastinate
from core.engine.jobs import Jobs
from core.preset import Preset
from core.relay import Relay
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.thread import ConversationId
from core.turn import Reply, Turn
from core.upstream.prompt import AnswerSoFar, Prompt
from core.worker import Worker

PRESETS = {"default": Preset(model="m", instructions="")}
WORDS = 20
PACE = 0.1  # seconds between two words
GOES_ON = ".goes-on"  # beside the file of what is shown: until it is there, every answer stops half-way


class Board:
    """A chat that writes down, for all processes in one file, what it is shown."""

    name = "chat"

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def listen(self, relay: Relay) -> None:
        await asyncio.Event().wait()

    async def ready(self, turn: Turn) -> None:
        if not turn.is_over:
            await asyncio.sleep(PACE)

    async def show(self, turn: Turn) -> Reply:
        message = turn.reply or Reply(uuid.uuid4().hex)
        line = {"by": os.getpid(), "question": turn.question.key, "message": message, "is_over": turn.is_over}
        os.write(self._file, f"{json.dumps(line | {'text': turn.answer + turn.problem})}\n".encode())
        return message


class Slow:
    """An upstream that says one word after another, the second half of them when it may."""

    def __init__(self, may: Path) -> None:
        self._may = may

    @asynccontextmanager
    async def ask(self, prompt: Prompt) -> AsyncIterator[Slow]:
        self._said = AnswerSoFar("", ConversationId("c"))
        yield self

    async def __aiter__(self) -> AsyncIterator[None]:
        for number in range(WORDS):
            await asyncio.sleep(PACE)
            while number >= WORDS // 2 and not self._may.exists():
                await asyncio.sleep(PACE)
            self._said = AnswerSoFar(f"{self._said.text} {number}", self._said.conversation)
            yield

    def said(self) -> AnswerSoFar:
        return self._said

    @property
    def most(self) -> int:
        return len(self._said.text)


class Service:
    def __init__(self, may: Path) -> None:
        self._may = may

    def ask(self, prompt: Prompt, **_how: object) -> Any:
        return Slow(self._may).ask(prompt)


async def main(url: str, file: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database, jobs = open_database(url), Jobs(url)
    ledger = Ledger(database, jobs.summon)
    worker = Worker(
        ledger, cast("Any", Service(Path(file + GOES_ON))), {"chat": Board(Path(file))}, PRESETS, transcript_budget=1000
    )
    engine = Procrastinate(jobs, ledger, worker.see_to, worker.stop)
    await engine.start(["chat"])
    busy = -1
    while not stop.is_set():
        if busy != engine.busy:
            busy = engine.busy
            sys.stdout.write(f"busy {busy}\n")
            sys.stdout.flush()
        await asyncio.sleep(0.01)
    await engine.stop(grace=0)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
