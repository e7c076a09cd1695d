from __future__ import annotations

from bots.bucket import Bucket, until_free
from tests.clock import Clock


async def test_waiting_asks_again_after_each_sleep() -> None:
    answers = [0.001, 0.001, 0.0]
    await until_free(lambda: answers.pop(0))
    assert not answers


def test_a_bucket_gives_what_it_holds() -> None:
    clock = Clock()
    bucket = Bucket(1.0, 2, clock)
    assert [bucket.try_take() for _ in range(3)] == [True, True, False]
    clock.now += 1
    assert bucket.try_take()
    clock.now += 10
    assert bucket.is_full
