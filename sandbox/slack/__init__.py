"""A local Slack that real Slack libraries connect to: to try the bot with, and to test its adapter against."""

from sandbox.slack.faults import Failure, Faults, Raw
from sandbox.slack.interactions import Interaction
from sandbox.slack.local import LocalSlack
from sandbox.slack.nouns import Change, ChangeKind, Channel, ChannelKind, Message, SharedFile, User
from sandbox.slack.text import shown
from sandbox.slack.web_api import Call

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
