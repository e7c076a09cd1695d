"""The local platforms as a terminal sees them."""

from sandbox.scenes.discord import DiscordScene
from sandbox.scenes.scene import Glimpse, Scene
from sandbox.scenes.slack import SlackScene

__all__ = ["DiscordScene", "Glimpse", "Scene", "SlackScene"]
