"""What is done on the page is saved as a script, and the script does it again: the same questions, the same messages."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bots import platforms
from sandbox import discord, slack
from sandbox.discord.commands import MESSAGE_COMMAND
from sandbox.discord.components import TEXT_INPUT, each
from sandbox.ledger import Row
from sandbox.line import Deed
from sandbox.page.server import served
from sandbox.recording import Recording
from sandbox.rehearsal import people_it
from sandbox.scenes.discord import clickables as on_discord
from sandbox.scenes.slack import clickables as on_slack
from sandbox.slack.forms import stated, values
from sandbox.stage import Stage, staged
from sandbox.terminal import play

PATIENCE = 40.0  # seconds
TEXT = {"name": "wool.txt", "kind": "text/plain", "content": base64.b64encode(b"Merino is soft.").decode()}


class Page:
    """Somebody at the page, who sees everything and clicks what stands there."""

    def __init__(self, stage: Stage, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.stage, self._socket, self._number = stage, socket, 0

    async def act(self, name: str, /, person: str = "ada", **fields: Any) -> Any:
        self._number += 1
        await self._socket.send_json({"act": name, "id": self._number, "person": person, **fields})
        async with asyncio.timeout(PATIENCE):
            while (told := await self._socket.receive_json()).get("done") != self._number:
                pass
        assert "error" not in told, told
        return told.get("result")

    async def answered(self, question: str) -> None:
        """Wait until there is an answer to that question, and all of it is shown."""

        def turns() -> list[Row]:
            return [one for one in self.stage.ledger.turns() if question in one.question]

        async with asyncio.timeout(PATIENCE):
            while not turns() or not all(one.shown for one in turns()):
                await asyncio.sleep(0.02)

    # Slack

    def room(self, name: str) -> str:
        return f"slack {self.stage.slack.channel(name).id}"

    def dm(self, person: str) -> str:
        return f"slack {self.stage.slack.open_dm(person).id}"

    async def seen(self, text: str) -> str:
        """The key of the newest message on Slack that has *text* in it."""
        return await self.stage.slack.wait_for(lambda: self._found(lambda one: text in slack.shown(one)), PATIENCE)

    async def click(self, person: str, text: str, label: str, **more: Any) -> None:
        """Click what is called *label* in the newest message on Slack with *text*."""

        def fits(one: slack.Message) -> bool:
            return text in slack.shown(one) and label in [each.label for each in on_slack(one.blocks)]

        key = await self.stage.slack.wait_for(lambda: self._found(fits), PATIENCE)
        [message] = [one for one in self._messages() if _key(one) == key]
        found = next(one for one in on_slack(message.blocks) if one.label == label)
        await self.act("slack.click", person, message=key, action=found.action, value=found.value, **more)

    async def form(self, person: str) -> dict[str, Any]:
        def opened() -> dict[str, Any] | None:
            return self.stage.slack.form(person)

        found = await self.stage.slack.wait_for(opened, PATIENCE)
        assert found
        return found

    def _messages(self) -> list[slack.Message]:
        there = [one for channel in self.stage.slack.channels for one in self.stage.slack.messages(channel)]
        return sorted(there, key=lambda one: one.ts)

    def _found(self, fits: Callable[[slack.Message], bool]) -> str:
        return next((_key(one) for one in reversed(self._messages()) if fits(one)), "")

    # Discord

    def place(self, name: str) -> str:
        return f"discord {self.stage.discord.channel(name).id}"

    async def shown(self, text: str) -> discord.Message:
        """The newest message on Discord that has *text* in it."""

        def there() -> discord.Message | None:
            channels = self.stage.discord.world.channels.values()
            found = [one for channel in channels for one in channel.messages.values() if text in discord.shown(one)]
            return max(found, key=lambda one: one.id, default=None)

        found = await self.stage.discord.wait_for(there, PATIENCE)
        assert found
        return found

    async def press(self, person: str, text: str, label: str) -> None:
        """Press what is called *label* in the newest message on Discord with *text*."""

        def there() -> tuple[discord.Message, Any] | None:
            channels = self.stage.discord.world.channels.values()
            messages = sorted((one for each in channels for one in each.messages.values()), key=lambda one: -one.id)
            fitting = (one for one in messages if text in discord.shown(one))
            pairs = ((one, button) for one in fitting for button in on_discord(one) if button.is_called(label))
            return next(pairs, None)

        found = await self.stage.discord.wait_for(there, PATIENCE)
        assert found
        message, button = found
        values = list(button.values)
        await self.act("discord.click", person, message=_name(message), action=button.custom_id, values=values)

    async def modal(self, person: str) -> discord.Interaction:
        found = await self.stage.discord.wait_for(lambda: self.stage.discord.form(person), PATIENCE)
        assert found
        return found


def _key(message: slack.Message) -> str:
    return f"slack {message.channel} {message.ts}"


def _name(message: discord.Message) -> str:
    return f"discord {message.channel.id} {message.id}"


async def on_slack_people(page: Page) -> None:
    """All that the page has for Slack."""
    await page.act("slack.say", "cleo", place=page.room("random"), text="The 5 V model is out of stock.")
    stock = await page.seen("out of stock")
    await page.act("slack.shortcut", "ben", entry=_shortcut(page, "message"), message=stock)
    await page.act("slack.close", "ben", view=f"slack {(await page.form('ben'))['id']}")
    await page.act("slack.shortcut", "ben", entry=_shortcut(page, "message"), message=stock)
    form = await page.form("ben")
    given = _answers(form, question="say exactly: order it\nelsewhere", audience="private")
    await page.act("slack.submit", "ben", view=f"slack {form['id']}", values=given)
    await page.answered("order it")
    await page.click("ben", "elsewhere", "Share")
    shared = await page.seen("ben asked")
    await page.act("slack.react", "ada", message=shared, name="eyes")

    await page.act("slack.shortcut", "ada", entry=_shortcut(page, "global"))
    form = await page.form("ada")
    told = await page.act(
        "slack.submit", "ada", view=f"slack {form['id']}", values=_answers(form, question="say exactly: in general")
    )
    assert told  # no channel was chosen
    room = page.stage.slack.channel("general").id
    given = _answers(form, question="say exactly: in general", channel=room, preset="brief")
    await page.act("slack.submit", "ada", view=f"slack {form['id']}", values=given)
    root = await page.seen("say exactly: in general")
    await page.answered("in general")
    await page.act("slack.say", "ben", place=page.room("general"), thread=root, text="@bobbin say exactly: and on")
    await page.answered("and on")
    await page.act("slack.say", "dana", place=page.room("general"), text="@bobbin say exactly: nach unten")
    await page.answered("nach unten")
    await page.click("dana", "nach unten", "Schlechte Antwort")
    form = await page.form("dana")
    [block] = [one for one in form["blocks"] if one["type"] == "input"]
    words = {"type": "plain_text_input", "value": "too\nshort"}
    given = {block["block_id"]: {block["element"]["action_id"]: words}}
    await page.act("slack.submit", "dana", view=f"slack {form['id']}", values=given)
    await page.click("ada", "in general", "Good answer")

    mine = page.dm("ada")
    await page.act("slack.say", "ada", place=mine, text="Write 900 words about yarn.")
    await page.seen("yarn")
    [(channel, thread)] = await page.stage.slack.wait_for(
        lambda: [where for where, one in page.stage.slack.sessions.items() if one.status == "processing"], PATIENCE
    )
    await page.stage.slack.wait_for(lambda: len(page.stage.slack.messages(channel, thread)) > 1, PATIENCE)
    await page.act("slack.stop", "ada", thread=f"slack {channel} {thread}")
    await page.answered("about yarn")


async def on_discord_people(page: Page) -> None:
    """All that the page has for Discord."""
    await page.act("discord.say", "cleo", place=page.place("random"), text="The 3 V model is out of stock.")
    stock = await page.shown("out of stock")
    await page.act("discord.menu", "ben", message=_name(stock), entry=_entry(page, "Ask"))
    asked = await page.modal("ben")
    await page.act("discord.close", "ben", view=f"discord modal {asked.id}")
    await page.act("discord.menu", "ben", message=_name(stock), entry=_entry(page, "Ask"))
    asked = await page.modal("ben")
    given = _fields(asked, "say exactly: it comes\non Monday", "me")
    await page.act("discord.submit", "ben", view=f"discord modal {asked.id}", values=given)
    await page.answered("it comes")
    await page.press("ben", "on Monday", "Share")
    await page.shown("** asked:")
    await page.act("discord.say", "dana", place=page.place("general"), text="@bobbin say exactly: one", files=[TEXT])
    await page.answered("exactly: one")
    await page.act("discord.say", "dana", place=page.place("general"), text="@bobbin say exactly: two")
    await page.answered("exactly: two")
    answer = await page.shown("two")
    await page.press("dana", "one", "👎")
    asked = await page.modal("dana")
    [name] = [one["custom_id"] for _, one in each((asked.modal or {})["components"]) if "custom_id" in one]
    await page.act("discord.submit", "dana", view=f"discord modal {asked.id}", values={name: "too short"})
    await page.act("discord.react", "ada", message=_name(await page.shown("out of stock")), name="👀")
    await page.act("discord.say", "ben", place=page.place("random"), text="Which?", reply_to=_name(stock))
    asked_for = await page.shown("Which?")
    await page.act("discord.edit", "ben", message=_name(asked_for), text="Which one?")
    await page.act("discord.thread", "cleo", message=_name(asked_for), title="That one")
    side = page.stage.discord.threads()[-1]
    await page.act("discord.say", "cleo", place=f"discord {side.id}", text="@bobbin say exactly: in a thread of theirs")
    await page.answered("in a thread of theirs")
    thread = f"discord {answer.channel.id}"
    await page.act("discord.say", "dana", place=thread, text="say exactly: three")
    await page.answered("exactly: three")
    await page.act("discord.post", "ben", place=page.place("ideas"), title="Looms", text="@bobbin say exactly: weave")
    await page.answered("exactly: weave")
    await page.act("discord.say", "ben", place=page.place("random"), text="/ask say exactly: asked")
    await page.answered("exactly: asked")
    await page.act("discord.delete", "ada", message=_name(stock))


@pytest.mark.parametrize("people", [on_slack_people, on_discord_people])
async def test_all_that_the_page_can_do_is_done_again_by_its_script(
    people: Callable[[Page], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOBBIN_QUESTIONS__BUTTONS", "true")
    async with staged(platforms.settings()) as stage:
        people_it(stage)
        recording = Recording(stage)
        async with served(stage, recording, port=0) as page, aiohttp.ClientSession() as session:
            origin = {"Origin": page.address.rstrip("/")}
            async with session.ws_connect(f"{page.address}feed", headers=origin, max_msg_size=0) as socket:
                await stage.until_ready()
                await people(Page(stage, socket))
        script, asked, seen = recording.text, questions(stage), messages(stage)
    assert "not written:" not in script
    async with staged(platforms.settings()) as stage:
        people_it(stage)
        again = Recording(stage)
        await play(stage, again, ("again.txt", script), asyncio.Event())
        assert questions(stage) == asked
        assert messages(stage) == seen
        assert steps(again) == steps(recording)


def steps(recording: Recording) -> list[str]:
    """What was done; not when, for whether a question is still open at that moment is chance."""
    return [line for line in recording.text.split("\n")[1:] if line != f":{Deed.MEANWHILE}"]


def questions(stage: Stage) -> list[str]:
    """What went to the AI service."""
    bodies: list[Any] = [one.body for one in stage.emulator.requests]
    return [_nameless(stage, f"{one['model']}: {one['question']}") for one in bodies if "question" in one]


def messages(stage: Stage) -> list[tuple[str, ...]]:
    """All that stands on both platforms: where, in which thread, by whom, what, for whom."""
    local, world = stage.slack, stage.discord.world
    there: list[tuple[str, ...]] = [
        (
            channel.name or " ".join(sorted(local.user(one).name for one in channel.members)),
            "› " if one.thread_ts else "",
            local.user(one.user).name,
            _nameless(stage, slack.shown(one)),
            one.ephemeral_to and local.user(one.ephemeral_to).name,
        )
        for channel in local.channels.values()
        for one in local.messages(channel)
    ]
    return there + [
        (
            one.name or str(one.recipient_id and world.users[one.recipient_id].name),
            "",
            message.author.name,
            _nameless(stage, discord.shown(message)),
            world.users[message.only_for].name if message.only_for else "",
        )
        for one in sorted(world.channels.values(), key=lambda one: one.id)
        for message in one.messages.values()
    ]


def _nameless(stage: Stage, text: str) -> str:
    """*text* with names in place of ids, which are others each time."""
    local, world = stage.slack, stage.discord.world
    names = {user.id: user.name for user in local.users.values()}
    names |= {channel.id: channel.name for channel in local.channels.values()}
    names |= {str(user.id): user.name for user in world.users.values()}
    names |= {str(place.id): place.name for place in world.channels.values()}
    named = re.sub(r"\d{17,}|[A-Z0-9]{11}", lambda found: names.get(found[0], "some id"), text)
    return re.sub(r".*\nStopped\.", "Stopped.", named, flags=re.DOTALL)  # how far it had come is chance


def _shortcut(page: Page, kind: str) -> str:
    return next(one["callback_id"] for one in page.stage.shortcuts if one["type"] == kind)


def _entry(page: Page, begins: str) -> str:
    declared = page.stage.discord.world.commands.all(None)
    return next(str(one["name"]) for one in declared if one["type"] == MESSAGE_COMMAND and begins in one["name"])


def _answers(form: dict[str, Any], **wanted: str) -> dict[str, Any]:
    """What the page sends of Bobbin's form on Slack when that was filled in."""
    inputs = {one["block_id"]: one["element"] for one in form["blocks"] if one["type"] == "input"}
    return {
        name: {element["action_id"]: stated(element, [wanted[name]] if name in wanted else values(element, None))}
        for name, element in inputs.items()
    }


def _fields(asked: discord.Interaction, question: str, audience: str) -> dict[str, Any]:
    """What the page sends of Bobbin's form on Discord."""
    inputs = [one for _, one in each((asked.modal or {})["components"]) if "custom_id" in one]
    return {one["custom_id"]: question if one["type"] == TEXT_INPUT else [audience] for one in inputs}
