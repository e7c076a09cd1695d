"""What a line of a script does, and what is said of one that can't be done."""

import asyncio

import pytest

from core.errors import SetupError
from sandbox.discord import LocalDiscord
from sandbox.line import Deed, Line
from sandbox.scenes import DiscordScene, Scene, SlackScene
from sandbox.slack import LocalSlack, shown


@pytest.fixture(params=["slack", "discord"])
def scene(request: pytest.FixtureRequest) -> Scene:
    return SlackScene(LocalSlack()) if request.param == "slack" else DiscordScene(LocalDiscord())


async def problem(scene: Scene, person: str, place: str, text: str = "hello") -> str:
    with pytest.raises(SetupError) as error:
        await scene.act(Line(scene.name, person, place, text))
    return error.value.sentence


async def test_who_or_what_is_not_there_is_said_with_what_is(scene: Scene) -> None:
    forum = ", #ideas" if scene.name == "discord" else ""
    there = f"People: ada, ben. Channels: #general, #random{forum}."
    assert await problem(scene, "carol", "#general") == f"There is no “carol”. {there}"
    assert await problem(scene, "carol", "dm") == f"There is no “carol”. {there}"
    assert await problem(scene, "bobbin", "#general") == f"There is no “bobbin”. {there}"
    assert await problem(scene, "ada", "#nowhere") == f"There is no “#nowhere”. {there}"


async def test_a_thread_needs_an_answer_first(scene: Scene) -> None:
    said = await problem(scene, "ada", "thread")
    assert said == f"There is no thread on {scene.name.title()} yet. Say something in #general first."


async def test_what_a_platform_does_not_let_people_do_is_said_in_its_words() -> None:
    said = await problem(DiscordScene(LocalDiscord()), "ada", "#general", "x" * 2_001)
    assert said == "Discord takes 2000 characters, not 2001."


@pytest.mark.parametrize(
    ("deed", "text", "why"),
    [
        (Deed.EDIT, "other", "ada has said nothing there that could be changed."),
        (Deed.DELETE, "", "ada has said nothing there that could be changed."),
        (Deed.REACT, "eyes", "There is no message there."),
        (Deed.CLICK, "Stop", "There is nothing to click called “Stop”. There is: nothing."),
    ],
)
@pytest.mark.parametrize("place", ["", "#random", "dm"])
async def test_what_needs_something_that_is_not_there_is_said(
    scene: Scene, place: str, deed: Deed, text: str, why: str
) -> None:
    with pytest.raises(SetupError) as error:
        await scene.act(Line(scene.name, "ada", place, text, deed=deed))
    assert error.value.sentence == why


async def test_people_change_what_they_said_last_in_that_place(scene: Scene) -> None:
    for place, text in (("#general", "one"), ("#random", "two"), ("#general", "three")):
        await scene.act(Line(scene.name, "ada", place, text))
    await scene.act(Line(scene.name, "ben", "#general", "ben's"))
    seen = scene.see()
    first = asyncio.ensure_future(anext(seen))
    await asyncio.sleep(0)
    await scene.act(Line(scene.name, "ada", "#random", "changed", deed=Deed.EDIT))
    assert (await first).text == "changed"
    await scene.act(Line(scene.name, "ada", "", "last of all", deed=Deed.EDIT))
    assert [(one.place, one.text) for one in [await anext(seen)]] == [("#general", "last of all")]


async def test_a_thread_is_called_by_the_number_of_what_began_it(scene: Scene) -> None:
    for text in ("one", "two"):
        await scene.act(Line(scene.name, "ada", "#general", text))
    with pytest.raises(SetupError, match="thread"):
        await scene.act(Line(scene.name, "ben", "thread 3", "hello"))


async def test_slack_takes_no_commands_in_threads() -> None:
    scene = SlackScene(LocalSlack())
    await scene.act(Line("slack", "ada", "#general", "one"))
    assert (await problem(scene, "ada", "thread", "/bobbin help")).startswith(
        "Slack takes no slash commands in threads."
    )


async def test_an_edit_in_a_thread_of_slack_is_of_that_thread() -> None:
    local = LocalSlack()
    scene = SlackScene(local)
    for place, text in (("#general", "one"), ("#general", "two"), ("thread 1", "in one"), ("#general", "three")):
        await scene.act(Line("slack", "ada", place, text))
    await scene.act(Line("slack", "ada", "thread 1", "changed", deed=Deed.EDIT))
    assert [shown(one) for one in local.messages("general")] == ["one", "two", "changed", "three"]
