"""
Publisher: who may have an object as a value, and what is kept of it.
"""

from __future__ import annotations

import gc
import pickle
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.client.fetching import fetch
from duck_jupyter.client.references import ref
from duck_jupyter.data.handles import Handle, Inline
from duck_jupyter.data.inplace import Inplace
from duck_jupyter.errors import (
    AccessDenied,
    NotShareable,
    ProxyClosed,
    ProxyObjectNotFound,
    VersionGone,
    VersionsAwaited,
)
from tests.support.objects import Plain
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from duck_jupyter.objects.table import Entry
    from duck_jupyter.proxy import ProxyServer

SIZE = 10_000


def entry_of(server: ProxyServer, proxy: Any) -> Entry:
    return server.table.get(proxy._duck_idx)


def load(server: ProxyServer, proxy: Any, target: Any) -> Any:
    """
    Give what a worker gets where the object itself was passed to a pool.
    """
    return pickle.loads(pickle.dumps(Passed(server.reduced(proxy, target))))


class Passed:
    """
    Something that pickles to what it is told.
    """

    def __init__(self, reduction: Any) -> None:
        self.reduction = reduction

    def __reduce__(self) -> Any:
        return self.reduction


def test_a_small_object_goes_in_the_handle_and_a_large_one_beside_it(
    server: ProxyServer,
) -> None:
    small, large = server.create_proxy([1, 2]), server.create_proxy(np.zeros(SIZE))
    publisher = server.publisher
    assert isinstance(publisher.fetch(entry_of(server, small)).handle, Inline)
    assert isinstance(publisher.fetch(entry_of(server, large)).handle, Handle)
    assert publisher.versions(small._duck_idx).kept == 0
    assert publisher.versions(large._duck_idx).kept == 1


def test_nothing_is_published_before_it_is_asked_for(server: ProxyServer) -> None:
    server.create_proxy(np.zeros(SIZE))
    assert server.publisher.store.versions().kept == 0
    assert server.statistics().memory.ours == 0


def test_an_unchanged_object_has_one_version(server: ProxyServer) -> None:
    proxy = server.create_proxy(np.zeros(SIZE))
    held = [fetch(proxy) for _ in range(5)]
    found = server.publisher.versions(proxy._duck_idx)
    assert (found.kept, found.awaited) == (1, 0)
    assert found.mapped == found.bytes >= SIZE * 8
    assert server.statistics().memory.ours == found.bytes
    del held
    assert server.publisher.versions(proxy._duck_idx).mapped == 0


def test_versions_that_somebody_holds_are_kept(server: ProxyServer) -> None:
    target = np.zeros(SIZE)
    proxy = server.create_proxy(target)
    held = []
    for step in range(4):
        target[0] = step
        held.append(fetch(proxy))
    assert server.publisher.versions(proxy._duck_idx).kept == 4
    assert [array[0] for array in held] == [0, 1, 2, 3]
    held.clear()
    assert server.publisher.versions(proxy._duck_idx).kept <= 2


def test_who_may_use_few_names_may_pass_the_object_on(server: ProxyServer) -> None:
    """
    What is closed is the worker's way to take it; the notebook gives what it likes.
    """
    target = np.ones(SIZE)
    proxy = server.create_proxy(target, allow=["sum"])
    with pytest.raises(AccessDenied):
        server.publisher.fetch(entry_of(server, proxy))
    assert load(server, proxy, target).sum() == SIZE


def test_only_the_object_that_the_name_stands_for_goes(server: ProxyServer) -> None:
    first, second = np.ones(SIZE), np.full(SIZE, 2.0)
    proxy = server.create_proxy(first)
    server.retarget(proxy, second)
    assert load(server, proxy, second)[0] == 2
    # As ever, that is.
    assert server.reduced(proxy, first) is NotImplemented


def test_an_object_that_was_just_replaced_goes_as_itself(server: ProxyServer) -> None:
    """
    A thread pickles it, and another one rebinds its name in the middle of that.
    """
    first, second = np.ones(SIZE), np.full(SIZE, 2.0)
    proxy = server.create_proxy(first, frozen=True)
    entry = entry_of(server, proxy)
    server.retarget(proxy, second)
    late = pickle.dumps(Passed(server.publisher.reduced(entry, first)))
    assert pickle.loads(late)[0] == 1
    assert load(server, proxy, second)[0] == fetch(proxy)[0] == 2


def test_a_removed_object_is_let_go_with_its_versions(server: ProxyServer) -> None:
    target = Plain(array=np.zeros(SIZE))
    gone = weakref.ref(target)
    proxy = server.create_proxy(target)
    fetch(proxy)
    server.remove_proxy(proxy)
    del target
    gc.collect()
    assert gone() is None
    assert server.publisher.store.versions().kept == 0
    with pytest.raises(ProxyObjectNotFound):
        server.publisher.fetch(entry_of(server, proxy))


def test_what_was_reached_through_another_is_let_go_with_its_last_proxy(
    server: ProxyServer,
) -> None:
    holder: Any = server.create_proxy(Plain(part=Plain(array=np.zeros(SIZE))))
    part = ref(holder).part
    assert fetch(part).array.sum() == 0
    assert server.publisher.store.versions().kept == 1
    part.close()
    server.statistics()
    fetch(server.create_proxy([1]))
    assert wait_until(lambda: server.publisher.store.versions().kept == 0)


def test_a_handle_that_is_on_its_way_keeps_its_state(server: ProxyServer) -> None:
    target = np.zeros(SIZE)
    proxy = server.create_proxy(target)
    late = pickle.dumps(Passed(server.reduced(proxy, target)))
    target += 1
    fetch(proxy)
    assert server.publisher.versions(proxy._duck_idx).awaited == 1
    server.remove_proxy(proxy)
    assert server.publisher.store.versions().kept == 1
    assert pickle.loads(late).sum() == 0
    assert server.publisher.store.versions().kept == 0
    with pytest.raises(VersionGone):
        pickle.loads(late)


def test_where_too_much_is_on_its_way_the_object_goes_as_ever(
    server: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    As if half of the shared memory were taken by states that nobody fetched.
    """
    target = np.zeros(SIZE)
    proxy = server.create_proxy(target)

    def refuse(publication: Any, size: int) -> None:
        raise VersionsAwaited("full")

    monkeypatch.setattr(server.publisher.store, "make_way", refuse)
    with pytest.raises(VersionsAwaited):
        fetch(proxy)
    assert server.reduced(proxy, target) is NotImplemented


def test_an_object_in_place_has_one_version_for_good(server: ProxyServer) -> None:
    inplace = Inplace(np.zeros(SIZE), "arr")
    proxy = server.create_proxy(inplace.object, name="arr")
    server.move(proxy, inplace)
    assert server.publisher.mode(entry_of(server, proxy)) == "inplace"
    held = []
    for step in range(4):
        inplace.object[0] = step
        held.append(fetch(proxy))
    assert [array[0] for array in held] == [3, 3, 3, 3]
    assert server.publisher.versions(proxy._duck_idx).kept == 1
    server.retarget(proxy, np.zeros(SIZE))
    with pytest.raises(NotShareable, match="%share --inplace arr"):
        fetch(proxy)
    server.remove_proxy(proxy)
    assert server.publisher.store.versions().kept == 0
    assert inplace.versions().kept == 0
    held[0][1] = 7
    assert inplace.object[1] == 7


def test_a_closed_server_keeps_nothing(server: ProxyServer) -> None:
    proxy = server.create_proxy(np.zeros(SIZE))
    array = fetch(proxy)
    server.close()
    assert server.publisher.store.versions().kept == 0
    assert server.statistics().memory.ours == 0
    with pytest.raises(ProxyClosed):
        _ = server.link
    assert array.sum() == 0


def test_statistics_are_read_while_all_comes_and_goes(server: ProxyServer) -> None:
    stop = threading.Event()
    wrong: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                server.statistics()
        except BaseException as error:
            wrong.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    for step in range(100):
        inplace = Inplace(np.zeros(SIZE), "arr")
        moved = server.create_proxy(inplace.object, name="arr")
        server.move(moved, inplace)
        target = np.full(SIZE, step)
        proxy = server.create_proxy(target)
        assert fetch(proxy)[0] == step
        assert fetch(moved)[0] == 0
        server.remove_proxy(moved)
        server.remove_proxy(proxy)
    stop.set()
    reading.join()
    assert wrong == []
