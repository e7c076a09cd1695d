"""What is done on the page and in the terminal, as a script, and that the script does it again."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from sandbox.bot import State as Process
from sandbox.discord import LocalDiscord
from sandbox.ledger import Ledger
from sandbox.line import Deed, Line
from sandbox.page import acts
from sandbox.page.discord import DiscordView
from sandbox.page.faults import Faults
from sandbox.page.feed import Feed
from sandbox.page.slack import SlackView
from sandbox.recording import Recording
from sandbox.script import read_script
from sandbox.slack import LocalSlack, shown
from sandbox.stage import Hearing, Stage
from sandbox.upstream import Emulator

BUTTONS: list[dict[str, Any]] = [
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}, "value": "1"}
        ],
    }
]


class Gone:
    """A bot that isn't there."""

    state, life, health, is_running = Process.ENDED, 0, "", False


class Both:
    """A stage without a bot, its page, and what was done there."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.recording = Recording(stage)
        feed = Feed({})
        self._acts = {
            **acts.OnSlack(stage.slack, SlackView(stage.slack, feed, ())).acts,
            **acts.OnDiscord(stage.discord, DiscordView(stage.discord, feed)).acts,
            **Faults(stage, feed).acts,
        }

    async def act(self, name: str, /, **fields: Any) -> None:
        fields = {"act": name, "person": "ada", **fields}
        with self.recording.of(fields):
            await acts.perform(self._acts, fields)

    @property
    def lines(self) -> list[str]:
        return self.recording.text.rstrip("\n").split("\n")[2:]

    @property
    def said(self) -> list[tuple[str, str, str]]:
        """Everything that stands in both worlds: where, by whom, what."""
        slack, discord = self.stage.slack, self.stage.discord
        there = [
            (channel.name, slack.user(one.user).name, f"{'› ' if one.thread_ts else ''}{shown(one)}")
            for channel in slack.channels.values()
            for one in slack.messages(channel)
        ]
        return there + [
            (channel.name, one.author.name, one.content)
            for channel in discord.world.channels.values()
            for one in channel.messages.values()
        ]

    def channel(self, name: str) -> str:
        return f"slack {self.stage.slack.channel(name).id}"

    def place(self, name: str) -> str:
        return f"discord {self.stage.discord.channel(name).id}"

    def newest(self, name: str) -> str:
        found = self.stage.slack.messages(name)[-1]
        return f"slack {found.channel} {found.ts}"

    def newest_on_discord(self, name: str) -> str:
        found = self.stage.discord.messages(name)[-1]
        return f"discord {found.channel.id} {found.id}"


@asynccontextmanager
async def both_worlds(folder: Path) -> AsyncIterator[Both]:
    async with AsyncExitStack() as parts:
        slack = await parts.enter_async_context(LocalSlack())
        discord = await parts.enter_async_context(LocalDiscord())
        emulator = await parts.enter_async_context(Emulator())
        for user in [one for one in slack.users.values() if not one.is_bot]:
            slack.open_dm(user)
        ledger = Ledger(folder / "none.db")
        yield Both(Stage(cast("Any", Gone()), Hearing(), ledger, slack, discord, emulator, emulator.url, {}))


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    async with both_worlds(tmp_path) as made:
        yield made


async def play(script: str, both: Both) -> None:
    for line in read_script(script, "again.txt", both.recording.scenes):
        await both.recording.do(line)


async def test_what_is_done_on_the_page_is_a_script_that_does_it_again(both: Both, tmp_path: Path) -> None:
    general, random = both.channel("general"), both.channel("random")
    await both.act("slack.say", place=general, text="one\nand two: \u2028 three")
    first = both.newest("general")
    await both.act("slack.say", person="ben", place=random, text=":kill")
    await both.act("slack.say", person="ben", place=general, thread=first, text="in a thread")
    await both.act("slack.edit", message=first, text="other")
    await both.act("slack.react", message=both.newest("random"), name="eyes")
    await both.act("slack.delete", person="ben", message=both.newest("random"))
    dm = f"slack {both.stage.slack.open_dm('ada').id}"
    file = {"name": "a.txt", "kind": "text/plain", "content": base64.b64encode(b"hi").decode()}
    await both.act("slack.say", place=dm, text="look", files=[file])
    await both.act("discord.say", place=both.place("general"), text="there")
    await both.act("discord.edit", message=both.newest_on_discord("general"), text="changed")
    await both.act("discord.post", place=both.place("ideas"), title="A title", text="its text")
    post = both.stage.discord.threads()[-1]
    await both.act("discord.say", person="ben", place=f"discord {post.id}", text="to the post")
    await both.act("fault.redeliver", on=True)
    await both.act("fault.redeliver", on=False)
    assert both.lines == [
        "slack ada #general: one",
        "  | and two: \u2028 three",
        "slack ben #random: \\:kill",
        "slack ben thread 1: in a thread",
        "slack ada #general: :edit other",
        "slack ada #random: :react eyes",
        "slack ben #random: :delete",
        'slack ada dm: :file "a.txt" data:text/plain;base64,aGk= look',
        "discord ada #general: there",
        "discord ada #general: :edit changed",
        "discord ada #ideas: A title",
        "  | its text",
        "discord ben thread 2: to the post",
        ":fault redeliver",
        ":fault redeliver off",
    ]
    async with both_worlds(tmp_path) as again:
        await play(both.recording.text, again)
        assert again.said == both.said
        assert again.recording.text.split("\n")[1:] == both.recording.text.split("\n")[1:]


async def test_a_button_is_named_by_what_stands_on_it(both: Both) -> None:
    await both.stage.slack.say("bobbin", "general", "an answer", blocks=BUTTONS)
    with pytest.raises(acts.CantBeDone):
        await both.act("slack.click", message=both.newest("general"), action="nothing")
    assert not both.lines
    fields = {"act": "slack.click", "person": "ada", "message": both.newest("general"), "action": "stop"}
    with both.recording.of(fields):
        pass
    assert both.lines == ["slack ada #general: :click Stop"]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"act": "slack.submit", "view": "slack V1"}, "something"),
        ({"act": "slack.click", "view": "slack V1", "action": "a", "person": "ada"}, "something"),
        ({"act": "slack.say", "place": "slack nowhere", "text": "hi"}, "something"),
        ({"act": "discord.menu"}, "something"),
        ({"act": "discord.say"}, "something"),
    ],
)
async def test_what_a_script_has_no_words_for_is_said_in_it(both: Both, fields: dict[str, Any], what: str) -> None:
    fields = {"person": "ada\n:kill", **fields}
    with both.recording.of(fields):
        pass
    assert both.lines == [f"# not written: {fields['act']}, {what} by {fields['person']!r}"]
    assert not list(read_script(both.recording.text, "again.txt", both.recording.scenes))


async def test_an_older_message_is_reached_by_how_many_are_newer(both: Both, tmp_path: Path) -> None:
    general, there = both.channel("general"), both.place("general")
    for text in ("one", "two"):
        await both.act("slack.say", place=general, text=text)
        await both.act("discord.say", place=there, text=text)
    one, two = [f"{general} {message.ts}" for message in both.stage.slack.messages("general")]
    first, second = [f"{there} {message.id}" for message in both.stage.discord.messages("general")]
    for person in ("ada", "ben", "ada"):  # once more takes it back
        await both.act("slack.react", person=person, message=one, name="eyes")
        await both.act("discord.react", person=person, message=first, name="👀")
    await both.act("slack.edit", message=one, text="other")
    await both.act("slack.delete", message=two)
    await both.act("discord.say", person="ben", place=there, text="why?", reply_to=first)
    await both.act("discord.thread", person="ben", message=second, title="Side")
    side = both.stage.discord.threads()[-1]
    await both.act("discord.say", place=f"discord {side.id}", text="in it")
    await both.act("discord.delete", person="ada", message=both.newest_on_discord("general"))  # she keeps order
    assert both.lines[4:] == [
        *("slack ada #general back 1: :react eyes", "discord ada #general back 1: :react 👀"),
        *("slack ben #general back 1: :react eyes", "discord ben #general back 1: :react 👀"),
        *("slack ada #general back 1: :react eyes", "discord ada #general back 1: :react 👀"),
        "slack ada #general back 1: :edit other",
        "slack ada #general: :delete",
        "discord ben #general back 1: :reply why?",
        "discord ben #general back 1: :thread Side",
        "discord ada thread 2: in it",
        "discord ada #general: :delete ben",
    ]
    async with both_worlds(tmp_path) as again:
        await play(both.recording.text, again)
        assert again.said == both.said
        assert again.lines == both.lines
        [message] = again.stage.slack.messages("general")
        assert [len(one.users) for one in message.reactions] == [1]


async def test_a_thread_that_nobody_began_is_called_by_its_first_words(both: Both, tmp_path: Path) -> None:
    async def begin(worlds: Both) -> None:
        await worlds.stage.slack.say("bobbin", "general", 'ada asks: "Where is\nthe wool?"')

    await begin(both)
    root = both.newest("general")
    await both.act("slack.say", place=both.channel("general"), thread=root, text="here")
    await both.act("slack.react", message=both.newest("general"), name="eyes")
    assert both.lines == [
        'slack ada thread "ada asks: Where is the wool?": here',
        'slack ada thread "ada asks: Where is the wool?": :react eyes',
    ]
    async with both_worlds(tmp_path) as again:
        await begin(again)
        await play(both.recording.text, again)
        assert again.said == both.said


async def test_files_come_along_with_whatever_is_said(both: Both, tmp_path: Path) -> None:
    files = [{"name": name, "kind": "text/plain", "content": base64.b64encode(b"hi").decode()} for name in ("a", "b")]
    there = both.place("general")
    await both.act("slack.say", place=both.channel("general"), text=":kill", files=files)
    await both.act("discord.say", place=there, text="look", files=files)
    await both.act("discord.say", place=there, text="", reply_to=both.newest_on_discord("general"), files=files)
    await both.act("discord.post", place=both.place("ideas"), title="Wool", text="and this", files=files)
    written = ':file "a" data:text/plain;base64,aGk= :file "b" data:text/plain;base64,aGk='
    assert both.lines == [
        f"slack ada #general: {written} \\:kill",
        f"discord ada #general: {written} look",
        f"discord ada #general: :reply {written}",
        f"discord ada #ideas: {written} Wool",
        "  | and this",
    ]
    with pytest.raises(acts.CantBeDone, match="take no files"):
        await both.act("slack.say", place=both.channel("general"), text="/bobbin hello", files=files)
    async with both_worlds(tmp_path) as again:
        await play(both.recording.text, again)
        assert again.said == both.said
        post = again.stage.discord.threads()[-1]
        assert [one.file.name for one in again.stage.discord.messages(post)[0].attachments] == ["a", "b"]


async def test_what_is_refused_is_not_written_down(both: Both) -> None:
    for fields in ({"act": "fault.kill"}, {"act": "slack.say", "place": both.channel("general"), "text": " "}):
        with pytest.raises(acts.CantBeDone):
            await both.act(fields.pop("act"), **fields)
    assert not both.lines


async def test_it_keeps_the_newest_lines(both: Both) -> None:
    both.recording = Recording(both.stage, most_lines=2)
    for number in range(4):
        await both.recording.do(Line("slack", "ada", "#general", f"line {number}"))
    assert both.lines == [
        "# The first 2 lines are not kept.",
        "slack ada #general: line 2",
        "slack ada #general: line 3",
    ]


async def test_who_goes_on_is_no_line_of_its_own(both: Both) -> None:
    await both.recording.do(Line("slack", "ben", "", "", deed=Deed.AS))
    assert not both.lines
