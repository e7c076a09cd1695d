"""Slack sends mentions only where an app is subscribed to no more; that is said."""

from __future__ import annotations

from bots.finding import Verdict
from bots.slack.subscriptions import ALONE, Subscriptions


def test_mentions_without_any_other_message_are_noticed_until_there_is_one() -> None:
    subscriptions = Subscriptions()
    for _ in range(ALONE):
        assert not [*subscriptions.findings()]
        subscriptions.heard({"type": "app_mention"})
    (finding,) = subscriptions.findings()
    assert finding.verdict is Verdict.WRONG
    assert "message.channels" in finding.sentence
    subscriptions.heard({"type": "message", "channel_type": "im"})
    assert [*subscriptions.findings()]
    subscriptions.heard({"type": "message", "channel_type": "channel"})
    assert not [*subscriptions.findings()]
