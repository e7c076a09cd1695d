"""Discord's refusals: an HTTP status, a JSON error code and a sentence.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json gives codes and sentences, not the statuses:
these are the ones that libraries and field reports show.
"""

from typing import Any

Json = dict[str, Any]

REFUSALS: dict[int, tuple[int, str]] = {
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    30032: (400, "Maximum number of application commands reached (100)."),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40094: (400, "This interaction has reached the maximum number of follow-up messages."),
    40067: (400, "A tag is required to create a forum post in this channel"),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on this channel type"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50035: (400, "Invalid Form Body"),
    50041: (400, "Invalid API version"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (403, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
    160005: (403, "Thread is locked"),
}


class Refusal(Exception):
    """Discord's answer to a request that it does not grant; becomes the HTTP response."""

    def __init__(self, code: int, *, errors: Json | None = None) -> None:
        self.status, sentence = REFUSALS[code]
        self.body: Json = {"message": sentence, "code": code}
        if errors:
            self.body["errors"] = errors
        super().__init__(f"{self.status} {code} {sentence}")


class Plain(Exception):
    """An answer whose JSON code is 0: the status says all (401, 404, 405, 5xx)."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.body: Json = {"message": f"{status}: {reason}", "code": 0}
        super().__init__(self.body["message"])


class TooFast(Exception):
    """429: come back in `retry_after` seconds (https://discord.com/developers/docs/topics/rate-limits)."""

    def __init__(self, retry_after: float, *, scope: str = "user") -> None:
        self.retry_after = max(round(retry_after, 3), 0.001)
        self.scope = scope
        super().__init__(f"429 for {self.retry_after} s ({scope})")

    @property
    def is_global(self) -> bool:
        return self.scope == "global"


class Problems:
    """Collects what is wrong in a form, to be told all at once as 50035.

    https://discord.com/developers/docs/reference#error-messages
    """

    def __init__(self) -> None:
        self.errors: Json = {}

    def add(self, path: str, code: str, message: str) -> None:
        """*path* is dotted, as in `embeds.0.title`; the empty path is the form itself."""
        node = self.errors
        for step in filter(None, path.split(".")):
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def length(self, path: str, value: object, least: int, most: int) -> None:
        if not isinstance(value, str):
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif len(value) > most and least:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        elif len(value) > most:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        elif len(value) < least:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def count(self, path: str, value: object, least: int, most: int) -> bool:
        """Whether *value* is a list of a size that the form accepts."""
        if not isinstance(value, list):
            self.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return False
        if not least <= len(value) <= most:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
            return False
        return True

    def one_of(self, path: str, value: object, choices: tuple[object, ...]) -> None:
        if value not in choices:
            self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {choices}.")

    def refuse_any(self) -> None:
        if self.errors:
            raise Refusal(50035, errors=self.errors)


def form_error(path: str, code: str, message: str) -> Refusal:
    problems = Problems()
    problems.add(path, code, message)
    return Refusal(50035, errors=problems.errors)
