"""
A proxy that an object of the kernel holds is the proxy of its object.
"""

from __future__ import annotations

import gc
import queue
from collections import UserDict, deque
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.client.fetching import fetch
from duck_jupyter.client.references import ref
from duck_jupyter.errors import AccessDenied, ProxyObjectNotFound
from duck_jupyter.proxy import Proxy, ProxyServer
from tests.support.objects import Plain, Tally
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workers import Worker

SAME = (
    "repr({0}) == repr(p) and type({0}) is type(p) and ({0} == p) is True "
    "and {0}._duck_idx == p._duck_idx and {0}._duck_ref.level == 0"
)


class Keeper:
    """
    It holds a proxy in many places.
    """

    def __init__(self, proxy: Any) -> None:
        self.own = proxy
        self.many = [proxy, (proxy, {"k": proxy})]
        self.method = proxy.append
        self._proxy = proxy

    def give(self) -> Any:
        return self._proxy

    def give_pair(self) -> Any:
        return self._proxy, 1

    def __getitem__(self, key: Any) -> Any:
        return self._proxy

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Any:
        return iter([self._proxy] * 3)

    def is_kept(self, value: Any) -> bool:
        return value is self._proxy


@pytest.mark.parametrize(
    "held",
    [
        *("q.own", "q.many[0]", "q.many[1][1]['k']", "q.give()", "q.give_pair()[0]"),
        *(
            "q[5]",
            "list(q)[2]",
            "ref(q).own",
            "ref(q).give()",
            "ref(q)[5]",
            "q.method.__self__",
        ),
    ],
)
def test_a_held_proxy_is_that_of_its_object(
    server: ProxyServer, worker: Worker, held: str
) -> None:
    target = [1]
    proxy = server.create_proxy(target, name="rows")
    keeper = server.create_proxy(Keeper(proxy))

    assert worker.eval(SAME.format(held), p=proxy, q=keeper)
    assert worker.eval(f"fetch({held})", q=keeper) == [1]
    worker.exec(f"held = {held}; held.append(2); result = len(held)", q=keeper)
    assert target == [1, 2]
    code = f"""
held = {held}
def lock():
    try:
        with locked(held, timeout=0.1):
            found.append("both hold it")
    except ProxyTimeout:
        found.append("excluded")
found = []
with locked(p), locked(held):
    thread = threading.Thread(target=lock)
    thread.start()
    thread.join()
result = found
"""
    assert worker.exec(code, p=proxy, q=keeper) == ["excluded"]
    assert len(server.table.entries) <= 3


def test_the_settings_are_those_of_the_proxy(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy([1], name="rows", readonly=True)
    keeper = server.create_proxy({"k": proxy}, name="keeper")
    with pytest.raises(AccessDenied, match="rows is shared read-only"):
        worker.exec("p['k'].append(2)", p=keeper)
    open_one = server.create_proxy([1], name="open")
    keeper = server.create_proxy({"k": open_one}, name="keeper", readonly=True)
    worker.exec("p['k'].append(2)", p=keeper)

    assert len(open_one) == 2


def test_a_held_proxy_of_a_reached_object_keeps_its_level(
    server: ProxyServer, worker: Worker
) -> None:
    root = server.create_proxy(Plain(part=Plain(value=5)))
    part = ref(root).part
    keeper = server.create_proxy([part])
    code = "held = p[0]; result = held._duck_ref.level, repr(held), held.value"

    assert worker.exec(code, p=keeper) == (1, repr(part), 5)
    del part
    gc.collect()
    assert worker.exec(code, p=keeper)[2] == 5
    keeper.clear()
    gc.collect()
    assert wait_until(lambda: len(server.table.entries) == 2)


def test_a_held_array_is_fetched(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(np.arange(3))
    keeper = server.create_proxy({"a": proxy})

    assert worker.eval("fetch(p['a']).tolist()", p=keeper) == [0, 1, 2]
    assert worker.eval("np.asarray(p['a']).tolist()", p=keeper) == [0, 1, 2]
    assert worker.eval("fetch(fetch(p)['a']).tolist()", p=keeper) == [0, 1, 2]


def test_a_held_method_is_called(server: ProxyServer, worker: Worker) -> None:
    target = [1]
    keeper = server.create_proxy({"add": server.create_proxy(target).append})
    worker.exec("p['add'](2); [*p.values()][0](3); ref(p)['add'](4)", p=keeper)

    assert target == [1, 2, 3, 4]


def test_a_held_proxy_of_what_was_unshared_says_so(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy([1])
    keeper = server.create_proxy({"k": proxy, "n": 5})
    server.remove_proxy(proxy)

    assert worker.eval("dict(p)['n']", p=keeper) == 5
    with pytest.raises(ProxyObjectNotFound, match="unshared"):
        worker.eval("p['k'][0]", p=keeper)


def test_a_held_proxy_follows_its_name(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy([1], name="x")
    keeper = server.create_proxy({"k": proxy})
    server.retarget(proxy, {"a": 2})

    assert worker.eval("p['k']['a']", p=keeper) == 2


@pytest.mark.parametrize("held", ["p[0]", "p[1]['k']", "ref(p)[0]", "list(p)[0]"])
def test_a_held_proxy_of_another_server_leads_there(
    server: ProxyServer, worker: Worker, held: str
) -> None:
    with ProxyServer() as other:
        far = other.create_proxy([1], name="far")
        target = [far, {"k": far}]
        proxy = server.create_proxy(target)
        code = f"held = {held}; held.append(2); result = held == q, held._duck_idx"

        assert worker.exec(code, p=proxy, q=far) == (True, far._duck_idx)
        assert list(far) == [1, 2]
        assert len(server.table.entries) == 1


STORES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "dict": (dict, "q['k'] = p", "q['k']"),
    "setdefault": (dict, "q.setdefault('k', p)", "q['k']"),
    "UserDict": (UserDict, "q['k'] = p", "q['k']"),
    "append": (list, "q.append(p)", "q[0]"),
    "insert": (list, "q.insert(0, p)", "q[0]"),
    "list": (lambda: [0], "q[0] = p", "q[0]"),
    "deque": (deque, "q.appendleft(p)", "q[0]"),
    "queue": (queue.Queue, "q.put(p)", "q.get()"),
    "simple queue": (queue.SimpleQueue, "q.put_nowait(p)", "q.get_nowait()"),
    "attribute": (Plain, "q.rows = p", "q.rows"),
}


@pytest.mark.parametrize("where", ["worker", "kernel"])
@pytest.mark.parametrize("name", STORES)
def test_a_proxy_that_is_stored_stays_one(
    server: ProxyServer, worker: Worker, name: str, where: str
) -> None:
    make, store, held = STORES[name]
    target = [1]
    names = {"p": server.create_proxy(target), "q": server.create_proxy(make())}
    if where == "worker":
        worker.exec(store, **names)
    else:
        exec(store, dict(names))

    code = f"held = {held}; held.append(2); result = {SAME.format('held')}"
    assert worker.exec(code, **names)
    assert target == [1, 2]


def test_a_proxy_that_is_put_into_a_set_stays_one(
    server: ProxyServer, worker: Worker
) -> None:
    tally = Tally()
    names = {"p": server.create_proxy(tally), "q": server.create_proxy(set())}

    assert worker.eval("q.add(p) or [x.count() for x in q]", **names) == [1]
    assert worker.eval("p in q, len(q)", **names) == (True, 1)
    assert tally.value == 1


@pytest.mark.parametrize("where", ["worker", "kernel"])
@pytest.mark.parametrize(
    "store",
    [
        "q['k'] = ref(p).part",
        "q.setdefault('k', ref(p).part)",
        "q['k'] = ref(p).give()",
        "q['k'] = 0; q['k'] = ref(p).parts[0]",
    ],
)
def test_what_is_reached_through_an_object_is_stored_itself(
    server: ProxyServer, worker: Worker, store: str, where: str
) -> None:
    part = Plain(value=5)
    root = Plain(part=part, parts=[part], give=lambda: part)
    target: dict[str, Any] = {}
    names = {"p": server.create_proxy(root), "q": server.create_proxy(target)}
    if where == "worker":
        worker.exec(store, **names)
    else:
        exec(store, {"ref": ref, **names})

    assert target["k"] is part
    assert wait_until(lambda: len(server.table.entries) == 2)


@pytest.mark.parametrize("where", ["worker", "kernel"])
@pytest.mark.parametrize(
    "code",
    [
        "p.array += 1; q['k'] += 1; r[0] += 1",
        "ref(p).array += 1; ref(q)['k'] += 1; ref(r)[0] += 1",
    ],
)
def test_an_array_that_is_added_to_stays_the_array(
    server: ProxyServer, worker: Worker, code: str, where: str
) -> None:
    array = np.zeros(2)
    held: Any = Plain(array=array)
    items, rows = {"k": array}, [array]
    names: dict[str, Any] = {
        "p": server.create_proxy(held),
        "q": server.create_proxy(items),
        "r": server.create_proxy(rows),
    }
    if where == "worker":
        worker.exec(code, **names)
    else:
        exec(code, {"ref": ref, **names})

    assert held.array is items["k"] is rows[0] is array
    assert array.tolist() == [3, 3]


def test_a_list_that_is_added_to_stays_the_list(
    server: ProxyServer, worker: Worker
) -> None:
    rows = [1]
    target = {"k": rows}
    worker.exec("ref(p)['k'] += [2]", p=server.create_proxy(target))

    assert target["k"] is rows
    assert rows == [1, 2]


def test_what_is_read_only_is_stored_as_a_proxy(
    server: ProxyServer, worker: Worker
) -> None:
    names = {
        "p": server.create_proxy(Plain(part=Plain(value=5)), readonly=True),
        "q": server.create_proxy({}),
    }
    worker.exec("q['k'] = ref(p).part", **names)
    with pytest.raises(AccessDenied, match="read-only"):
        worker.exec("q['k'].value = 6", q=names["q"])
    assert worker.eval("q['k'].value, q['k']._duck_ref.level", q=names["q"]) == (5, 1)


def test_other_arguments_are_the_objects_themselves(
    server: ProxyServer, worker: Worker
) -> None:
    array = np.zeros(3)
    keeper = Keeper(server.create_proxy([1]))
    names = {
        "p": server.create_proxy(array),
        "q": server.create_proxy(np.ones(3)),
        "k": server.create_proxy(keeper),
    }
    worker.exec("p[:] = q", **names)

    assert array.tolist() == [1, 1, 1]
    assert not worker.eval("k.is_kept(k.give())", **names)
    held: list[Any] = []
    proxy = server.create_proxy(held)
    worker.exec("p.append([q]); p.extend([q])", p=proxy, q=names["q"])
    assert type(held[0][0]) is type(held[1]) is np.ndarray


def test_a_proxy_in_the_kernel_is_the_held_one(server: ProxyServer) -> None:
    proxy = server.create_proxy([1])
    keeper: Any = server.create_proxy(Keeper(proxy))

    assert keeper.own is keeper.give() is proxy
    assert ref(keeper).own._duck_idx == proxy._duck_idx
    assert fetch(ref(keeper).own) == [1]
    assert isinstance(ref(keeper).give(), Proxy)
