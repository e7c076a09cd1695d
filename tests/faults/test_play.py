"""How soon the bot went on after a harm is read from what it wrote in the threads that were under way."""

from __future__ import annotations

from tests.faults.play import Recovery, recovery
from tests.faults.world import Act, Written

THREADS = {"q1": "a", "q2": "b", "q3": "c"}


def test_of_each_harm_the_slowest_answer_counts() -> None:
    harm = [Act("kill", 10.0, ["q1", "q2"]), Act("kill", 20.0, ["q1"])]
    written = [Written(thread, at) for thread, at in (("a", 9.0), ("c", 10.5), ("a", 11.0), ("b", 13.0), ("a", 20.5))]
    assert recovery(harm, written, THREADS) == Recovery(times=2, median=1.75, longest=3.0)


def test_harm_that_met_nobody_at_work_does_not_count() -> None:
    assert recovery([Act("kill", 10.0, [])], [Written("a", 11.0)], THREADS) == Recovery(0, 0.0, 0.0)
