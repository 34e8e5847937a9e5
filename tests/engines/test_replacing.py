"""
References in place of shared objects.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from duck_jupyter.engines.replacing import Target, replace


class Pair(NamedTuple):
    """
    A tuple with a class of its own.
    """

    first: Any
    second: Any


class Shared:
    """
    A shared object.
    """


SHARED = Shared()
TARGETS = {id(SHARED): Target("shared", SHARED, 7)}


def replaced(value: Any) -> Any:
    return replace(value, TARGETS, lambda target: f"ref {target.idx}")


def test_shared_objects_are_replaced_in_plain_containers() -> None:
    assert replaced(SHARED) == "ref 7"
    assert replaced([1, SHARED]) == [1, "ref 7"]
    assert replaced((SHARED, {"a": [SHARED]})) == ("ref 7", {"a": ["ref 7"]})


def test_what_holds_no_shared_object_is_not_copied() -> None:
    values: list[Any] = [[1, 2], {"a": [1]}, (1, (2,)), "text", [[], {}], None]
    for value in values:
        assert replaced(value) is value


def test_the_original_containers_are_not_changed() -> None:
    inner = [SHARED]
    value = {"a": inner, "b": 1}
    assert replaced(value) == {"a": ["ref 7"], "b": 1}
    assert value == {"a": [SHARED], "b": 1}
    assert inner == [SHARED]


def test_objects_with_a_class_of_their_own_are_left_alone() -> None:
    pair = Pair(SHARED, 1)
    assert replaced([pair])[0] is pair


def test_circles_end() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    assert replaced(circle) is circle
