"""Discord's limits on sizes.

Its API counts code points, as a developer of it says (https://github.com/discord/discord-api-docs/issues/1315); its
clients count UTF-16 code units, and names of threads were reported to be refused by these
(https://github.com/NousResearch/hermes-agent/pull/60252). There are never fewer of the latter, so all is cut by them.
"""

from __future__ import annotations

CONTENT = 2_000  # of a message: https://discord.com/developers/docs/resources/message#create-message
THREAD_NAME = 100  # https://discord.com/developers/docs/resources/channel#start-thread-from-message
BUTTON_LABEL = 80  # https://discord.com/developers/docs/components/reference#button
CUSTOM_ID = 100  # https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id
CHOICES, CHOICE = 25, 100  # https://discord.com/developers/docs/interactions/application-commands#autocomplete
# To an interaction where the bot itself is not; a file is one of them.
# https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
FOLLOW_UPS = 5
NONCE = 25  # https://discord.com/developers/docs/resources/message#create-message
