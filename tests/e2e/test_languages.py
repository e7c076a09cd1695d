"""The whole bot: everybody reads what it says itself in their own language."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from bots.reply.page import Wish
from bots.slack.buttons import FEEDBACK
from bots.slack.finished import WHY
from bots.slack.form import ABOUT_MESSAGE
from core.language import catalogue, say, say_n, speaking
from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack, Message, shown
from sandbox.upstream import Emulator
from tests.conftest import POSTGRES
from tests.e2e.conftest import PATIENCE

if TYPE_CHECKING:
    from sandbox.discord import Message as DiscordMessage

_ENGLISH_WORDS = re.compile(r"\b(?:the|you|your|this|that|please|can't|don't|isn't|I'm|with|what|of)\b", re.IGNORECASE)
NO_ACCESS = "I can't use the AI service because my access to it isn't working. Please tell the person who runs me."
REFUSED = "The AI service won't answer this. Try asking differently."


@pytest.fixture(params=["sqlite", *POSTGRES])
def database_url(request: pytest.FixtureRequest) -> str:
    fixture = "sqlite_url" if request.param == "sqlite" else f"{request.param}_postgres"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def german(local_slack: LocalSlack, local_discord: LocalDiscord) -> str:
    local_slack.join(local_slack.add_user("greta", locale="de-DE"), "general")
    local_discord.add_user("greta", locale="de", manages_guild=True)
    return "greta"


def translated(sentence: str, language: str) -> str:
    with speaking(language):
        said = say(sentence)
    assert language == "en" or said != sentence
    return said


def answers(local: LocalSlack, root: Message) -> list[str]:
    return [shown(one) for one in local.messages(root.channel, root.ts) if one.bot_id == local.bot_id]


def said(local: LocalDiscord, where: Any) -> list[str]:
    return [one.content for one in local.messages(where) if one.author.is_bot and one.content]


async def answered(local: LocalDiscord, mention: DiscordMessage) -> str:
    """What the bot said first in the thread of *mention*."""

    def first() -> str | None:
        return next(iter(said(local, mention.thread)), None) if mention.thread else None

    return str(await local.wait_for(first, PATIENCE))


# Whose language


async def test_in_one_thread_in_slack_each_reads_their_own(
    running: Any, local_slack: LocalSlack, german: str, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.replace({"invalid_token": True})
    async with running(sqlite_url, "slack") as bobbin:
        root = await local_slack.say(german, "general", "@bobbin Wie geht das?")
        await local_slack.wait_for(lambda: answers(local_slack, root), PATIENCE)
        await local_slack.say("ada", "general", "@bobbin How?", root.ts)
        await local_slack.wait_for(lambda: len(answers(local_slack, root)) == 2, PATIENCE)
        await bobbin.idle()
    first, second = answers(local_slack, root)
    assert translated(NO_ACCESS, "de") in first
    assert "(Referenz: " in first
    assert "[Noch einmal versuchen]" in first
    assert NO_ACCESS in second
    assert "[Try again]" in second


async def test_in_one_channel_in_discord_each_reads_their_own(
    running: Any, local_discord: LocalDiscord, german: str, sqlite_url: str, emulator: Emulator
) -> None:
    """Whoever has given a command has told their language by that, also for what they say later."""
    local = local_discord
    local.add_user("kenji", locale="ja")
    emulator.faults.replace({"forbidden": True})
    async with running(sqlite_url, "discord") as bobbin:
        asked = await local.slash("kenji", "general", "ask", question="どうすれば？")
        await local.wait_for(lambda: any("`" in one.content for one in asked.messages), PATIENCE)
        assert translated(REFUSED, "ja") in asked.messages[-1].content
        helped = await local.slash(german, "general", "help")
        await local.wait_for(lambda: helped.messages, PATIENCE)
        assert helped.messages[0].content.startswith("Erwähne mich mit einer Frage")
        assert "`/nochmal`" in helped.messages[0].content
        assert "`/preset setzen modell:MODEL`" in helped.messages[0].content
        texts = []
        for who in ("kenji", german, "ada"):
            mention = await local.say(who, "general", "@bobbin ?")
            texts.append(await answered(local, mention))
        await bobbin.idle()
    assert [
        translated(REFUSED, language) in text for language, text in zip(("ja", "de", "en"), texts, strict=True)
    ] == [
        True,
        True,
        True,
    ]


async def test_who_is_not_known_in_discord_reads_what_a_community_speaks(
    running: Any, local_discord: LocalDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    local_discord.make_community("fr")
    emulator.faults.replace({"forbidden": True})
    async with running(sqlite_url, "discord"):
        mention = await local_discord.say("ben", "general", "@bobbin ?")
        assert translated(REFUSED, "fr") in await answered(local_discord, mention)


async def test_of_whom_nothing_is_known_reads_what_is_set(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    """Slack isn't asked who somebody is where names are not told; Discord's messages tell nothing."""
    emulator.faults.replace({"forbidden": True})
    async with running(sqlite_url, side.name, language="es", questions={"names": False}):
        thread = await side.open(1, "?")
        await side.until(lambda: any(is_bot for is_bot, _ in side.said(thread)))
        assert any(translated(REFUSED, "es") in text for is_bot, text in side.said(thread) if is_bot)


async def test_a_turn_keeps_its_language_over_a_restart(
    running: Any, local_slack: LocalSlack, german: str, database_url: str, emulator: Emulator
) -> None:
    """Whoever takes it up knows nothing of its asker but what is recorded."""
    emulator.first_delay = 2 * PATIENCE
    async with running(database_url, "slack", shutdown_grace=0):
        root = await local_slack.say(german, "general", "@bobbin Wie?")
        async with asyncio.timeout(PATIENCE):
            while not emulator.requests:
                await asyncio.sleep(0.01)
    emulator.first_delay = 0
    emulator.faults.replace({"forbidden": True})
    async with running(database_url, "slack", questions={"names": False}) as bobbin:
        await local_slack.wait_for(lambda: answers(local_slack, root), PATIENCE)
        await bobbin.idle()
    assert translated(REFUSED, "de") in answers(local_slack, root)[0]


# Commands


async def test_words_of_ones_own_language_give_commands(
    running: Any, local_slack: LocalSlack, german: str, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        root = await local_slack.say(german, "general", "@bobbin hilfe")
        await local_slack.wait_for(lambda: answers(local_slack, root), PATIENCE)
        assert "Erwähne mich mit einer Frage" in answers(local_slack, root)[0]
        assert "stumm" in answers(local_slack, root)[0]
        assert not emulator.requests
        await local_slack.say("ada", "general", "@bobbin help", root.ts)
        await local_slack.wait_for(lambda: len(answers(local_slack, root)) == 2, PATIENCE)
        assert answers(local_slack, root)[1].startswith("Mention me with a question")
        assert not emulator.requests
        await local_slack.say("ada", "general", "@bobbin hilfe", root.ts)
        await local_slack.wait_for(lambda: len(answers(local_slack, root)) == 3, PATIENCE)
        await local_slack.say(german, "general", "@bobbin say exactly: hilfe", root.ts)
        await local_slack.wait_for(lambda: "hilfe" in answers(local_slack, root)[-1:], PATIENCE)
        await bobbin.idle()
    assert len(emulator.requests) == 2, "to ada it is a question like any, and so is a sentence with it"


async def test_a_slash_command_in_slack_is_answered_in_the_language_of_who_gave_it(
    running: Any, local_slack: LocalSlack, german: str, sqlite_url: str
) -> None:
    async with running(sqlite_url, "slack"):
        told = await local_slack.command(german, "general", "/bobbin", "stumm")
        assert "mute geht nur im Thread" in _words(told)
        told = await local_slack.command("ada", "general", "/bobbin", "mute")
        assert "To mute, go to the thread" in _words(told)


def _words(interaction: Any) -> str:
    return "\n".join(one.text for one in interaction.messages)


async def test_words_about_listening_are_understood_in_discord_too(
    running: Any, local_discord: LocalDiscord, german: str, sqlite_url: str, emulator: Emulator
) -> None:
    local = local_discord
    async with running(sqlite_url, "discord") as bobbin:
        helped = await local.slash(german, "general", "help")
        await local.wait_for(lambda: helped.messages, PATIENCE)
        mention = await local.say(german, "general", "@bobbin say exactly: eins")
        assert await answered(local, mention) == "eins"
        assert mention.thread
        await local.say(german, mention.thread, "@bobbin Stumm!")
        await local.wait_for(lambda: len(said(local, mention.thread)) == 2, PATIENCE)
        assert said(local, mention.thread)[1].startswith("OK, ich bin in diesem Thread still")
        await bobbin.idle()
    assert len(emulator.requests) == 1


async def test_who_is_being_answered_stops_that_by_a_word_of_their_own_language(
    running: Any, side: Any, german: str, sqlite_url: str, emulator: Emulator
) -> None:
    """Without a mention, since the answer is on its way; also where nothing else is heard without one."""
    emulator.pace = 0.05
    presets = {"default": {"model": "gpt-5.1", "follow": "mention"}}
    text = "@bobbin say exactly: " + "Rund und rund geht es. " * 70

    def told(count: int) -> Any:
        return lambda: len([one for one in side.said(thread) if one[0]]) >= count

    async with running(sqlite_url, side.name, presets=presets) as bobbin:
        if side.name == "discord":
            helped = await side.local.slash(german, "general", "help")
            await side.until(lambda: helped.messages)
        root = await side.local.say(german, "general", text)
        thread = root
        await side.until(told(1))
        await side.until(lambda: "Stopp" in buttons(side.local, root))
        for words in ("Das ist ja lang.", "Stopp!"):
            where = ("general", words, root.ts) if side.name == "slack" else (root.thread, words)
            await side.local.say(german, *where)
        await side.until(lambda: any("Gestoppt." in text for is_bots, text in side.said(thread) if is_bots))
        await bobbin.idle()
    assert len(emulator.requests) == 1


def buttons(local: Any, root: Any) -> str:
    if isinstance(local, LocalSlack):
        return str([one.blocks for one in local.messages(root.channel, root.ts)])
    return str([one.components for one in local.messages(root.thread)])


async def test_discord_knows_the_commands_in_all_languages(
    running: Any, local_discord: LocalDiscord, sqlite_url: str
) -> None:
    async with running(sqlite_url, "discord"):
        pass
    commands = {one["name"]: one for one in local_discord.world.commands.all(None)}
    assert commands["ask"]["name_localizations"]["de"] == "fragen"
    assert commands["ask"]["name_localizations"]["ja"] == "質問する"
    assert commands["ask"]["options"][0]["description_localizations"]["pt-BR"] == "O que você quer saber?"
    assert "zh-TW" not in commands["ask"]["name_localizations"]
    assert commands["Summarise from here"]["name_localizations"]["fr"] == "Résumer à partir d’ici"


# What is left in English


def english() -> list[re.Pattern[str]]:
    """What a sentence of ours looks like in English, whatever stands in place of its values."""
    found = []
    for (context, sentence), said_ in catalogue("de").forms.items():
        words = re.sub(r"`[^`]*`", "", sentence)
        if context or len(re.findall(r"[a-z]{2,}", re.sub(r"\{\w+\}", "", words))) < 3 or sentence in said_.values():
            continue
        parts = [re.escape(part) for part in re.split(r"\{\w+\}", sentence)]
        found.append(re.compile(".{0,300}?".join(parts), re.DOTALL))
    return found


def check_no_english(texts: list[str]) -> None:
    patterns = english()
    assert len(patterns) > 150
    # What was never made a sentence to be looked up is in no catalogue.
    words = [text for text in texts if _ENGLISH_WORDS.search(re.sub(r"`[^`]*`", "", text))]
    assert not words
    left = [(pattern.pattern, text) for text in texts for pattern in patterns if pattern.search(text)]
    assert not left


async def test_a_german_walk_through_slack_meets_no_english_sentence_of_ours(
    running: Any, local_slack: LocalSlack, german: str, sqlite_url: str, emulator: Emulator
) -> None:
    local, told = local_slack, list[str]()

    async def command(text: str, channel: str = "general") -> None:
        interaction = await local.command(german, channel, "/bobbin", text)
        told.extend(one.text + str(one.blocks) for one in interaction.messages)
        told.extend(str(local.views[view]) for view in interaction.views)

    emulator.faults.replace({"retired": "gpt-nix-9"})
    async with running(sqlite_url, "slack", limits={"question": 500}) as bobbin:
        root = await local.say(german, "general", "@bobbin say exactly: eins")
        count = 0

        async def say_and_wait(text: str, true: Callable[[], object] | None = None) -> None:
            nonlocal count
            count = len(answers(local, root))
            await local.say(german, "general", f"@bobbin {text}", root.ts)
            await local.wait_for(true or (lambda: len(answers(local, root)) > count), PATIENCE)
            await bobbin.idle()

        await local.wait_for(lambda: answers(local, root), PATIENCE)
        for text in (
            "help",
            "preset show",
            "preset set",
            "preset set follow",
            "preset set pirat",
            "preset set instructions Fass dich kurz",
            "preset reset",
            "x" * 501,
            "mute",
            "unmute",
            "leave",
            "reset",
            "retry",
            "model",
            "model gpt-4o",
            "model reset",
            "model gpt-nix-9",
            "stopp",
        ):
            await say_and_wait(text)
        for fault in ("forbidden", "invalid_token", "chat_error"):
            emulator.faults.replace({fault: True})
            await say_and_wait("noch etwas?")
        emulator.faults.clear()
        for text in ("help", "retry", "mute", "stop", "model", "preset set", ""):
            await command(text)
        opened = await local.shortcut(german, ABOUT_MESSAGE, root)
        told.extend(str(local.views[view]) for view in opened.views)
        (view,) = opened.views
        sent = await local.submit(german, view, {"question": {"question": {"value": " "}}})
        told.append(str(sent.problem))
        await bobbin.idle()
    own = [shown(one) + one.text for one in local.messages("general", root.ts) if one.bot_id == local.bot_id]
    assert len(own) >= 15
    assert len(told) >= 6
    check_no_english(own + told)


async def test_a_german_walk_through_discord_meets_no_english_sentence_of_ours(
    running: Any, local_discord: LocalDiscord, german: str, sqlite_url: str, emulator: Emulator
) -> None:
    local, told = local_discord, list[str]()

    def texts(messages: list[DiscordMessage]) -> list[str]:
        return [one.content + str(one.components) for one in messages]

    async def slash(command: str, /, **options: Any) -> None:
        interaction = await local.slash(german, "general", command, **options)
        await local.wait_for(lambda: any(one.content for one in interaction.messages), PATIENCE)
        await bobbin.idle()
        told.extend(texts(interaction.messages))

    emulator.faults.replace({"retired": "gpt-nix-9"})
    async with running(sqlite_url, "discord", limits={"question": 500}) as bobbin:
        await slash("help")
        await slash("preset show")
        await slash("preset set")
        await slash("preset set", name="pirat")
        await slash("preset set", instructions="Fass dich kurz")
        await slash("preset reset")
        await slash("retry")
        await slash("ask", question="say exactly: eins", private=True)
        await slash("ask", question="x" * 501)
        await slash("ask", question="?", preset="pirat")
        await slash("retry")
        await slash("reset")
        await slash("mute")
        await slash("unmute")
        await slash("leave")
        await slash("stop")
        await slash("model")
        await slash("model", name="gpt-4o")
        await slash("model", name="gpt-nix-9")
        await slash("model", name="default")
        emulator.faults.replace({"forbidden": True})
        await slash("ask", question="?")
        mention = await local.say(german, "general", "@bobbin ?")
        await answered(local, mention)
        await bobbin.idle()
        assert mention.thread
        told.extend(texts(local.messages(mention.thread)))
    assert len(told) >= 16
    check_no_english(told)


async def test_buttons_speak_as_who_asked_and_what_comes_of_a_click_as_who_clicked_in_slack(
    running: Any, local_slack: LocalSlack, german: str, sqlite_url: str
) -> None:
    local = local_slack
    local.join(local.add_user("kenji", locale="ja-JP"), "general")
    async with running(sqlite_url, "slack", questions={"buttons": True}) as bobbin:
        root = await local.say(german, "general", "@bobbin say exactly: eins")

        def answer() -> Message | None:
            found = [one for one in local.messages("general", root.ts) if one.bot_id == local.bot_id]
            return found[-1] if found and shown(found[-1]).endswith("[Mehr]") else None

        def whispers(user: str) -> list[Message]:
            person = local.user(user).id
            return [one for one in local.messages("general", root.ts) if one.ephemeral_to == person]

        found = await local.wait_for(answer, PATIENCE)
        assert found
        assert shown(found) == "eins\n[Gute Antwort] [Schlechte Antwort]\n[Neu beantworten] [Mehr]"
        await local.click("kenji", found, Wish.AGAIN)
        await local.click("kenji", found, Wish.MORE)
        await local.click(german, found, Wish.MORE)
        (details,) = await local.wait_for(lambda: whispers(german), PATIENCE)
        for wish in (Wish.EXPORT, Wish.BRANCH):
            await local.click(german, details, wish)
        judging = next(one for one in found.blocks if one["type"] == "context_actions")["elements"][0]
        for button in ("positive_button", "negative_button"):
            click = await local.click(german, found, FEEDBACK, value=judging[button]["value"])
        (view,) = await local.wait_for(lambda: click.views, PATIENCE)
        told = [str(local.views[view])]
        await local.submit(german, view, {WHY: {WHY: {"type": "plain_text_input", "value": "Falsch."}}})
        await local.wait_for(lambda: len(whispers(german)) == 4, PATIENCE)
        await local.wait_for(lambda: any("macht bei" in shown(one) for one in _all(local)), PATIENCE)
        await bobbin.idle()
        english_speaker = await local.wait_for(lambda: whispers("kenji"), PATIENCE)
    assert any("モデル" in shown(one) for one in english_speaker)
    (file,) = [one.files[0] for one in local.messages(local.open_dm(german)) if one.files]
    told.append(file.content.decode())
    assert "# Ein Gespräch mit Bobbin" in told[-1]
    check_no_english(told + [shown(one) + one.text for one in (*_all(local), *whispers(german)) if one.bot_id])


def _all(local: LocalSlack) -> list[Message]:
    roots = [one for one in local.messages("general") if one.thread_ts in {None, one.ts}]
    return roots + [one for root in roots for one in local.messages("general", root.ts) if not one.ephemeral_to]


async def test_buttons_speak_as_who_asked_and_what_comes_of_a_click_as_who_clicked_in_discord(
    running: Any, local_discord: LocalDiscord, german: str, sqlite_url: str
) -> None:
    local = local_discord
    local.add_user("kenji", locale="ja")

    async def press(user: str, on: DiscordMessage, label: str) -> Any:
        click = await local.click(user, on, label)
        await local.wait_for(lambda: click.acknowledged, PATIENCE)
        return click

    async with running(sqlite_url, "discord", questions={"buttons": True}) as bobbin:
        helped = await local.slash(german, "general", "help")
        await local.wait_for(lambda: helped.messages, PATIENCE)
        mention = await local.say(german, "general", "@bobbin say exactly: eins")

        def answer() -> DiscordMessage | None:
            found = [one for one in local.messages(mention.thread) if one.components] if mention.thread else []
            return found[-1] if found else None

        found = await local.wait_for(answer, PATIENCE)
        assert found
        assert [one["label"] for one in found.components[0]["components"]] == ["👍", "👎", "Neu beantworten", "Mehr"]
        told: list[Any] = [await press(german, found, label) for label in ("👍", "👎", "Mehr")]
        details = told[-1].response
        told += [await press(german, details, label) for label in ("Thread exportieren", "Hier abzweigen")]
        told += [await press(german, details, "Hier abzweigen")]
        sent = await local.submit(told[1], **{WHY: "Falsch."})
        await local.wait_for(lambda: sent.acknowledged, PATIENCE)
        of_another = [await press("kenji", found, label) for label in ("Neu beantworten", "Mehr")]
        await bobbin.idle()
    (file,) = told[3].response.attachments
    assert sent.response
    texts = [file.file.content.decode(), sent.response.content]
    assert "# Ein Gespräch mit Bobbin" in texts[0]
    texts += [one.response.content + str(one.response.components) for one in told if one.response]
    texts += [one.content for one in local.messages("general") if one.author.is_bot]
    check_no_english(texts)
    assert "人だけ" in of_another[0].response.content
    assert "モデル" in str(of_another[1].response.components)


def test_the_check_for_english_finds_english() -> None:
    with speaking("en"):
        told = [
            REFUSED,
            say_n("{n} question is ahead of yours.", "{n} questions are ahead of yours.", 1),
            say(
                "That's too long for me: {length} characters, and my limit is {limit}. Please shorten or split it.",
                length=5,
                limit=4,
            ),
        ]
    for text in told:
        with pytest.raises(AssertionError):
            check_no_english([f"Hallo. {text} (…)"])
