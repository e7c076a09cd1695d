"""The app as the workspace knows it: its ids, its secrets, and what it was granted."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sandbox.slack.nouns import User, new_id

# What the methods and events here can ask for: https://docs.slack.dev/reference/scopes
SCOPES = frozenset(
    {
        *("app_mentions:read", "assistant:write", "chat:write", "chat:write.customize", "chat:write.public"),
        *("commands", "channels:history", "channels:join", "channels:read", "files:read", "files:write"),
        *("groups:history", "groups:read", "groups:write", "im:history", "im:read", "im:write"),
        *("mpim:history", "mpim:read", "mpim:write", "reactions:read", "reactions:write", "team:read", "users:read"),
        "usergroups:read",
    }
)

# What an app can subscribe to here, with the scope that each needs: https://docs.slack.dev/reference/events
EVENT_SCOPES = {
    "agent_session_stopped": "",
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "member_joined_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}


@dataclass(slots=True)
class Installation:
    """One app in one workspace. `scopes` and `events` may be changed while it runs."""

    bot: User
    app_id: str = field(default_factory=lambda: new_id("A"))
    # The prefixes are Slack's: libraries and start-up checks tell tokens apart by them.
    bot_token: str = field(default_factory=lambda: f"xoxb-local-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-local-{secrets.token_hex(12)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    events: set[str] = field(default_factory=lambda: set(EVENT_SCOPES))

    # Is it declared as an agent, as all new apps are? https://docs.slack.dev/changelog/2026/06/30/agent-messages-tab
    is_agent: bool = True

    def receives(self, event: str) -> bool:
        needed = EVENT_SCOPES[event]
        return event in self.events and (not needed or needed in self.scopes)
