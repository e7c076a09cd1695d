"""Some of what `python -m tests.fuzz_text` tries, in a few seconds."""

from tests.fuzz_text import batch


def test_no_answer_calls_lies_or_is_refused() -> None:
    assert batch(0, seed=0, last=400) == []
