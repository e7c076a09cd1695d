"""What a line of a script does, and what is said of one that can't be done."""

import pytest

from core.errors import SetupError
from sandbox.discord import LocalDiscord
from sandbox.line import Line
from sandbox.scenes import DiscordScene, Scene, SlackScene
from sandbox.slack import LocalSlack


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
