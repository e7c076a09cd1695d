from __future__ import annotations

import json
import time
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.upstream import AnswerSoFar
from core.upstream.errors import UnknownConversation, UpstreamBusy, UpstreamError, UpstreamFailed
from core.upstream.ndjson import LINE_BYTES, Lines

texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["\u2028", "\u0085", '"answer": "', '"error"', "\r\n", "{", '\\"', '"id": "x"', "🧵", "\x00"]
)
ids = st.none() | st.sampled_from(["one", "two"])


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, object] | None:
    """A line of any kind that the service is known, or feared, to send; None is a blank one."""
    kind = draw(st.sampled_from(["whole", "whole", "whole", "delta", "odd", "done", "blank"]))
    named = draw(ids)
    fields: dict[str, object] = {}
    if kind == "whole":
        fields = {"answer": draw(texts), "delta_answer": draw(texts)}
    elif kind == "delta":
        fields = {"type": "text_delta", "delta_answer": draw(texts)}
    elif kind == "odd":
        fields = {"type": "card", "card": {"answer": draw(texts), "id": "nested"}, "n": 1}
    elif kind == "done":
        return {"type": "done", "conversation_id": named or "done"}
    else:
        return None
    if named:
        fields["id"] = named
    return dict(draw(st.permutations(list(fields.items()))))


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[dict[str, object] | None], bytes]:
    lines = draw(st.lists(payloads(), max_size=12))
    escaped = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n"]))
    body = end.join("" if line is None else json.dumps(line, ensure_ascii=escaped) for line in lines)
    return lines, (body + draw(st.sampled_from(["", end]))).encode()


def simplest(lines: list[dict[str, object] | None]) -> AnswerSoFar:
    """What the lines say, read one after the other without any cleverness."""
    text, conversation = "", None
    for line in filter(None, lines):
        text = str(line.get("answer") or text + str(line.get("delta_answer", "")))
        conversation = line.get("id") or line.get("conversation_id") or conversation
    return AnswerSoFar(text.replace("\0", "\ufffd"), conversation)  # type: ignore[arg-type]  # no database takes a NUL


def feed_all(lines: Lines, chunks: list[bytes]) -> None:
    for chunk in chunks:
        lines.feed(chunk)


def read(chunks: list[bytes], *, asking: bool = False) -> AnswerSoFar:
    lines = Lines()
    for chunk in chunks:
        lines.feed(chunk)
        if asking:
            lines.said()
    lines.finish()
    return lines.said()


@given(sent=bodies(), cuts=st.lists(st.integers(0, 2_000), max_size=30), asking=st.booleans())
def test_any_chunking_says_what_a_simple_reader_would(
    sent: tuple[list[dict[str, object] | None], bytes], cuts: list[int], *, asking: bool
) -> None:
    lines, body = sent
    bounds = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    assert read([body[start:end] for start, end in pairwise(bounds)], asking=asking) == simplest(lines)


@given(sent=bodies(), cuts=st.lists(st.integers(0, 2_000), max_size=30))
def test_how_long_it_is_at_most_is_known_without_reading(
    sent: tuple[list[dict[str, object] | None], bytes], cuts: list[int]
) -> None:
    body = sent[1]
    bounds = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    lines = Lines()
    with suppress(UpstreamError):
        for start, end in pairwise(bounds):
            lines.feed(body[start:end])
            most = lines.most
            assert len(lines.said().text) <= most <= len(body)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.integers(1, 7))
def test_a_growing_answer_arrives_whole(answer: str, size: int) -> None:
    """Any text, cut anywhere."""
    body = b"".join(json.dumps({"answer": answer[:end]}).encode() + b"\r\n" for end in range(1, len(answer) + 1))
    assert read([body[at : at + size] for at in range(0, len(body), size)]).text == answer


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fall_over(noise: bytes) -> None:
    with suppress(UpstreamError):  # if the noise happens to say so
        read([noise, b"\n", noise])


@given(st.sampled_from([
    {"error": {"code": "too_many_requests", "message": "m"}, "trace_id": "t"},
    {"error": "too_many_requests", "message": "m"},
    {"type": "error", "status": 429, "message": "m"},
]), st.integers(1, 200))  # fmt: skip
def test_an_error_in_the_middle_is_raised_and_what_came_before_stays(error: dict[str, object], size: int) -> None:
    before = [
        {"answer": "So", "delta_answer": "So", "id": "x"},
        {"answer": "So far", "delta_answer": " far", "id": "x"},
    ]
    body = b"".join(json.dumps(line).encode() + b"\r\n" for line in [*before, error])
    lines = Lines()
    with pytest.raises(UpstreamBusy) as raised:
        feed_all(lines, [body[start : start + size] for start in range(0, len(body), size)])
    assert raised.value.status == 200
    assert lines.said() == AnswerSoFar("So far", "x")  # type: ignore[arg-type]


def test_an_error_beside_an_answer_is_raised_at_once() -> None:
    lines = Lines()
    lines.feed(b'{"answer":"a","delta_answer":"a"}\n')
    with pytest.raises(UpstreamFailed):
        lines.feed(
            b'{"answer":"ab","delta_answer":"b","error":{"code":"chat_error","message":"m"}}\n{"answer":"abc"}\n'
        )


def test_a_lost_conversation_is_told_in_the_stream_as_well() -> None:
    with pytest.raises(UnknownConversation):
        Lines(continuing=True).feed(b'{"error":{"code":"not_found","message":"gone"}}\n')


def test_the_word_error_in_an_answer_is_no_error() -> None:
    line = json.dumps({"answer": 'say "error": "x"', "delta_answer": "error", "error": None})
    assert read([line.encode()]).text == 'say "error": "x"'


def test_an_empty_answer_takes_nothing_back() -> None:
    assert read([b'{"answer":"all"}\n{"answer":"all of it"}\n{"answer":""}\n']).text == "all of it"


def test_deltas_count_only_where_the_answer_is_missing() -> None:
    assert read([b'{"delta_answer":"a"}\n{"answer":"abc","delta_answer":"c"}\n{"delta_answer":"d"}\n']).text == "abcd"


def test_halves_of_a_character_are_joined_and_a_lone_half_is_replaced() -> None:
    joined = read([b'{"delta_answer":"\\ud83e"}\n{"delta_answer":"\\uddf5"}\n'])
    assert joined.text == "🧵"
    assert read([b'{"answer":"a\\ud83e"}\n']).text == "a\ufffd"


def test_half_a_line_says_nothing_until_its_end_came() -> None:
    lines = Lines()
    lines.feed(b'{"answer":"a"}\n{"answer":"ab"}')
    assert lines.said().text == "a"
    lines.finish()
    assert lines.said().text == "ab"


def test_what_continues_the_answer_is_not_parsed_before_somebody_asks() -> None:
    """The invalid line in between is never looked at, since a newer one says it all."""
    lines = Lines()
    lines.feed(b'{"answer":"a","id":"x"}\n{"answer":"a\\q","id":"x"}\n{"answer":"abc","id":"x"}\n')
    assert lines.said() == AnswerSoFar("abc", "x")  # type: ignore[arg-type]


def test_an_endless_line_is_refused() -> None:
    lines = Lines()
    feed_all(lines, [b"x" * (LINE_BYTES // 4)] * 4)
    with pytest.raises(UpstreamFailed):
        lines.feed(b"x")


def test_depth_is_no_danger() -> None:
    assert read([b"[" * 100_000, b'\n{"answer":"ok"}\n']).text == "ok"


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert read([b'\xef\xbb\xbf{"answer":"a","id":"x"}\n']) == AnswerSoFar("a", "x")  # type: ignore[arg-type]


def test_several_objects_of_a_line_are_all_read() -> None:
    lines = [b'{"answer":"a","id":"x"}\n', b'{"answer":"ab","id":"x"} {"answer":"abc","id":"x"}\n']
    assert read(lines).text == "abc"
    assert read([b'{"delta_answer":"a"}{"delta_answer":"b"}\r\n']).text == "ab"
    with pytest.raises(UpstreamFailed):
        read([b'{"answer":"a"}{"error":"api_error"}\n'])


def test_many_values_of_a_line_cost_no_more_than_their_length() -> None:
    began = time.process_time()
    assert read([b"1 " * 1_000_000 + b'{"answer":"ok"}\n']).text == "ok"
    assert time.process_time() - began < 5
