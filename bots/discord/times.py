"""The adapter's timeouts, in seconds, and how much of the past it reads back."""

from __future__ import annotations

from dataclasses import dataclass

from bots.discord.errors import LONGEST_WAIT
from bots.discord.identify_budget import BACKOFF as IDENTIFY
from bots.listening.reader import Bounds
from core.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    reach: Backoff = Backoff(first=0.5, longest=30.0, well_after=60.0)  # between tries to reach Discord
    identify: Backoff = IDENTIFY  # between two sessions, where there were many of late
    # discord.py gives a connection 60 seconds to come about, of which it sleeps up to 5 itself.
    longest_hold: float = 30.0
    longest_wait: float = LONGEST_WAIT  # that Discord may ask for
    types_after: float = 0.7  # without text: many an answer has some by then, and the call is saved
    call: float = 20.0  # until a call that gets no answer fails
    kept_open: float = 30.0  # without use; logging in takes two calls, and who only answers may need it again soon
    # "In the past few minutes" Discord knows a nonce again; later, what may have been posted is looked for:
    # https://discord.com/developers/docs/resources/message#create-message
    nonce_trusted: float = 60.0
    unclear_for: float = 60.0  # since the question, until a refusal of its thread with an unknown code is believed
    # Discord waits three seconds for the first response, which has to travel:
    # https://discord.com/developers/docs/interactions/receiving-and-responding#responding-to-an-interaction
    recorded_within: float = 2.3
    patience: float = 20.0  # with the database: Discord delivers a message once, and a restart must not cost it
    reposted_within: float = 2.0  # PluralKit takes less than a second, as a rule
    overlap: float = 5.0  # by which events of different servers may overtake each other on the way
    # A page is the most that Discord tells at once, and all calls together are half a minute of those that it takes:
    # https://discord.com/developers/docs/resources/message#get-channel-messages
    catch_up: Bounds = Bounds(places=500, messages=1_000, pages=10, page=100, calls=1_000)


USUAL = Times()
