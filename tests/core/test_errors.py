"""What the log may tell of an error."""

from __future__ import annotations

from core.errors import CannotBeKept, ChatForbidden, StorageUnavailable, facts
from core.upstream.errors import UpstreamFailed

WORDS = "what somebody wrote"


def test_of_the_services_refusal_status_code_and_reference_are_told() -> None:
    error = UpstreamFailed(WORDS, code="chat_error", status=500, trace_id="abc-1")
    assert facts(error) == {"kind": "UpstreamFailed", "status": 500, "code": "chat_error", "trace": "abc-1"}


def test_what_is_no_reference_is_not_told() -> None:
    assert "trace" not in facts(UpstreamFailed(trace_id=WORDS))


def test_of_causes_the_kinds_are_told() -> None:
    error = UpstreamFailed(WORDS)
    error.__cause__ = OSError(WORDS)
    error.__cause__.__cause__ = ConnectionRefusedError(WORDS)
    assert facts(error)["causes"] == ["OSError", "ConnectionRefusedError"]
    assert WORDS not in str(facts(error))


def test_what_a_platform_refuses_is_told_with_its_detail() -> None:
    assert facts(ChatForbidden("needs chat:write", code="missing_scope")) == {
        "kind": "ChatForbidden",
        "code": "missing_scope",
        "detail": "needs chat:write",
    }
    assert facts(CannotBeKept("DataError turns"))["detail"] == "DataError turns"
    assert facts(StorageUnavailable()) == {"kind": "StorageUnavailable"}
    assert facts(ValueError(WORDS)) == {"kind": "ValueError"}
