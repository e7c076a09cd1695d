"""The inside of the bot, as states of the page: a lane for each turn, the process, its log."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.bot import Entry, Event
from sandbox.bot import State as Process
from sandbox.page.feed import Feed, State
from sandbox.upstream.answer import Request

if TYPE_CHECKING:
    from sandbox.ledger import Row
    from sandbox.stage import Stage

LOOK_SECONDS, IDLE_SECONDS = 0.1, 0.25
TURNS, LINES = 60, 300  # shown at once
BEATS, WATCHED = 200, 400  # times of one message's changes; messages of which they are kept
_IDS = re.compile(r'"id":"@?([\d.]+)"')  # of messages, in the adapters' notes
QUESTION_CHARACTERS = 300


@dataclass(slots=True)
class Lane:
    """What was seen of a turn from outside. Times are in milliseconds since the epoch, as scripts in a page count."""

    asks: list[Request] = field(default_factory=list)
    shown_at: float = 0.0


class Inside:
    """Looks at the ledger again and again, and pairs what it says with what was sent and seen."""

    def __init__(self, stage: Stage, feed: Feed) -> None:
        self._stage, self._feed = stage, feed
        self._lanes: OrderedDict[int, Lane] = OrderedDict()
        self._beats: OrderedDict[str, list[float]] = OrderedDict()  # of each message of the bot's, when it changed
        self._kills: list[float] = []
        self._last_request: Request | None = None
        self._line = 0
        stage.hearing.log.append(self._hear)
        stage.hearing.process.append(self._become)
        self._become(Event(stage.bot.state, stage.bot.life, time.time()))

    def wrote(self, message: str) -> None:
        """The bot has written or changed this message just now."""
        beats = self._beats.setdefault(message, [])
        beats.append(now())
        if len(beats) > BEATS:
            del beats[1 : len(beats) // 2 : 2]  # thinned out; the first stays
        while len(self._beats) > WATCHED:
            self._beats.popitem(last=False)

    async def watch(self) -> None:
        """Go on until cancelled."""
        while True:
            is_busy = self._look()
            await asyncio.sleep(LOOK_SECONDS if is_busy else IDLE_SECONDS)

    def _look(self) -> bool:
        """Return whether there is a turn that is not over."""
        rows, written = self._stage.ledger.turns(most=TURNS), self._stage.ledger.presets()
        for request in self._new_requests():
            self._pair(request, rows)
        for row in rows:
            levels = self._stage.levels(row.layers, written)
            self._feed.put(self._turn(row, self._lanes.setdefault(row.id, Lane()), levels))
        while len(self._lanes) > 2 * TURNS:
            self._lanes.popitem(last=False)
        return any(not row.shown for row in rows)

    def _new_requests(self) -> list[Request]:
        found: list[Request] = []
        for request in reversed(self._stage.emulator.requests):
            if request is self._last_request:
                break
            found.append(request)
        if found:
            self._last_request = found[0]
        return found[::-1]

    def _pair(self, request: Request, rows: list[Row]) -> None:
        """Give *request* to the turn that it was made for. Nothing in it says which: time, conversation and words do."""
        body = request.body if isinstance(request.body, dict) else {}
        question, arrived = str(body.get("question", "")), request.arrived * 1000
        fitting = [
            row
            for row in rows
            if milliseconds(row.accepted_at) <= arrived + 1
            and (not row.done_at or milliseconds(row.done_at) >= arrived)
            and row.question.strip()[:1000] in question
        ]
        same = [row for row in fitting if body.get("id") and row.conversation == body["id"]]
        for row in sorted(same or fitting, key=lambda row: len(self._lanes.setdefault(row.id, Lane()).asks))[:1]:
            self._lanes[row.id].asks.append(request)

    def _turn(self, row: Row, lane: Lane, levels: list[tuple[str, str, str]]) -> State:
        beats = sorted(beat for one in _IDS.findall(row.reply) for beat in self._beats.get(one, ()))
        accepted, done = milliseconds(row.accepted_at), milliseconds(row.done_at)
        beats = [beat for beat in beats if beat >= accepted - 50]
        if row.shown and not lane.shown_at:
            lane.shown_at = max([done, *beats[-1:]]) or now()
        elif not row.shown:
            lane.shown_at = 0.0  # asked again
        return {
            "type": "turn",
            "key": f"turn {row.id}",
            "platform": row.chat,
            "asker": f"{row.chat} {row.asker}",
            "question": row.question[:QUESTION_CHARACTERS],
            "status": row.status,
            "shown": row.shown,
            "problem": row.problem,
            "aside": row.aside,
            "model": row.model,
            "attempt": row.attempt,
            "reference": row.reference,
            "conversation": row.conversation,
            "at": accepted,
            "end": lane.shown_at,
            "beats": beats,
            "marks": list(self._marks(row, lane, beats, accepted)),
            "levels": [[name, value, _label(place, row)] for name, value, place in levels],
            "sent": [_sent(one) for one in lane.asks[-5:]],
        }

    def _marks(self, row: Row, lane: Lane, beats: list[float], accepted: float) -> Iterator[dict[str, Any]]:
        asked = [one.arrived * 1000 for one in lane.asks]
        yield {"what": "accepted", "at": accepted}
        yield from ({"what": "asked", "at": at} for at in asked)
        if beats:
            yield {"what": "first text", "at": beats[0]}
        for kill in self._kills:
            if kill < accepted or (lane.shown_at and kill > lane.shown_at):
                continue
            yield {"what": "killed", "at": kill}
            after = [at for at in (*asked, *beats, *([lane.shown_at] if lane.shown_at else [])) if at > kill]
            if after:
                yield {"what": "went on", "at": min(after)}
        if lane.shown_at:
            yield {"what": "shown" if row.status == "answered" else row.status, "at": lane.shown_at}

    def _hear(self, entry: Entry) -> None:
        self._line += 1
        facts = {name: value for name, value in entry.items() if name not in ("timestamp", "level", "event", "logger")}
        self._feed.put(
            {
                "type": "log",
                "key": f"log {self._line}",
                "at": now(),
                "level": str(entry.get("level", "")),
                "event": str(entry["event"])[:500],
                "facts": {name: str(value)[:300] for name, value in facts.items()},
            }
        )

    def _become(self, event: Event) -> None:
        if event.state is Process.KILLED:
            self._kills.append(event.at * 1000)
        self._feed.put(
            {
                "type": "process",
                "key": "process",
                "state": event.state.value,
                "life": event.life,
                "at": event.at * 1000,
                "health": self._stage.bot.health,
            }
        )


def now() -> float:
    return time.time() * 1000


def milliseconds(written: str) -> float:
    """Of a time as SQLite keeps it; 0 if there is none."""
    return datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp() * 1000 if written else 0.0


def _label(place: str, row: Row) -> str:
    """What people call a place that a preset can be set for."""
    if place == row.thread:
        return "this thread"
    if place not in row.within:
        return "the deployment"
    return "this channel" if place == row.within[-1] and len(row.within) > 1 else "the whole workspace"


def _sent(request: Request) -> dict[str, Any]:
    """What went to the AI service; its token never came here."""
    body = request.body if isinstance(request.body, dict) else {"body": "not JSON"}
    shortened = {name: _shortened(value) for name, value in body.items()}
    return {"at": request.arrived * 1000, "ended": request.ended, "body": shortened}


def _shortened(value: object) -> object:
    return f"{value[:4000]}…" if isinstance(value, str) and len(value) > 4000 else value
