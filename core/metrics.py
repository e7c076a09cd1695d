"""The metrics: all that is counted and measured."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2,
    4,
    8,
    15,
    30,
    60,
    120,
    300,
    900,
)  # of the histograms: models may think for minutes


class Metrics:
    """All metrics; docs/metrics.md says what each means and when to worry."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        of = self._registry = CollectorRegistry()
        self.turns = Counter("bobbin_turns", "Turns that ended", ["status"], registry=of)
        self.over_quota = Counter(
            "bobbin_questions_over_quota", "Questions refused, since too much was open of theirs", ["of"], registry=of
        )
        self.refused_askers = Counter(
            "bobbin_askers_refused", "Things asked by who may not", ["chat", "why"], registry=of
        )
        self.first_text = Histogram(
            "bobbin_first_text_seconds",
            "From accepting a question to the first text of its answer shown",
            buckets=SECONDS,
            registry=of,
        )
        self.given_up = Counter("bobbin_shows_given_up", "Ended turns that their chat never showed", registry=of)
        self.unclear = Counter(
            "bobbin_chat_replies_unclear", "Replies to a show that can't be understood", ["chat"], registry=of
        )
        self.feedback = Counter("bobbin_feedback", "Verdicts on answers, given or changed", ["verdict"], registry=of)
        self.calls = Counter("bobbin_upstream_calls", "Calls by model and outcome", ["model", "outcome"], registry=of)
        self.unnamed = Counter(
            "bobbin_conversations_unnamed",
            "Answers whose conversation can't go on, since the service gave it no usable id",
            registry=of,
        )
        self.unreadable = Counter(
            "bobbin_unreadable", "Things from a chat that could not be read", ["chat", "what"], registry=of
        )
        self.shed = Counter(
            "bobbin_events_shed",
            "Events left to be delivered again, since too many came at once",
            ["chat"],
            registry=of,
        )
        self.restarts = Counter(
            "bobbin_restarts", "Times that listening to a chat broke and was begun again", ["chat"], registry=of
        )
        self.first_byte = Histogram(
            "bobbin_upstream_first_byte_seconds", "From a call to its first byte", buckets=SECONDS, registry=of
        )
        self.whole = Histogram(
            "bobbin_upstream_seconds", "From a call to its answer's end", buckets=SECONDS, registry=of
        )
        self.waiting = Gauge("bobbin_upstream_waiting", "Questions that wait for a slot", registry=of)
        self.in_flight = Gauge("bobbin_upstream_in_flight", "Calls under way", registry=of)
        self.down = Gauge(
            "bobbin_upstream_down", "1 while a model is not asked, since it is down", ["model"], registry=of
        )
        self.tokens_aside = Gauge("bobbin_tokens_aside", "Tokens that the service refuses, set aside", registry=of)
        self.not_ready = Gauge(
            "bobbin_not_ready", "1 while a part does not work, as /readyz tells it", ["part"], registry=of
        )
        self.transactions = Counter("bobbin_transactions", "Transactions with the database", registry=of)
        self.database_seconds = Counter("bobbin_database_seconds", "Seconds of work with the database", registry=of)
        self.refused = Counter(
            "bobbin_web_refused", "Connections and requests that the web door refused", ["why"], registry=of
        )

    def worked(self, seconds: float, transactions: int) -> None:
        """Count what was done with the database. In any thread."""
        self.database_seconds.inc(seconds)
        self.transactions.inc(transactions)

    def page(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)
