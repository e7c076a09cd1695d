from __future__ import annotations

from core.bounded import Bounded, BoundedSet


def test_what_was_set_longest_ago_makes_room() -> None:
    kept: Bounded[str, int] = Bounded(2)
    for name, number in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        kept[name] = number
    assert kept == {"a": 3, "c": 4}


def test_every_way_in_is_bounded() -> None:
    kept: Bounded[str, int] = Bounded(2)
    kept.update(a=1, b=2, c=3)
    kept.setdefault("d", 4)
    kept |= {"e": 5}
    assert kept == {"d": 4, "e": 5}


def test_a_set_says_what_is_new() -> None:
    seen: BoundedSet[int] = BoundedSet(2)
    assert [seen.add(one) for one in (1, 1, 2, 3, 1)] == [True, False, True, True, True]
    seen.add_all([7, 8, 9])
    assert set(seen) == {8, 9}
