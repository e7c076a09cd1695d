"""Who may ask and who may not, by every way in, on both platforms and both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bots.slack.form import AUDIENCE, PRIVATE
from sandbox.discord import LocalDiscord
from sandbox.slack import Channel, LocalSlack, Message, User, shown
from sandbox.upstream import Emulator
from tests.e2e.test_slack_ways import chosen, typed

CONTACT = "Ada in #help-it"
MAY_NOT = f"I may not answer you here. If you think that I should, please ask {CONTACT}."


def answers(side: Any, thread: Any) -> list[str]:
    return [text for is_bot, text in side.said(thread) if is_bot]


def id_of(side: Any, name: str) -> str:
    return str(side.local.user(name).id)


def whispers(side: Any, name: str) -> list[str]:
    """What the bot has said to somebody in private, as that platform can."""
    if side.name == "slack":
        return whispers_to(side.local, side.local.user(name))
    told = side.local.messages(side.local.open_dm(name))
    return [one.content for one in told if one.author.is_bot]


def whispers_to(local: LocalSlack, user: User) -> list[str]:
    everything = [one for channel in local.channels.values() for one in local.messages(channel)]
    return [shown(one) for one in everything if one.ephemeral_to == user.id]


def refused(bobbin: Any) -> float:
    counted = bobbin.vitals.metrics.refused_askers.collect()[0].samples
    return float(sum(one.value for one in counted if one.name.endswith("_total")))


async def until(true: Callable[[], object]) -> None:
    """For what no platform tells of."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def test_who_is_denied_is_told_once_in_private_and_nothing_is_asked(
    running: Any, side: Any, database_url: str, emulator: Emulator
) -> None:
    access = {"deny_people": [id_of(side, "ada")], "contact": CONTACT}
    async with running(database_url, side.name, access=access) as bobbin:
        denied = [await side.open(number, "say exactly: one") for number in range(3)]
        await side.until(lambda: whispers(side, "ada"))
        await side.local.say("ben", "general", "@bobbin say exactly: two")
        await until(lambda: len(emulator.requests) >= 1)
        await until(lambda: refused(bobbin) == 3)
        await bobbin.idle()
        assert whispers(side, "ada") == [MAY_NOT]
        assert not any(answers(side, thread) for thread in denied)
    assert len(emulator.requests) == 1
    async with running(database_url, side.name, access=access) as bobbin:
        await side.open(9, "say exactly: three")
        await until(lambda: refused(bobbin))
        assert whispers(side, "ada") == [MAY_NOT], "told before a restart"


async def test_who_is_allowed_is_answered_and_others_are_not(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name, access={"allow_people": [id_of(side, "ada")]}) as bobbin:
        thread = await side.open(1, "say exactly: one")
        await side.until(lambda: answers(side, thread))
        if side.name == "slack":
            await side.ask(thread, "say exactly: two")  # it is ben who goes on
        else:
            [place] = side.local.threads()
            await side.local.say("ben", place, "@bobbin say exactly: two")
        await side.until(lambda: whispers(side, "ben"))
        await side.local.say("ben", side.local.open_dm("ben"), "say exactly: three")
        await until(lambda: refused(bobbin) == 2)
        await bobbin.idle()
        assert not any("two" in text for text in answers(side, thread))
        (told,) = whispers(side, "ben")
        assert told.startswith("I may not answer you here.")
        assert "the people who run me" in told
    assert len(emulator.requests) == 1


async def test_what_is_for_another_platform_changes_nothing(running: Any, side: Any, sqlite_url: str) -> None:
    other = "80351110224678912" if side.name == "slack" else "U0123ABCDEF"
    async with running(sqlite_url, side.name, access={"allow_people": [other]}):
        thread = await side.open(1, "say exactly: one")
        await side.until(lambda: answers(side, thread))


async def test_direct_messages_can_be_shut_and_be_all_there_is(running: Any, side: Any, sqlite_url: str) -> None:
    direct = side.local.open_dm("ada")

    def there() -> list[str]:
        return [one.text if side.name == "slack" else one.content for one in side.local.messages(direct)]

    async with running(sqlite_url, side.name, access={"deny_channels": ["direct"]}) as bobbin:
        await side.local.say("ada", direct, "say exactly: one")
        await until(lambda: refused(bobbin))
        thread = await side.open(1, "say exactly: two")
        await side.until(lambda: answers(side, thread))
    async with running(sqlite_url, side.name, access={"allow_channels": ["direct"]}) as bobbin:
        await side.open(2, "say exactly: three")
        await until(lambda: refused(bobbin))
        await side.local.say("ada", direct, "say exactly: four")
        await side.until(lambda: any("four" in one and "exactly" not in one for one in there()))


async def test_who_may_not_ask_mutes_nothing_by_a_reaction(
    running: Any, side: Any, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(sqlite_url, side.name, access={"deny_people": [id_of(side, "ben")]}) as bobbin:
        thread = await side.open(1, "say exactly: one")
        await side.until(lambda: answers(side, thread))
        if side.name == "slack":
            await side.local.react("ben", thread, "mute")
        else:
            await side.local.react("ben", thread, "🔇")
        await side.until(lambda: whispers(side, "ben"))
        await until(lambda: refused(bobbin) == 1)
        if side.name == "slack":
            await side.local.say("ada", thread.channel, "say exactly: two", thread.ts)
        else:
            await side.local.say("ada", thread.thread, "say exactly: two")
        await side.until(lambda: answers(side, thread)[-1] == "two")
        assert len(whispers(side, "ben")) == 1
    assert "Traceback" not in capsys.readouterr().out


async def test_a_rate_is_told_with_its_end(running: Any, side: Any, database_url: str, emulator: Emulator) -> None:
    async with running(database_url, side.name, limits={"per_person_minute": 2}) as bobbin:
        threads = [await side.open(number, f"say exactly: {number}") for number in range(5)]
        await side.until(lambda: sum(len(answers(side, one)) for one in threads) >= 3)
        await bobbin.idle()
    said = [text for one in threads for text in answers(side, one)]
    assert sum(text.isdigit() for text in said) == 2
    (told,) = [text for text in said if not text.isdigit()]
    assert told.startswith(
        "You've asked me 2 questions within a minute, and that is my limit. Please ask this one again"
    )
    assert len(emulator.requests) == 2


async def test_a_follow_up_is_within_the_rate_or_told_once(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name, limits={"per_person_minute": 2}) as bobbin:
        thread = await side.open(1, "say exactly: 1")
        await side.until(lambda: answers(side, thread) == ["1"])
        place = (thread.channel, "{}", thread.ts) if side.name == "slack" else (thread.thread, "{}")
        for number in range(2, 5):
            channel, _, *within = place
            await side.local.say("ada", channel, f"say exactly: {number}", *within)
            await side.until(lambda: len(answers(side, thread)) >= 2)
            await until(lambda: counted(bobbin) >= number - 2)  # noqa: B023
            await bobbin.idle()
    one, two, *told = answers(side, thread)
    assert (one, two) == ("1", "2")
    assert [text.partition(",")[0] for text in told] == ["You've asked me 2 questions within a minute"]
    assert len(emulator.requests) == 2


def answered(side: Any, thread: Any) -> list[str]:
    """Without what is told while a question waits."""
    return [text for text in answers(side, thread) if not text.startswith("You're next")]


def counted(bobbin: Any) -> float:
    """How often there was no room for a question."""
    samples = bobbin.vitals.metrics.over_quota.collect()[0].samples
    return float(sum(one.value for one in samples if one.name.endswith("_total")))


async def test_what_is_read_back_is_within_the_rate_as_well(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        thread = await side.open(1, "say exactly: 0")
        await side.until(lambda: answers(side, thread) == ["0"])
        await bobbin.idle()
    for number in range(1, 5):
        if side.name == "slack":
            await side.local.say("ada", thread.channel, f"@bobbin say exactly: {number}", thread.ts)
        else:
            await side.local.say("ada", thread.thread, f"@bobbin say exactly: {number}")
    async with running(sqlite_url, side.name, limits={"per_person_minute": 3}) as bobbin:
        await until(lambda: counted(bobbin) >= 2)
        await side.until(lambda: len(answered(side, thread)) >= 4)
        await bobbin.idle()
    assert [text.partition(",")[0] for text in answered(side, thread)] == [
        "0", "1", "2", "You've asked me 3 questions within a minute"
    ]  # fmt: skip
    assert len(emulator.requests) == 3


async def asked_privately(side: Any, words: str) -> None:
    """Ask in general, in the way in which that platform has it."""
    if side.name == "discord":
        await side.local.slash("ada", "general", "ask", question=words, private=True)
        return
    (view,) = (await side.local.command("ada", "general", "/bobbin")).views
    form = side.local.views[view]
    sent = await side.local.submit("ada", view, typed(words) | chosen(form, AUDIENCE, PRIVATE))
    assert not sent.problem


async def test_who_may_not_ask_is_told_so_in_private_after_a_form(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    access = {"deny_people": [id_of(side, "ada")], "contact": CONTACT}
    async with running(sqlite_url, side.name, access=access) as bobbin:
        await asked_privately(side, "say exactly: one")
        await until(lambda: refused(bobbin) == 1)
        await bobbin.idle()
        await side.until(lambda: MAY_NOT in heard_by_ada(side))
    assert not emulator.requests


def heard_by_ada(side: Any) -> str:
    """All that she alone was told."""
    if side.name == "slack":
        return str(whispers(side, "ada"))
    followed = [one.content for interaction in side.local.interactions for one in interaction.followups]
    return str([*whispers(side, "ada"), *followed, *(one.content for one in side.local.messages("general"))])


def private_answers(side: Any) -> list[Any]:
    """What the bot has answered Ada alone."""
    if side.name == "slack":
        said = side.local.messages(side.local.open_dm("ada"))
        return [
            one for one in said if one.user == side.local.bot_user_id and shown(one).partition("\n")[0] == "the plan"
        ]
    return [one for one in side.local.messages("general") if one.components and one.content.endswith("the plan")]


async def test_who_may_not_ask_any_more_shares_nothing(running: Any, side: Any, sqlite_url: str) -> None:
    def seen_by_all() -> list[str]:
        said = side.local.messages("general")
        if side.name == "slack":
            return [shown(one) for one in said if not one.ephemeral_to]
        return [one.content for one in said if not one.only_for]

    async with running(sqlite_url, side.name) as bobbin:
        await asked_privately(side, "say exactly: the plan")
        await side.until(lambda: private_answers(side))
        await bobbin.idle()
        before = seen_by_all()
    access = {"deny_people": [id_of(side, "ada")], "contact": CONTACT}
    async with running(sqlite_url, side.name, access=access) as bobbin:
        await side.local.click("ada", private_answers(side)[0], "share" if side.name == "slack" else "Share")
        await until(lambda: refused(bobbin) == 1)
        await side.until(lambda: MAY_NOT in heard_by_ada(side))
        await bobbin.idle()
    assert seen_by_all() == before


# What only one of them has


async def test_slack_refuses_commands_and_clicks_as_well(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    local, ben = local_slack, local_slack.user("ben")
    room = local.add_channel("room", "ada", "ben", local.bot_user_id)

    def in_thread() -> list[Message]:
        return local.messages(room, asked.ts)

    async with running(sqlite_url, "slack") as bobbin:
        asked = await local.say("ada", room, "@bobbin why?")
        await local.wait_for(lambda: len(in_thread()) > 1, 20)
        await bobbin.idle()
        await local.edit(asked, "@bobbin why not?")
        await local.wait_for(lambda: "offers-" in str(in_thread()[1].blocks), 20)
    async with running(sqlite_url, "slack", access={"deny_people": [ben.id], "contact": CONTACT}):
        for _ in range(2):
            told = await local.command(ben, room, "/bobbin", "preset set model o3")
            assert [shown(one) for one in told.messages] == [MAY_NOT]
        whispered = len(whispers_to(local, ben))
        await local.click(ben, in_thread()[1], "again")
        await local.wait_for(lambda: len(whispers_to(local, ben)) > whispered, 20)
        assert whispers_to(local, ben)[-1] == MAY_NOT
    assert len(emulator.requests) == 1


async def test_people_of_other_organisations_are_answered_only_where_that_is_wanted(
    running: Any, local_slack: LocalSlack, sqlite_url: str
) -> None:
    eve = local_slack.add_user("eve", is_external=True)
    shared = local_slack.add_channel("shared", "ada", eve, local_slack.bot_user_id)

    def answered(words: str) -> bool:
        return any(one.user == local_slack.bot_user_id and words in shown(one) for one in local_slack.messages(shared))

    async with running(sqlite_url, "slack", access={"contact": CONTACT}):
        await local_slack.say(eve, shared, "@bobbin say exactly: one")
        await local_slack.wait_for(lambda: any(one.ephemeral_to == eve.id for one in local_slack.messages(shared)), 20)
        told = await local_slack.command(eve, shared, "/bobbin", "help")
        assert [shown(one) for one in told.messages] == [MAY_NOT]
        await local_slack.say("ada", shared, "@bobbin say exactly: two")
        await local_slack.wait_for(lambda: answered("two"), 20)
        assert not answered("one")
    async with running(sqlite_url, "slack", access={"external": True}):
        await local_slack.say(eve, shared, "@bobbin say exactly: three")
        await local_slack.wait_for(lambda: answered("three"), 20)


async def test_who_is_at_home_costs_no_look_up(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    side = local_slack
    eve = side.add_user("eve", is_external=True)
    shared = side.add_channel("shared", "ada", eve, side.bot_user_id)
    async with running(sqlite_url, "slack", questions={"names": False}):
        places: list[Channel | str] = ["general", shared, side.open_dm("ada")]
        for channel in places:
            await side.say("ada", channel, "@bobbin say exactly: one")
        await until(lambda: len(emulator.requests) == len(places))
    assert not [call for call in side.calls if call.method == "users.info"]


async def test_guests_are_answered_unless_that_is_not_wanted(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    gus = local_slack.add_user("gus", is_guest=True)
    async with running(sqlite_url, "slack", access={"guests": False}):
        await local_slack.say(gus, "general", "@bobbin say exactly: one")
        await local_slack.wait_for(
            lambda: any(one.ephemeral_to == gus.id for one in local_slack.messages("general")), 20
        )
        asked = await local_slack.say("ada", "general", "@bobbin say exactly: two")
        await local_slack.wait_for(lambda: len(local_slack.messages("general", asked.ts)) > 1, 20)
    assert len(emulator.requests) == 1
    async with running(sqlite_url, "slack"):
        asked = await local_slack.say(gus, "general", "@bobbin say exactly: three")
        await local_slack.wait_for(lambda: len(local_slack.messages("general", asked.ts)) > 1, 20)


async def test_roles_let_people_in_and_keep_them_out(
    running: Any, local_discord: LocalDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    local = local_discord
    staff, muted = local.add_role("staff", "ada"), local.add_role("muted", "ben")
    access = {"deny_roles": [str(muted.id)], "contact": CONTACT}
    async with running(sqlite_url, "discord", access=access) as bobbin:
        await local.say("ben", "general", "@bobbin say exactly: one")
        await local.wait_for(lambda: whispered(local, "ben"), 20)
        await local.slash("ben", "general", "ask", question="say exactly: two")
        await local.wait_for(lambda: local.interactions and local.interactions[-1].response, 20)
        response = local.interactions[-1].response
        assert response
        assert response.content == MAY_NOT
        assert local.interactions[-1].ephemeral
        await local.say("ben", local.open_dm("ben"), "say exactly: three")
        await until(lambda: refused(bobbin) == 3)
        assert not emulator.requests
        assert whispered(local, "ben") == [MAY_NOT]
    async with running(sqlite_url, "discord", access={"allow_roles": [str(staff.id)]}) as bobbin:
        await local.say("ben", "general", "@bobbin say exactly: four")
        await until(lambda: refused(bobbin))
        await local.say("ada", "general", "@bobbin say exactly: five")
        await until(lambda: len(emulator.requests) >= 1)
        await local.say("ada", local.open_dm("ada"), "say exactly: six")
        await until(lambda: len(emulator.requests) >= 2)
        await bobbin.idle()


def whispered(local: LocalDiscord, name: str) -> list[str]:
    return [one.content for one in local.messages(local.open_dm(name)) if one.author.is_bot]


# Other bots


@pytest.fixture
def herald(side: Any) -> Any:
    """Another bot, and the id under which it is listed."""
    if side.name == "slack":
        user = side.local.add_user("herald", is_app=True)
        return user, user.app_id
    user = side.local.add_user("herald", is_bot=True)
    return user, str(user.id)


async def test_other_bots_are_not_answered(running: Any, side: Any, herald: Any, sqlite_url: str) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        asked = await side.local.say(herald[0], "general", "@bobbin say exactly: one")
        thread = await side.open(1, "say exactly: two")
        await side.until(lambda: answers(side, thread))
        await bobbin.idle()
    assert not [text for text in answers(side, asked) if "exactly" not in text]


async def test_those_that_are_listed_are_until_only_bots_ask(
    running: Any, side: Any, herald: Any, database_url: str, emulator: Emulator
) -> None:
    speaker, listed = herald
    own = str(side.local.bot_user_id)
    async with running(database_url, side.name, access={"bots": [listed, own], "bot_turns": 2}) as bobbin:
        asked = await side.local.say(speaker, "general", "@bobbin say exactly: one")
        await until(lambda: len(emulator.requests) == 1)
        await say_on(side, speaker, asked, "two")
        await until(lambda: len(emulator.requests) == 2)
        await bobbin.idle()
        await say_on(side, speaker, asked, "three")
        await say_on(side, speaker, asked, "four")
        await until(lambda: refused(bobbin) == 2)
        await say_on(side, "ada", asked, "five")
        await until(lambda: len(emulator.requests) == 3)
        await bobbin.idle()
        await say_on(side, speaker, asked, "six")
        await until(lambda: len(emulator.requests) == 4)
        await bobbin.idle()
    questions = [str(request.body["question"]) for request in emulator.requests if isinstance(request.body, dict)]
    assert [words.split()[-1] for words in questions] == ["one", "two", "five", "six"]


async def test_those_that_are_listed_are_not_followed(
    running: Any, side: Any, herald: Any, sqlite_url: str, emulator: Emulator
) -> None:
    """They ask by a mention: what else they say may be for anybody."""
    speaker, listed = herald
    async with running(sqlite_url, side.name, access={"bots": [listed]}) as bobbin:
        asked = await side.local.say(speaker, "general", "@bobbin say exactly: one")
        await side.until(lambda: answers(side, asked) and answers(side, asked)[-1] == "one")
        await bobbin.idle()
        where = (asked.channel, asked.ts) if side.name == "slack" else (asked.thread,)
        await side.local.say(speaker, where[0], "say exactly: two", *where[1:])
        await say_on(side, "ada", asked, "three")
        await side.until(lambda: answers(side, asked)[-1] == "three")
        await bobbin.idle()
    assert len(emulator.requests) == 2


async def say_on(side: Any, user: Any, asked: Any, words: str) -> None:
    if side.name == "slack":
        await side.local.say(user, asked.channel, f"@bobbin say exactly: {words}", asked.ts)
    else:
        await side.until(lambda: asked.thread)
        await side.local.say(user, asked.thread, f"@bobbin say exactly: {words}")
