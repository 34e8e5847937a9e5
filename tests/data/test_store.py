"""
Store: what is awaited stays, what nobody needs goes, and a child has nothing of it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.data import store as storing
from duck_jupyter.data.attach import attach, encoded, rebuild
from duck_jupyter.data.handles import Handle
from duck_jupyter.data.inplace import Inplace
from duck_jupyter.data.store import LOST_S, Store
from duck_jupyter.data.versions import Versions
from duck_jupyter.errors import VersionGone, VersionsAwaited
from duck_jupyter.memory import folders
from duck_jupyter.memory.folders import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.data.publication import Publication

DEADLINE_S = 20.0
#: What a version of the test's array takes, a bit more than its 40,000 bytes.
VERSION_BYTES = 49_000


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def handle_of(publication: Publication, value: Any) -> Handle:
    handle = publication.handle(value)
    assert isinstance(handle, Handle)
    return handle


def hold_memory(patch: pytest.MonkeyPatch, versions: float) -> None:
    """
    Let the memory be so small that so many versions may be awaited.
    """
    capacity = int(2 * versions * VERSION_BYTES)
    place = Place(Path("/dev/shm"), capacity, capacity)
    patch.setattr(storing, "memory_place", lambda: place)


def test_what_is_retired_is_kept_for_handles_on_their_way(store: Store) -> None:
    publication = store.publication("df")
    value = np.zeros(5000)
    mapped = attach(handle_of(publication, value))
    first = handle_of(publication, value)
    value[:] = 1
    second = handle_of(publication, value)
    value[:] = 2
    attach(handle_of(publication, value))
    assert store.versions().kept == 3
    store.retire(publication)
    assert store.versions().kept == 2
    assert not attach(first).any()
    assert store.versions().kept == 1
    assert attach(second).all()
    assert store.versions() == Versions()
    assert not mapped.any()


def test_what_was_retired_without_handles_is_gone_at_once(store: Store) -> None:
    publication = store.publication("df")
    handle = handle_of(publication, np.zeros(5000))
    attach(handle)
    store.retire(publication)
    store.retire(publication)
    with pytest.raises(VersionGone):
        attach(handle)


class Slow:
    """
    Something whose pickling does something else as well.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work

    def __reduce__(self) -> Any:
        self.work()
        return str, ()


@pytest.mark.parametrize("here", [True, False], ids=["own thread", "another thread"])
def test_a_handle_arrives_though_its_object_was_unshared_while_it_was_published(
    store: Store, here: bool
) -> None:
    """
    A pool pickles in a thread of its own while the notebook goes on.
    """

    def publish(publication: Publication) -> Handle:
        def retire() -> None:
            if here:
                store.retire(publication)
            else:
                thread = threading.Thread(target=store.retire, args=(publication,))
                thread.start()
                thread.join(DEADLINE_S)

        value = {"a": np.arange(5000), "slow": Slow(retire)}
        return handle_of(publication, value)

    handle = publish(store.publication("df"))
    gc.collect()
    assert attach(handle)["a"][7] == 7
    assert store.versions().kept == 0


def test_a_handle_arrives_though_its_object_was_unshared_before_it_was_published(
    store: Store,
) -> None:
    publication = store.publication("df")
    store.retire(publication)
    handle = handle_of(publication, np.arange(5000))
    del publication
    gc.collect()
    assert attach(handle)[7] == 7
    assert store.versions().kept == 0


def test_objects_that_are_retired_while_threads_publish_them_leave_nothing(
    store: Store,
) -> None:
    value = np.arange(5000)
    errors: list[BaseException] = []

    def pass_on(publication: Publication, started: threading.Event) -> None:
        try:
            for _ in range(20):
                handle = handle_of(publication, value)
                started.set()
                assert attach(handle)[9] == 9
        except BaseException as error:
            errors.append(error)

    for _ in range(20):
        publication, started = store.publication("df"), threading.Event()
        thread = threading.Thread(target=pass_on, args=(publication, started))
        thread.start()
        assert started.wait(DEADLINE_S)
        store.retire(publication)
        thread.join(DEADLINE_S)
    assert not errors
    assert store.versions() == Versions()


def test_too_many_awaited_states_are_refused_and_then_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_memory(monkeypatch, 3)
    publication = store.publication("df")
    value = np.zeros(5000)
    handles = []
    for number in range(3):
        value[:] = number
        handles.append(handle_of(publication, value))
    value[:] = 3
    for _ in range(2):
        with pytest.raises(
            VersionsAwaited, match=r"'df' changed again while .* 1[\d,]+ bytes.*Wait"
        ):
            publication.handle(value)
    assert [attach(handle)[0] for handle in handles] == [0, 1, 2]
    assert attach(handle_of(publication, value))[0] == 3


def test_awaited_states_of_other_objects_count_as_well(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_memory(monkeypatch, 2)
    value = np.zeros(5000)
    handles = []
    for name in ("a", "b"):
        publication = store.publication(name)
        handles.append(handle_of(publication, value))
        store.retire(publication)
    last = store.publication("c")
    with pytest.raises(VersionsAwaited, match="'c'"):
        last.handle(value)
    for handle in handles:
        attach(handle)
    assert not attach(handle_of(last, value)).any()


def test_a_handle_that_was_lost_long_ago_is_given_up_where_room_is_needed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_memory(monkeypatch, 3)
    publication = store.publication("df")
    value = np.zeros(5000)
    handles = []
    for number in range(3):
        value[:] = number
        handles.append(handle_of(publication, value))
    lost = [*publication._older, publication._current]
    assert all(lost)
    for version, ago in zip(lost, (LOST_S + 5, LOST_S + 9, LOST_S - 60), strict=True):
        assert version is not None
        version.given_at = time.monotonic() - ago
    value[:] = 3
    assert attach(handle_of(publication, value))[0] == 3
    with pytest.raises(VersionGone):
        attach(handles[1])  # the one that was lost first, and no more than needed
    assert attach(handles[0])[0] == 0
    assert attach(handles[2])[0] == 2


def test_where_there_is_no_shared_memory_the_spool_folder_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MEMORY_FOLDER", Path("/nowhere"))
    publication = store.publication("df")
    value = np.zeros(5000)
    first = handle_of(publication, value)
    value[:] = 1
    second = handle_of(publication, value)
    assert not attach(first).any()
    assert attach(second).all()


def test_memory_that_nobody_uses_makes_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = store.publication("idle")
    value = np.zeros(5000)
    kept = [attach(handle_of(idle, value))]
    value[:] = 1
    kept.append(attach(handle_of(idle, value)))
    kept.clear()
    assert store.versions().kept == 2
    place = Place(Path("/dev/shm"), 10 << 20, 1 << 10)
    monkeypatch.setattr(storing, "memory_place", lambda: place)
    attach(handle_of(store.publication("df"), value))
    assert idle.versions().kept == 1


def test_a_closed_store_keeps_nothing_and_views_go_on() -> None:
    store = Store()
    publications = [store.publication(str(number)) for number in range(3)]
    value = np.arange(5000)
    views = [attach(handle_of(publication, value)) for publication in publications]
    late = handle_of(publications[0], value)
    store.retire(publications[0])
    store.close()
    store.close()
    assert store.versions() == Versions()
    with pytest.raises(VersionGone):
        attach(late)
    for view in views:
        np.testing.assert_array_equal(view, value)


def test_counting_does_not_wait_for_who_publishes(store: Store) -> None:
    publication = store.publication("df")
    handle_of(publication, np.zeros(5000))
    before = store.versions()
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(DEADLINE_S)

    value = {"a": np.ones(9000), "slow": Slow(work)}
    thread = threading.Thread(target=publication.handle, args=(value,))
    thread.start()
    assert begun.wait(DEADLINE_S)
    start = time.monotonic()
    assert store.versions() == before
    assert publication.awaited() == []
    publication.renew()
    publication.drop_spares()
    other = store.publication("other")
    attach(handle_of(other, np.zeros(5000)))
    store.retire(other)
    store.retire(publication)
    assert time.monotonic() - start < 2
    go_on.set()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def test_two_objects_that_are_published_at_once_do_not_wait_for_each_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_memory(monkeypatch, 20)
    told = []

    def go_on(name: str) -> None:
        publication = store.publication(name)
        value = np.zeros(5000)
        kept: list[Any] = []
        for number in range(200):
            value[:] = number
            kept = [*kept[-3:], attach(handle_of(publication, value))]
            assert (kept[-1] == number).all()
        told.append(name)

    threads = [threading.Thread(target=go_on, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert sorted(told) == list("abcd")


def files_here() -> set[str]:
    """
    List the nameless files in memory that this process maps or has open.
    """
    lines = Path("/proc/self/maps").read_text().splitlines()
    found = {line.split(maxsplit=5)[-1] for line in lines}
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists them
            found.add(str(link.readlink()))
    return {path for path in found if path.startswith("/dev/shm/#")}


def test_a_forked_child_has_nothing_of_the_parents_versions(store: Store) -> None:
    outside = files_here()
    publication = store.publication("df")
    value = np.zeros(5000)
    kept: list[Handle] = []
    for number in range(3):
        value[:] = number
        kept.append(handle_of(publication, value))
    retired = store.publication("retired")
    kept.append(handle_of(retired, np.full(5000, 3)))
    store.retire(retired)
    inplace = Inplace(np.zeros(5000), "inplace")
    store.add(inplace)
    assert len(files_here() - outside) == 5
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            # The object of the notebook is still there, in its memory, and no more.
            assert len(files_here() - outside) == 1
            inplace.object[0] = 8
            assert store.versions() == Versions()
            mine = store.publication("mine")
            assert attach(handle_of(mine, np.ones(5000))).all()
            for number, handle in enumerate(kept):
                assert attach(handle)[0] == number
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert inplace.object[0] == 8
    assert store.versions().awaited == 0


def test_a_child_forked_by_a_thread_that_publishes_can_publish(store: Store) -> None:
    publication = store.publication("df")
    codes: list[int] = []

    def fork() -> None:
        if codes:
            return
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                data = encoded(store.publication("mine").handle(np.ones(5000)))
                code = 0 if rebuild(data).all() else 2
            finally:
                os._exit(code)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    handle = handle_of(publication, {"a": np.arange(5000), "slow": Slow(fork)})
    assert codes == [0]
    assert attach(handle)["a"][3] == 3
