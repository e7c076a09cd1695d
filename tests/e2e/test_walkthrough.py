"""One story, played on each platform: what people see of it and what reaches the AI service stands in docs/walkthrough-*.md.

`WRITE_WALKTHROUGHS=1` rewrites these files; without it, they must say what happens.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bots.slack.form import ABOUT_MESSAGE, AUDIENCE, PRIVATE
from sandbox import discord, slack
from sandbox.discord.model import SYSTEM_MESSAGES
from sandbox.upstream import Emulator, answer, mind
from tests.e2e.conftest import PATIENCE
from tests.e2e.test_context import DISCUSSION, said
from tests.e2e.test_files import DOOR, Sent, png
from tests.e2e.test_slack_ways import chosen, typed

DOCS = Path(__file__).parents[2] / "docs"
IS_WRITTEN = os.environ.get("WRITE_WALKTHROUGHS") == "1"

PICTURE = Sent("sensor.png", png(640, 480), "image/png")
LOG = Sent("pump.log", b"11:02 restart\n11:03 valve sensor: 2.1 V, expected 2.5 to 5.0 V\n11:03 E42\n", "text/plain")

SUMMARY = "summarise this, and tell the others what is left to do"
SHOWN = "is this the right one?"
LOGGED = "does the log say the same?"
FOLLOW_UP = "And would it be enough to turn up the supply?"
PAST = [
    ("ada", "ben, are you still on site?"),
    ("ben", "Until six. I could meet you at the gate."),
    ("ada", "Half past five, then?"),
    ("ben", "Fine with me."),
]
UNHEARD = "I'd rather check the wiring before anybody touches the supply."
CALLED = "when do Ada and Ben meet?"
IN_PRIVATE = "How do I say that I ordered the wrong one, kindly?"
# The service's part of the story. What it says of files, the emulator says itself: it fetched and read them.
ANSWERS = {
    SUMMARY: """\
P-3 has stood still since the restart, with E42: the new valve sensor is the 3.3 V model and never reaches the range.

Left to do:

1. **Cleo** orders the 5 V model today.
2. **Ben** bridges it until then, with **Cleo** as the second pair of eyes, at four.
3. **Ada** restarts P-3 when the bridge is in.""",
    SHOWN: "Compare the number on its label with that on your order: it has to be the 5 V model.",
    LOGGED: "Yes: at 11:03 the sensor gave 2.1 V, below its range of 2.5 to 5.0 V, and E42 followed.",
    FOLLOW_UP: "No: it would still be a 3.3 V sensor. Please wait for the right one.",
    CALLED: "At half past five, at the gate.",
    IN_PRIVATE: "“I ordered the 3.3 V model by mistake. The right one is on its way, and I'll fit it myself.”",
}


@dataclass(frozen=True)
class Line:
    """What somebody sees."""

    key: object
    who: str
    text: str
    files: tuple[str, ...] = ()
    only_for: str = ""
    where: str = ""

    def __str__(self) -> str:
        about = f" *({', '.join(filter(None, (self.where, self.only_for)))})*" if self.where or self.only_for else ""
        text = "\n\n".join(filter(None, (self.text, *(f"📎 `{name}`" for name in self.files))))
        text = re.sub(r"\n\[Share\]$", "\n\n**[** Share **]**", text)
        # What is more than a paragraph stands below the name.
        gap = "\n\n" if re.match("> |.*\n\\S", text) else " "
        return "\n".join(f"> {line}".rstrip() for line in f"**{self.who}**{about}:{gap}{text}".splitlines())


class OnSlack:
    name, title = "slack", "Slack"
    beginning = "In a thread of `#general`, before anybody calls the bot."
    privately = (
        "Ben opens the menu of Cleo's message “Was it the 5 V model?”, and chooses *Ask Bobbin about this message*."
    )
    privately += f" In the form he writes “{IN_PRIVATE}” and chooses *Only for me*."

    def __init__(self, local: slack.LocalSlack) -> None:
        self.local = local
        self.dm = local.open_dm("ben")
        self.root: Any = None

    async def discuss(self, who: str, text: str) -> None:
        message = await self.local.say(who, "general", text, self.root and self.root.ts)
        self.root = self.root or message

    async def say(self, who: str, text: str, *files: Sent) -> None:
        shared = [slack.SharedFile(one.name, one.content, one.media_type) for one in files]
        await self.local.say(who, "general", text, self.root.ts, files=shared)

    async def call(self, who: str, text: str) -> None:
        await self.say(who, text)

    async def ask_privately(self) -> None:
        about = next(one for one in self.local.messages("general") if "5 V model" in slack.shown(one))
        (view,) = (await self.local.shortcut("ben", ABOUT_MESSAGE, about)).views
        values = typed(IN_PRIVATE) | chosen(self.local.views[view], AUDIENCE, PRIVATE)
        assert not (await self.local.submit("ben", view, values)).problem

    async def share(self) -> None:
        with_button = next(one for one in self.local.messages(self.dm) if "[Share]" in slack.shown(one))
        await self.local.click("ben", with_button, "share")

    def lines(self) -> list[Line]:
        in_thread = self.local.messages("general", self.root.ts) if self.root else []
        return [self._line(one) for one in in_thread] + [self._line(one, "direct message") for one in self._direct()]

    def _direct(self) -> list[slack.Message]:
        return self.local.messages(self.dm)

    def _line(self, message: slack.Message, where: str = "") -> Line:
        files = tuple(file.name for file in message.files)
        text = "\n".join(line for line in slack.shown(message).splitlines() if line[1:-1] not in files)
        text = re.sub(r"(?<=#)C0\w{9}", lambda found: self.local.channels[found[0]].name, text)
        text = re.sub(r"(?<=@)U0\w{9}", lambda found: self.local.users[found[0]].name, text)
        only_for = f"only {self.local.users[message.ephemeral_to].name} sees this" if message.ephemeral_to else ""
        return Line(message.ts, self.local.users[message.user].name, text, files, only_for, where)


class OnDiscord:
    name, title = "discord", "Discord"
    beginning = "In `#general`, before anybody calls the bot."
    privately = f"In the thread, Ben types `/ask question:{IN_PRIVATE} private:True`."

    def __init__(self, local: discord.LocalDiscord) -> None:
        self.local = local
        self.called: Any = None
        self.asked: Any = None

    async def discuss(self, who: str, text: str) -> None:
        await self.local.say(who, "general", text)

    async def call(self, who: str, text: str) -> None:
        self.called = await self.local.say(who, "general", text)
        await self.local.wait_for(lambda: self.called.thread, PATIENCE)

    async def say(self, who: str, text: str, *files: Sent) -> None:
        attached = [discord.File(one.name, one.content, one.media_type) for one in files]
        await self.local.say(who, self.called.thread, text, attachments=attached)

    async def ask_privately(self) -> None:
        self.asked = await self.local.slash("ben", self.called.thread, "ask", question=IN_PRIVATE, private=True)

    async def share(self) -> None:
        with_button = next(one for one in self.asked.messages if "Share" in str(one.components))
        await self.local.click("ben", with_button, "Share")

    def lines(self) -> list[Line]:
        thread = self.local.messages(self.called.thread) if self.called and self.called.thread else []
        return [
            self._line(one) for one in [*self.local.messages("general"), *thread] if one.kind not in SYSTEM_MESSAGES
        ]

    def _line(self, message: discord.Message) -> Line:
        text = re.sub(r"<[@#&]+\d+>", lambda found: message.names.get(found[0], found[0]), message.content)
        buttons = [f"[{one['label']}]" for row in message.components for one in row["components"] if one.get("label")]
        names = tuple(one.file.name for one in message.attachments)
        only_for = f"only {self._name(self.local.user(message.only_for))} sees this" if message.only_for else ""
        text = "\n".join(filter(None, (text, " ".join(buttons))))
        return Line(message.id, self._name(message.author), text, names, only_for)

    def _name(self, user: discord.User) -> str:
        return user.shown or (user.name if user.is_bot else user.name.capitalize())


@dataclass
class Walk:
    """The story as it goes, and its page."""

    there: Any
    emulator: Emulator
    bobbin: Any
    page: list[str] = field(default_factory=list)
    told: set[object] = field(default_factory=set)

    @property
    def reached(self) -> list[dict[str, Any]]:
        return [one.body for one in self.emulator.requests if isinstance(one.body, dict)]

    @property
    def bots(self) -> list[str]:
        return [line.text for line in self.there.lines() if line.who.lower() == "bobbin"]

    async def until(self, true: Callable[[], object]) -> None:
        await self.there.local.wait_for(true, PATIENCE)

    async def answered(self, ask: str) -> dict[str, Any]:
        """Wait for the answer to *ask*; return what reached the service of it, which is all that did."""
        await self.until(lambda: any(plain(ANSWERS[ask].splitlines()[-1]) in plain(text) for text in self.bots))
        await self.bobbin.idle()
        return self.reached[-1]

    def tell(self, title: str, words: str, reached: dict[str, Any] | None = None) -> None:
        """Write down what is new."""
        new = [line for line in self.there.lines() if line.key not in self.told]
        self.told.update(line.key for line in new)
        self.page += [f"## {title}", filled(words), *blocks(new), "**What reaches the AI service:**"]
        self.page[-1] += "" if reached else " nothing."
        self.page += as_read(reached, is_first=len(self.reached) == 1) if reached else []


def plain(text: str) -> str:
    """Leave out what is shown in bold, and the numbers of a list: Slack shows these without their signs."""
    return re.sub(r"\*\*|^\d+\. ", "", text)


def blocks(lines: list[Line]) -> list[str]:
    return ["\n>\n".join(map(str, lines))] if lines else []


def as_read(body: dict[str, Any], *, is_first: bool) -> list[str]:
    references = [re.sub(r"^.*/", "https://bobbin.example.com/files/…/", link) for link in body.get("references", ())]
    how = "a new conversation" if not body.get("id") else "the same conversation"
    assert is_first is not bool(body.get("id")) or IN_PRIVATE in body["question"]
    with_files = f", with the file {' and '.join(f'`{link}`' for link in references)}" if references else ""
    return [f"In {how}{with_files}:", f"````text\n{body['question']}\n````"]


@pytest.fixture(params=["slack", "discord"])
def there(request: pytest.FixtureRequest) -> OnSlack | OnDiscord:
    local = request.getfixturevalue(f"local_{request.param}")
    local.add_user("cleo")
    return OnSlack(local) if request.param == "slack" else OnDiscord(local)


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the emulator say what stands in ANSWERS, after what it says of files."""

    def think(turn: mind.Turn, earlier: Any = ()) -> str:
        usual = mind.think(turn, earlier)
        of_files = [usual.split("\n\n")[0]] if usual.startswith("I've looked at") else []
        told = [said for asked, said in ANSWERS.items() if turn.question.endswith(asked)]
        return "\n\n".join([*of_files, *told]) if told else usual

    monkeypatch.setattr(answer, "think", think)


async def test_the_story_is_as_it_is_told(running: Any, there: Any, sqlite_url: str, emulator: Emulator) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        walk = Walk(there, emulator, bobbin)
        await discussion(walk)
        await files(walk)
        await follow_up(walk)
        await past_the_bot(walk)
        await mute(walk)
        await private(walk)
        assert len(walk.reached) == len(ANSWERS)
    page = "\n\n".join([opening(there), *walk.page]) + "\n"
    assert not re.search(r"127\.0\.0\.1|<@|\d{12}|\b[CTU]0[A-Z0-9]{9}\b", page), (
        "An address or an id would differ each time."
    )
    path = DOCS / f"walkthrough-{there.name}.md"
    if IS_WRITTEN:
        path.write_text(page, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page, "Look at what changed, then run this with WRITE_WALKTHROUGHS=1."


def opening(there: Any) -> str:
    words = (
        "Ada, Ben and Cleo talk about a pump, and Bobbin among them: beside what each of them sees stands, word for word, what "
        "reaches the AI service. A test plays this with the real bot against the stand-ins of the [sandbox](sandbox.md), and "
        "fails if it goes otherwise. Only the AI service's answers are written beforehand, except what it says of files: it "
        "was given these and read them. "
        "The row of buttons [under each answer](using.md#under-an-answer) is left out."
    )
    return f"# A walk-through on {there.title}\n\n{filled(words)}"


def filled(words: str) -> str:
    return textwrap.fill(words, 120, break_long_words=False, break_on_hyphens=False)


async def discussion(walk: Walk) -> None:
    for who, text in DISCUSSION:
        await walk.there.discuss(who, text)
    await walk.bobbin.idle()
    walk.tell("A discussion", walk.there.beginning)
    await walk.there.call("ada", f"@bobbin {SUMMARY}")
    body = await walk.answered(SUMMARY)
    assert said(body["question"]) == DISCUSSION
    assert body["question"].endswith(f"\n\n{SUMMARY}")
    walk.tell("The bot is called in", "It is told who said what, as quotations, and then what it is asked.", body)


async def files(walk: Walk) -> None:
    await walk.there.say("cleo", f"@bobbin {SHOWN}", PICTURE)
    body = await walk.answered(SHOWN)
    assert [link.rpartition("/")[2] for link in body["references"]] == [PICTURE.name]
    assert any("640×480" in text for text in walk.bots)
    walk.tell("A picture", "The AI service fetches it by a link of Bobbin's own, which soon expires.", body)
    await walk.there.say("ben", f"@bobbin {LOGGED}", LOG)
    body = await walk.answered(LOGGED)
    assert json.dumps(LOG.content.decode()) in body["question"]
    assert not body.get("references")
    walk.tell("A pasted log", "Text goes along as it is.", body)


async def follow_up(walk: Walk) -> None:
    await walk.there.say("ben", FOLLOW_UP)
    body = await walk.answered(FOLLOW_UP)
    assert not said(body["question"])
    walk.tell("A follow-up without a mention", "Ben just got an answer, so it is plain whom he asks.", body)


async def past_the_bot(walk: Walk) -> None:
    before = len(walk.bots)
    for who, text in PAST:
        await walk.there.say(who, text)
    await walk.bobbin.idle()
    assert len(walk.bots) == before
    walk.tell("Two people talk past the bot", "They talk to each other, and it keeps still.")


async def mute(walk: Walk) -> None:
    await walk.there.say("cleo", "@bobbin mute")
    await walk.until(lambda: any("quiet in this thread" in text for text in walk.bots))
    await walk.there.say("cleo", UNHEARD)
    await walk.bobbin.idle()
    walk.tell("Mute", "A 🔇 on one of the messages does the same.")
    await walk.there.say("cleo", f"@bobbin {CALLED}")
    body = await walk.answered(CALLED)
    assert said(body["question"]) == [*PAST, ("cleo", UNHEARD)]
    walk.tell(
        "Called all the same",
        "A mention is answered even there. What people said meanwhile, to each other, comes with it.",
        body,
    )
    await walk.there.say("cleo", "@bobbin unmute")
    await walk.until(lambda: any("no longer muted" in text for text in walk.bots))
    await walk.bobbin.idle()
    walk.tell("Unmute", "It follows the thread again.")


async def private(walk: Walk) -> None:
    there, seen = walk.there, public(walk)
    await there.ask_privately()
    body = await walk.answered(IN_PRIVATE)
    await walk.until(lambda: any("Share" in text for text in walk.bots))
    assert public(walk) == seen
    if before := said(body["question"]):  # without what the bot was told to do
        asked = [("ada", SUMMARY), ("cleo", SHOWN), ("ben", LOGGED), ("ben", FOLLOW_UP)]
        assert before == [*DISCUSSION, *asked, *PAST, ("cleo", UNHEARD), ("cleo", CALLED)]
    assert '"cleo"' in body["question"].lower()  # whose words it is about, or among
    walk.tell("A private question", there.privately, body)
    await there.share()
    await walk.until(lambda: len(public(walk)) > len(seen))
    await walk.bobbin.idle()
    (shared,) = public(walk)[len(seen) :]
    assert IN_PRIVATE in shared.text
    assert ANSWERS[IN_PRIVATE] in shared.text
    walk.tell("Shared afterwards", "Ben clicks **Share**, and all see question and answer, under his name.")


def public(walk: Walk) -> list[Line]:
    return [line for line in walk.there.lines() if not (line.only_for or line.where)]
