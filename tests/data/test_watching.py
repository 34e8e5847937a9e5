"""
A publication whose object is watched says the same as one that compares, only sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter.data import versions
from duck_jupyter.data.attach import encoded, rebuild
from duck_jupyter.data.handles import Handle
from duck_jupyter.data.store import Store
from duck_jupyter.memory.copying import differs, update
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.data.publication import Publication
    from duck_jupyter.memory.copying import Span

COUNT = 1 << 20  # eight bytes each
SMALL = 1 << 16
DEADLINE_S = 10.0


@pytest.fixture
def store() -> Iterator[Store]:
    """
    Where publications keep their memory.
    """
    kept = Store()
    yield kept
    kept.close()


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """
    The bytes that were compared, one number for each comparison.
    """
    sizes: list[int] = []

    def count(spans: list[Span]) -> bool:
        sizes.append(sum(span.size for span in spans))
        return differs(spans)

    monkeypatch.setattr(versions, "differs", count)
    return sizes


def hand_over(publication: Publication, value: Any) -> Any:
    """
    Give what arrives where a value is handed over to.
    """
    return rebuild(encoded(publication.handle(value)))


def come_to_rest(publication: Publication, value: Any, compared: list[int]) -> None:
    """
    Hand a value over until next to nothing of it is compared.
    """

    def is_at_rest() -> bool:
        del compared[:]
        hand_over(publication, value)
        return bool(compared) and compared[-1] < SMALL

    assert wait_until(is_at_rest, DEADLINE_S)


def test_what_did_not_change_is_compared_no_more(
    store: Store, compared: list[int]
) -> None:
    array = np.arange(COUNT)
    publication = store.publication("array")
    come_to_rest(publication, array, compared)
    before, after = publication.handle(array), publication.handle(array)
    assert isinstance(before, Handle)
    assert isinstance(after, Handle)
    assert before.nonce == after.nonce
    np.testing.assert_array_equal(hand_over(publication, array), array)


@pytest.mark.parametrize("at", [0, 1, COUNT // 2, COUNT - 1])
def test_each_change_arrives(store: Store, compared: list[int], at: int) -> None:
    array = np.arange(COUNT)
    publication = store.publication("array")
    come_to_rest(publication, array, compared)
    for value in (-1, -2, -3):
        array[at] = value
        np.testing.assert_array_equal(hand_over(publication, array), array)
    # The versions that are mapped are as they were.
    kept = [hand_over(publication, array) for _ in range(2)]
    array[at] = 5
    assert hand_over(publication, array)[at] == 5
    assert [found[at] for found in kept] == [-3, -3]
    np.testing.assert_array_equal(hand_over(publication, array), array)


def test_all_of_it_may_change(store: Store, compared: list[int]) -> None:
    array = np.arange(COUNT)
    publication = store.publication("array")
    for _ in range(2):
        come_to_rest(publication, array, compared)
        array += 1
        np.testing.assert_array_equal(hand_over(publication, array), array)


def test_a_new_version_is_made_of_the_pages_that_changed(
    store: Store, compared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.arange(COUNT)
    publication = store.publication("array")
    come_to_rest(publication, array, compared)
    copied: list[int] = []

    def count(spans: list[Span]) -> Any:
        copied.append(sum(span.size for span in spans))
        return update(spans)

    monkeypatch.setattr(versions, "update", count)
    array[COUNT // 2] = -1
    np.testing.assert_array_equal(hand_over(publication, array), array)
    assert len(copied) == 1
    assert copied[0] < SMALL


def test_a_frame_and_a_column_of_it_are_both_seen_to_change(
    store: Store, compared: list[int]
) -> None:
    values = np.arange(4.0 * COUNT).reshape(COUNT, 4)
    frame = pd.DataFrame(values, columns=list("abcd"), copy=False)
    whole, part = store.publication("frame"), store.publication("part")
    column = values[: COUNT // 2]
    come_to_rest(whole, frame, compared)
    for _ in range(5):
        hand_over(part, column)
    for at in (3, COUNT // 4):
        values[at, 1] = -at
        np.testing.assert_array_equal(hand_over(part, column), column)
        pd.testing.assert_frame_equal(hand_over(whole, frame), frame)


def test_another_object_of_the_name_is_compared(
    store: Store, compared: list[int]
) -> None:
    array = np.arange(COUNT)
    publication = store.publication("array")
    come_to_rest(publication, array, compared)
    other = np.arange(COUNT)
    other[9] = -1
    np.testing.assert_array_equal(hand_over(publication, other), other)
    np.testing.assert_array_equal(hand_over(publication, array), array)


def test_the_same_bytes_of_another_type_are_another_state(
    store: Store, compared: list[int]
) -> None:
    array = np.arange(COUNT)
    publication = store.publication("array")
    come_to_rest(publication, array, compared)
    times = array.view("M8[ns]")
    found = hand_over(publication, times)
    assert found.dtype == times.dtype
    np.testing.assert_array_equal(found, times)


@pytest.mark.slow
def test_random_changes_all_arrive(store: Store, compared: list[int]) -> None:
    random = np.random.default_rng(3)
    arrays = [np.zeros(COUNT // 2), np.ones(COUNT // 4), np.ones(10)]
    publication = store.publication("arrays")
    for _ in range(30):
        for _ in range(random.integers(0, 3)):
            array = arrays[random.integers(0, 3)]
            start = random.integers(0, len(array))
            array[start : start + random.integers(1, len(array))] += 1
        if random.random() < 0.3:
            come_to_rest(publication, arrays, compared)
        for found, array in zip(hand_over(publication, arrays), arrays, strict=True):
            np.testing.assert_array_equal(found, array)
