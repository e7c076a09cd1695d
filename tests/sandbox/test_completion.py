"""What the terminal offers to complete."""

from __future__ import annotations

import pytest

from sandbox.completion import completions
from sandbox.discord import LocalDiscord
from sandbox.line import Line
from sandbox.scenes import DiscordScene, Scene, SlackScene
from sandbox.slack import LocalSlack

LAST = Line("slack", "ada", "thread", "hello")


@pytest.fixture
def scenes() -> dict[str, Scene]:
    return {"slack": SlackScene(LocalSlack()), "discord": DiscordScene(LocalDiscord())}


@pytest.mark.parametrize(
    ("typed", "last", "offered"),
    [
        ("s", None, ["slack "]),
        ("dis", LAST, ["discord "]),
        ("slack ", None, ["ada ", "ben "]),
        ("slack b", LAST, ["ben "]),
        ("discord ada #i", LAST, ["#ideas: "]),
        ("discord ada t", LAST, ["thread: "]),
        ("slack ada #general: @b", None, ["@bobbin ", "@ben "]),
        ("hello @bo", LAST, ["@bobbin "]),
        ("/b", LAST, ["/bobbin "]),
        (":k", LAST, [":kill "]),
        (":fault c", LAST, ["cut", "cut off"]),
        ("slack ada dm: :as b", None, ["ben"]),
        (":as a", LAST, ["ada"]),
        ("hello", LAST, []),
        (":click ", LAST, []),
        (":fill ", LAST, []),
        (":menu ", LAST, []),
        ("slack ada #general hello world", LAST, []),
    ],
)
def test_what_may_follow_is_offered(
    scenes: dict[str, Scene], typed: str, last: Line | None, offered: list[str]
) -> None:
    found = completions(typed, scenes, last)
    assert [word for word, _ in found] == offered
    assert all(typed.endswith(begun) and word.startswith(begun) for word, begun in found)
