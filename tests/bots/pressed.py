"""The buttons under a finished answer: how people press them on each platform, and what a press of each changes."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import Connection, func, select

from bots.discord import finished as in_discord
from bots.reply.details import BRANCH, EXPORT
from bots.reply.page import Wish
from bots.reply.wanted import BAD, CONTINUE, GOOD, MORE, RETRY, SHARE
from bots.slack import finished as in_slack
from bots.slack.buttons import FEEDBACK
from core.chat import ready
from core.storage.tables import feedback, turns
from core.turn import Status
from sandbox.discord import Interaction
from sandbox.discord import Message as DiscordMessage
from sandbox.discord.components import written_in
from sandbox.slack import Message as SlackMessage
from sandbox.slack import shown
from tests.bots.discord.conftest import House as DiscordHouse
from tests.bots.slack.conftest import House as SlackHouse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.storage.ledger import Ledger
    from core.turn import QuestionKey, Turn

REASONING = "Hm, *why*? @everyone <!channel>"
ANSWER = f"<think>{REASONING}</think>Because."


class Changed(NamedTuple):
    verdicts: int = 0
    questions: int = 0  # beside the one that was answered
    is_done_again: bool = False


NOTHING = Changed()
# By who asked; and by somebody else, to whom neither another answer nor more of it is due.
BY_ASKER = {
    Wish.GOOD: Changed(verdicts=1),
    Wish.BAD: Changed(verdicts=1),
    Wish.CONTINUE: Changed(questions=1),
    Wish.AGAIN: Changed(is_done_again=True),
    Wish.MORE: NOTHING,
    Wish.EXPORT: NOTHING,
    Wish.BRANCH: Changed(questions=1),
}
BY_ANOTHER = {**BY_ASKER, Wish.CONTINUE: NOTHING, Wish.AGAIN: NOTHING}
CASES = [(user, wish, of[wish]) for user, of in (("ada", BY_ASKER), ("ben", BY_ANOTHER)) for wish in of]


async def changed(ledger: Ledger, turn: Turn) -> Changed:
    """What is so by now, of an answer that was alone."""

    def count(connection: Connection) -> list[int]:
        return [connection.scalar(select(func.count()).select_from(of)) or 0 for of in (feedback, turns)]

    verdicts, questions = await ledger._database.run(count)
    now = await ledger.turn(turn.question.key)
    return Changed(verdicts, questions - 1, is_done_again=now is not None and now.status is Status.QUEUED)


H = TypeVar("H", bound=SlackHouse | DiscordHouse)
M = TypeVar("M", bound=SlackMessage | DiscordMessage)


class Pressing(ABC, Generic[H, M]):
    """People who press these buttons on one platform, where the bot listens."""

    labels: Mapping[Wish, str] = {
        Wish.GOOD: GOOD,
        Wish.BAD: BAD,
        Wish.CONTINUE: CONTINUE,
        Wish.AGAIN: RETRY,
        Wish.SHARE: SHARE,
        Wish.MORE: MORE,
        Wish.BRANCH: BRANCH,
        Wish.EXPORT: EXPORT,
    }

    def __init__(self, house: H) -> None:
        self.house = house
        house.buttons = True
        self.restart()

    def restart(self) -> None:
        """Let another process listen, and show what comes."""
        self.house.chat = self.house.build()

    async def asked(
        self, text: str = "@bobbin why?", *, by: str = "ada", to: str = "general", within: object = None
    ) -> Turn:
        """Ask, *within* a thread that is there or none, and take the turn."""
        count = len(self.house.woken)
        await self.say(by, text, to, within)
        await self.house.until(lambda: len(self.house.woken) > count)
        return await self.taken()

    async def taken(self) -> Turn:
        """Take what was asked last, as a worker would, as soon as it is there to be taken."""
        async with asyncio.timeout(30):
            while not (found := await self.house.ledger.take(self.house.woken[-1])):
                await asyncio.sleep(0.005)
        return found.turn

    async def show(self, turn: Turn) -> Turn:
        await ready(self.house.chat, turn)
        return turn.replied(await self.house.chat.show(turn))

    async def over(self, turn: Turn, answer: str = ANSWER, **how: Any) -> Turn:
        """Answer *turn*, as a worker would."""
        turn = replace(turn.start("model-a").finish(answer), answered_as="default", seconds=2.5, **how)
        await self.house.ledger.conclude(turn, None, epoch=0)
        turn = await self.show(turn)
        await self.house.ledger.settle(turn.settle())
        return turn

    async def finished(self, turn: Turn | None = None, **how: Any) -> tuple[Turn, M]:
        """Ask, unless that was done, and answer; return the message that ends the answer as well."""
        turn = await self.over(turn or await self.asked(), **how)
        return turn, self.said(turn)[-1]

    async def verdicts(self) -> list[tuple[Any, ...]]:
        of = feedback.c.verdict, feedback.c.comment
        run = self.house.ledger._database.run
        return await run(lambda connection: [tuple(row) for row in connection.execute(select(*of))])

    @abstractmethod
    async def say(self, user: str, text: str, to: str, within: Any) -> None: ...

    @abstractmethod
    def said(self, turn: Turn) -> list[M]:
        """What everybody sees of the bot's in the thread of *turn*."""

    @abstractmethod
    def words(self, message: M) -> str:
        """What it says, without its buttons."""

    @abstractmethod
    def buttons(self, message: M) -> list[Wish]: ...

    @abstractmethod
    def writes(self) -> int:
        """How many calls posted or changed a message."""

    @abstractmethod
    async def press(self, user: str, on: M, wish: Wish, *, times: int = 1, told: int = 0) -> list[str]:
        """Press so often at once; return what only *user* is told, in any order, as soon as that is so much."""

    @abstractmethod
    async def details(self, user: str, on: M) -> M:
        """Press More, and return what comes."""

    @abstractmethod
    async def form(self, user: str, on: M) -> Any:
        """Press the thumb that points down, and return the form that opens."""

    @abstractmethod
    async def fill_in(self, user: str, form: Any, words: str) -> list[str]:
        """Send it; return what *user* is told."""

    @abstractmethod
    async def exported(self, user: str) -> list[str]:
        """What is in the files that were sent to *user*."""

    @abstractmethod
    def branch(self) -> tuple[M, str, object]:
        """The message with which a branch begins, all that is said there, and the thread."""

    @abstractmethod
    def leads_to(self, message: M, other: M) -> bool: ...

    @abstractmethod
    def forge(self, message: M, wish: Wish, key: QuestionKey) -> None:
        """Have *message* wear a button that says to be about the answer to the question of *key*."""


class OnSlack(Pressing[SlackHouse, SlackMessage]):
    labels: Mapping[Wish, str] = {**Pressing.labels, Wish.GOOD: "Good answer", Wish.BAD: "Bad answer"}

    def restart(self) -> None:
        self.house.have_times(recorded_within=30.0)  # on a machine that may be slow

    async def say(self, user: str, text: str, to: str, within: Any) -> None:
        await self.house.slack.say(user, to, text, within)

    def said(self, turn: Turn) -> list[SlackMessage]:
        return [one for one in self.house.replies(turn) if not one.ephemeral_to]

    def words(self, message: SlackMessage) -> str:
        return "\n".join(line for line in shown(message).splitlines() if not line.startswith("["))

    def buttons(self, message: SlackMessage) -> list[Wish]:
        wishes = {label: wish for wish, label in self.labels.items()}
        return [wishes[label] for label in re.findall(r"\[(.+?)\]", shown(message))]

    def writes(self) -> int:
        return sum(map(self.house.calls, ("chat.postMessage", "chat.postEphemeral", "chat.update")))

    def _whispers(self, user: str) -> list[SlackMessage]:
        person = self.house.slack.user(user).id
        return [one for one in self.house.slack.messages("general") if one.ephemeral_to == person]

    async def _pressed(self, user: str, on: SlackMessage, wish: Wish, times: int, told: int) -> list[Any]:
        """Return the clicks, and the whispers that come of them."""
        action, value, before = str(wish), None, len(self._whispers(user))
        if wish in (Wish.GOOD, Wish.BAD):
            (element,) = next(block for block in on.blocks if block["type"] == "context_actions")["elements"]
            action, value = FEEDBACK, element["positive_button" if wish is Wish.GOOD else "negative_button"]["value"]
        slack = self.house.slack
        clicks = await asyncio.gather(*(slack.click(user, on, action, value=value) for _ in range(times)))
        await slack.wait_for(lambda: not slack.under_way and len(self._whispers(user)) >= before + told)
        return [clicks, self._whispers(user)[before:]]

    async def press(self, user: str, on: SlackMessage, wish: Wish, *, times: int = 1, told: int = 0) -> list[str]:
        _, whispers = await self._pressed(user, on, wish, times, told)
        return [one.text for one in whispers]

    async def details(self, user: str, on: SlackMessage) -> SlackMessage:
        _, (details,) = await self._pressed(user, on, Wish.MORE, 1, 1)
        return cast("SlackMessage", details)

    async def form(self, user: str, on: SlackMessage) -> Any:
        (click,), _ = await self._pressed(user, on, Wish.BAD, 1, 0)
        (view,) = await self.house.slack.wait_for(lambda: click.views)
        return view

    async def fill_in(self, user: str, form: Any, words: str) -> list[str]:
        before = len(self._whispers(user))
        written = {"type": "plain_text_input", "value": words or None}
        sent = await self.house.slack.submit(user, form, {in_slack.WHY: {in_slack.WHY: written}})
        assert not sent.problem
        await self.house.slack.wait_for(lambda: not words or len(self._whispers(user)) > before)
        return [one.text for one in self._whispers(user)[before:]]

    async def exported(self, user: str) -> list[str]:
        await self.house.slack.wait_for(lambda: self._whispers(user)[-1].text == in_slack.SENT)
        direct = self.house.slack.messages(self.house.slack.open_dm(user))
        return [file.content.decode() for message in direct for file in message.files]

    def branch(self) -> tuple[SlackMessage, str, object]:
        root = [one for one in self.house.slack.messages("general") if one.thread_ts in {None, one.ts}][-1]
        said = self.house.slack.messages("general", root.ts)
        return root, "\n".join(map(shown, said)), root.ts

    def leads_to(self, message: SlackMessage, other: SlackMessage) -> bool:
        return f"/p{other.ts.replace('.', '')}" in str(message.blocks)

    def forge(self, message: SlackMessage, wish: Wish, key: QuestionKey) -> None:
        judging, row = (block for block in message.blocks if "action" in block["type"])
        if wish in (Wish.GOOD, Wish.BAD):
            judging["elements"][0]["positive_button"]["value"] = f"{wish}:{key}"
            return
        words = {"type": "plain_text", "text": self.labels[wish]}
        button = {"type": "button", "action_id": str(wish), "text": words, "value": key}
        row["elements"] = [*(one for one in row["elements"] if one["action_id"] != wish), button]


class OnDiscord(Pressing[DiscordHouse, DiscordMessage]):
    def __init__(self, house: DiscordHouse) -> None:
        super().__init__(house)
        self._clicks: list[Interaction] = []

    async def say(self, user: str, text: str, to: str, within: Any) -> None:
        await self.house.discord.say(user, within or to, text)

    def said(self, turn: Turn) -> list[DiscordMessage]:
        thread = int(turn.question.thread.id.rpartition("/")[2])
        return [one for one in self.house.said(thread) if not one.is_ephemeral]

    def words(self, message: DiscordMessage) -> str:
        return message.content or written_in(message.components).replace("\\", "")

    def buttons(self, message: DiscordMessage) -> list[Wish]:
        wishes = {label: wish for wish, label in self.labels.items()}
        return [wishes[one["label"]] for row in message.components for one in row["components"] if "label" in one]

    def writes(self) -> int:
        routes = "POST /channels/{channel_id}/messages", "PATCH /channels/{channel_id}/messages/{message_id}"
        return sum(map(self.house.calls, routes))

    async def clicks(self, user: str, on: DiscordMessage, label: str, *, times: int = 1) -> list[Interaction]:
        """Press so often at once, and wait for what comes of it."""
        clicks = [await self.house.discord.click(user, on, label) for _ in range(times)]
        await self.house.discord.wait_for(lambda: all(click.acknowledged for click in clicks))
        assert all(click.response is None or click.response.is_ephemeral for click in clicks)
        self._clicks += clicks
        return clicks

    async def press(self, user: str, on: DiscordMessage, wish: Wish, *, times: int = 1, told: int = 0) -> list[str]:
        del told  # each is answered
        clicks = await self.clicks(user, on, self.labels[wish], times=times)
        return [said for one in clicks if one.response and (said := self.words(one.response))]

    async def details(self, user: str, on: DiscordMessage) -> DiscordMessage:
        (click,) = await self.clicks(user, on, MORE)
        assert click.response
        assert not click.response.pings
        return click.response

    async def form(self, user: str, on: DiscordMessage) -> Any:
        (click,) = await self.clicks(user, on, BAD)
        return click

    async def fill_in(self, user: str, form: Any, words: str) -> list[str]:
        del user
        sent = await self.house.discord.submit(form, **{in_discord.WHY: words})
        await self.house.discord.wait_for(lambda: sent.acknowledged)
        return [sent.response.content] if sent.response else []

    async def exported(self, user: str) -> list[str]:
        own = [one.response for one in self._clicks if one.user.name == user and one.response]
        return [one.file.content.decode() for response in own for one in response.attachments]

    def branch(self) -> tuple[DiscordMessage, str, object]:
        root = self.house.said("general")[-1]
        assert root.thread
        return root, root.content, root.thread

    def leads_to(self, message: DiscordMessage, other: DiscordMessage) -> bool:
        return str(other.id) in message.content

    def forge(self, message: DiscordMessage, wish: Wish, key: QuestionKey) -> None:
        row = message.components[0]["components"]
        button = next((one for one in row if one["label"] == self.labels[wish]), row[0])
        made, channel, _ = button["custom_id"].split(":", 2)
        button["custom_id"] = f"{wish}{re.sub('[a-z]', '', made)}:{channel}:{key}"
        button["label"] = self.labels[wish]
