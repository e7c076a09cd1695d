"""A local Slack that true Slack libraries connect to: to try the bot with, and to test its adapter against."""

from bots.sandbox.slack.faults import Failure, Faults, Raw
from bots.sandbox.slack.interactions import Interaction
from bots.sandbox.slack.local import LocalSlack
from bots.sandbox.slack.nouns import Change, ChangeKind, Channel, ChannelKind, Message, SharedFile, User
from bots.sandbox.slack.text import shown
from bots.sandbox.slack.web_api import Call

__all__ = [
    "Call",
    "Change",
    "ChangeKind",
    "Channel",
    "ChannelKind",
    "Failure",
    "Faults",
    "Interaction",
    "LocalSlack",
    "Message",
    "Raw",
    "SharedFile",
    "User",
    "shown",
]
