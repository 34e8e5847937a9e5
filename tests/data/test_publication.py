"""
Publication: a handle stands for the object as it is when the handle is made.
"""

from __future__ import annotations

import errno
import itertools
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter.data import versions
from duck_jupyter.data.attach import attach, encoded, rebuild
from duck_jupyter.data.consistency import MOST_TRIES
from duck_jupyter.data.handles import Handle
from duck_jupyter.data.publication import INLINE_BYTES
from duck_jupyter.data.store import Store
from duck_jupyter.data.versions import Versions
from duck_jupyter.errors import (
    DataEncodeError,
    DataTooBigError,
    ObjectChanged,
    VersionGone,
)
from duck_jupyter.memory import files, folders, spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.data.publication import Publication

DEADLINE_S = 20.0


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


@pytest.fixture
def publication(store: Store) -> Publication:
    return store.publication("df")


def handle_of(publication: Publication, value: Any) -> Handle:
    handle = publication.handle(value)
    assert isinstance(handle, Handle)
    return handle


def version_of(handle: Handle) -> tuple[Any, bytes]:
    return handle.file, handle.nonce


def test_what_did_not_change_is_not_published_again(publication: Publication) -> None:
    frame = pd.DataFrame({"a": np.arange(5000), "b": "text", "c": np.arange(5000.0)})
    first = handle_of(publication, frame)
    assert frame.describe() is not None
    second = handle_of(publication, frame)
    assert version_of(first) == version_of(second)
    assert first.ticket != second.ticket
    pd.testing.assert_frame_equal(attach(second), frame)


@pytest.mark.parametrize("at", [0, 4095, 4096, 2_500_000, -1])
def test_one_changed_byte_is_a_new_version(publication: Publication, at: int) -> None:
    value = np.zeros(5_000_000, np.uint8)
    first = handle_of(publication, value)
    value[at] = 1
    second = handle_of(publication, value)
    assert version_of(first) != version_of(second)
    assert not attach(first).any()
    assert attach(second)[at] == 1


def test_a_state_goes_in_place_of_one_that_nobody_uses(
    publication: Publication,
) -> None:
    value = np.zeros(5000)
    first = handle_of(publication, value)
    attach(first)
    value[3] = 1
    second = handle_of(publication, value)
    assert first.file == second.file
    assert first.nonce != second.nonce
    with pytest.raises(VersionGone):
        attach(first)


def test_what_somebody_maps_stays_while_the_object_goes_through_many_states(
    publication: Publication,
) -> None:
    value = np.zeros(5000)
    first = attach(handle_of(publication, value))
    awaited = handle_of(publication, value)
    kept = []
    for number in range(1, 51):
        value[:] = number
        got = attach(handle_of(publication, value))
        assert (got == number).all()
        if number % 10 == 0:
            kept.append((number, got))
        del got
    assert not first.any()
    assert not attach(awaited).any()
    for number, got in kept:
        assert (got == number).all()
    # Those that are kept, and one or two for all others.
    assert publication.versions().kept <= len(kept) + 3


def test_other_lengths_and_shapes_are_other_states(publication: Publication) -> None:
    states: list[Any] = [
        np.zeros(5000),
        np.zeros(4999),
        np.zeros((50, 100)),
        np.zeros(5000, "f4"),
        {"a": np.zeros(3000), "b": np.zeros(2000)},
        "text" * 5000,
        list(range(5000)),
    ]
    for state in [*states, *states[::-1]]:
        got = attach(handle_of(publication, state))
        assert type(got) is type(state)
        np.testing.assert_equal(got, state)
        del got
    assert publication.versions().kept <= 2


def test_a_frozen_object_is_looked_at_once(store: Store) -> None:
    publication = store.publication("df", frozen=True)
    value = np.zeros(5000)
    first = handle_of(publication, value)
    value[:] = 1  # which was promised not to be
    second = handle_of(publication, value)
    assert version_of(first) == version_of(second)
    publication.renew()
    assert attach(handle_of(publication, value)).all()


def test_what_is_kept_is_counted(publication: Publication) -> None:
    value = np.zeros(5000)
    assert publication.versions() == Versions()
    first = handle_of(publication, value)
    kept, size, mapped, awaited, spooled = publication.versions()
    assert (kept, mapped, awaited, spooled) == (1, 0, 0, 0)
    assert 40_000 < size < 60_000
    value[:] = 1
    got = attach(handle_of(publication, value))
    assert publication.versions() == Versions(2, 2 * size, size, 1)
    attach(first)
    assert publication.versions()[3] == 0
    assert repr(publication) == "<Publication of df: 2 versions>"
    del got


class Busy:
    """
    Something whose pickling meets another thread's work.
    """

    def __init__(self, at_work: Any) -> None:
        self.at_work = at_work

    def __reduce__(self) -> Any:
        self.at_work()
        return dict, ()


def test_an_object_that_grows_while_it_is_copied_is_published_again(
    publication: Publication,
) -> None:
    value: dict[str, Any] = {"a": np.zeros(5000)}
    turns = itertools.count()

    def work() -> None:
        if next(turns) == 1:  # the second look, after the copy
            value["b"] = np.ones(3000)

    value["busy"] = Busy(work)
    got = attach(handle_of(publication, value))
    assert list(got) == ["a", "busy", "b"]
    assert got["b"].all()


def test_an_object_that_another_thread_goes_on_growing_is_refused(
    publication: Publication,
) -> None:
    """
    It grows after each copy, and not in pickles that follow one another at once.
    """
    value: dict[str, Any] = {"a": np.zeros(5000)}
    turns = iter(range(1 + MOST_TRIES))

    def grow() -> None:
        if next(turns, None) is not None:
            value["a"] = np.zeros(len(value["a"]) + 1)

    value["busy"] = Busy(grow)
    with pytest.raises(ObjectChanged, match=r"'df' changed.*locked\(shared\.df\)"):
        publication.handle(value)
    del value["busy"]
    assert len(attach(handle_of(publication, value))["a"]) == len(value["a"])


class Stamped:
    """
    Something whose pickle is another one each time, though nobody changes it.
    """

    def __init__(self, size: int = 5000) -> None:
        self.array = np.arange(size)

    def __getstate__(self) -> dict[str, Any]:
        stamp = uuid.uuid4().hex
        return {"array": self.array, "stamp": stamp * (1 + stamp.count("0"))}


def test_an_object_whose_pickle_differs_each_time_goes_as_one_pickle(
    publication: Publication,
) -> None:
    value = Stamped()
    for number in range(4):
        value.array[3] = number
        got = attach(handle_of(publication, value))
        assert got.stamp
        np.testing.assert_array_equal(got.array, value.array)
        got.array[0] = -1  # which is its own
        assert value.array[0] == 0
        del got
    assert publication.versions().kept <= 2


def test_what_pickles_alike_again_is_compared_again(publication: Publication) -> None:
    value: dict[str, Any] = {"a": np.zeros(5000), "stamped": Stamped()}
    attach(handle_of(publication, value))
    del value["stamped"]
    first, second = (handle_of(publication, value) for _ in range(2))
    assert version_of(first) == version_of(second)
    assert len(attach(second)["a"]) == 5000


def test_a_dict_that_grows_under_the_pickler_is_tried_again(
    publication: Publication,
) -> None:
    value: dict[Any, Any] = {"a": np.zeros(5000)}
    turns = iter(range(1))
    value["busy"] = Busy(lambda: [value.update({n: n}) for n in turns])
    value["end"] = 1
    assert attach(handle_of(publication, value))[0] == 0
    count = itertools.count()
    value["busy"] = Busy(lambda: value.update({next(count) + 10: 1}))
    with pytest.raises(ObjectChanged):
        publication.handle(value)


def test_under_another_threads_writes_a_state_has_one_length(
    publication: Publication,
) -> None:
    value = {name: np.zeros(20_000) for name in "abc"}
    stop = threading.Event()

    def rewrite() -> None:
        for length in itertools.cycle([20_000, 15_000, 25_000]):
            if stop.is_set():
                return
            for name in value:
                value[name] = np.full(length, length)
            stop.wait(0.001)

    thread = threading.Thread(target=rewrite)
    thread.start()
    seen = refused = 0
    try:
        for _ in range(300):
            try:
                got = attach(handle_of(publication, value))
            except ObjectChanged:
                refused += 1
                continue
            for array in got.values():
                assert (array == array[0]).all()
                assert len(array) in (20_000, 15_000, 25_000)
            seen += 1
    finally:
        stop.set()
        thread.join(DEADLINE_S)
    assert seen
    for array in value.values():
        array[:] = 1
    assert all(array.all() for array in attach(handle_of(publication, value)).values())


def test_what_cannot_be_pickled_leaves_the_version_before(
    publication: Publication,
) -> None:
    value: dict[str, Any] = {"a": np.zeros(5000)}
    first = handle_of(publication, value)
    value["lock"] = threading.Lock()
    with pytest.raises(DataEncodeError, match=r"df\['lock'\]"):
        publication.handle(value)
    del value["lock"]
    assert version_of(handle_of(publication, value)) == version_of(first)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "broken")])
@pytest.mark.parametrize("place", ["new", "replaced"])
def test_an_error_halfway_leaves_a_publication_that_works(
    publication: Publication,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    error: BaseException,
) -> None:
    value = np.zeros(5000)
    before = len(list(Path("/proc/self/fd").iterdir()))
    first = handle_of(publication, value)
    if place == "replaced":
        attach(first)

    def fail(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(versions, "update", fail)
        patch.setattr(files, "write_pieces", fail)
        value[:] = 1
        for _ in range(3):
            with pytest.raises(type(error)):
                publication.handle(value)
    if place == "new":
        assert not attach(first).any()
    assert attach(handle_of(publication, value)).all()
    publication.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_without_room_what_was_published_goes_on(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = np.zeros(5000)
    first = attach(handle_of(publication, value))
    value[:] = 1
    with monkeypatch.context() as patch:
        # A file system of the kernel's own has no room whatever.
        patch.setattr(folders, "MEMORY_FOLDER", Path("/proc"))
        patch.setattr(spool, "_spool", Path("/proc"))
        with pytest.raises(DataTooBigError, match="no space"):
            publication.handle(value)
    assert attach(handle_of(publication, value)).all()
    assert not first.any()


def test_an_object_may_ask_for_handles_while_it_is_pickled(
    publication: Publication,
) -> None:
    inner = np.arange(5000)
    seen = []

    def ask() -> None:
        seen.append(rebuild(encoded(publication.handle(inner))).sum())

    value = {"a": np.zeros(5000), "busy": Busy(ask)}
    assert attach(handle_of(publication, value))["a"].shape == (5000,)
    assert set(seen) == {inner.sum()}
    assert attach(handle_of(publication, inner))[1] == 1


def test_an_unused_publication_keeps_one_spare(publication: Publication) -> None:
    value = np.zeros(5000)
    kept = []
    for number in range(6):
        value[:] = number
        kept.append(attach(handle_of(publication, value)))
    assert publication.versions().kept == 6
    kept.clear()
    assert publication.versions().kept == 2
    publication.drop_spares()
    assert publication.versions().kept == 1


def test_the_smallest_file_is_worth_more_than_a_handle(
    publication: Publication,
) -> None:
    assert not isinstance(publication.handle(b"x" * 500), Handle)
    assert isinstance(publication.handle(b"x" * INLINE_BYTES), Handle)
