"""The local platforms as a terminal sees them."""

from sandbox.scenes.discord import DiscordScene
from sandbox.scenes.scene import BOT, Glimpse, Scene
from sandbox.scenes.slack import SlackScene

__all__ = ["BOT", "DiscordScene", "Glimpse", "Scene", "SlackScene"]
