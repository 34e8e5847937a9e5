"""
copy.copy and copy.deepcopy of a proxy give the object, copied.
"""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client.references import ref
from duck_jupyter.errors import AccessDenied, DataEncodeError
from tests.support.objects import Tally

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


class Locking:
    """
    An object that can be copied in its own process alone.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.names = ["a"]

    def __deepcopy__(self, memo: dict[int, Any]) -> Locking:
        return Locking()


@pytest.mark.parametrize("how", ["copy.copy(p)", "copy.deepcopy(p)"])
def test_a_copy_in_a_worker_is_the_workers_own(
    server: ProxyServer, worker: Worker, how: str
) -> None:
    target = {"rows": [1]}
    code = f"c = {how}; c['rows'].append(2); c['new'] = 3; result = type(c), c"
    kind, found = worker.exec(code, p=server.create_proxy(target))

    assert (kind, found) == (dict, {"rows": [1, 2], "new": 3})
    assert target == {"rows": [1]}


def test_a_copy_in_the_kernel_is_what_copying_the_object_gives(
    server: ProxyServer,
) -> None:
    target = {"rows": [1]}
    proxy: Any = server.create_proxy(target)
    shallow, deep = copy.copy(proxy), copy.deepcopy(proxy)
    shallow["new"] = deep["new"] = 3

    assert shallow["rows"] is target["rows"]
    assert deep["rows"] is not target["rows"]
    assert type(shallow) is type(deep) is dict
    assert target == {"rows": [1]}


def test_the_same_proxy_twice_is_the_same_copy_twice(
    server: ProxyServer, worker: Worker
) -> None:
    proxy: Any = server.create_proxy([1])
    code = "a, b = copy.deepcopy([p, p]); result = a is b and type(a) is list"

    assert worker.exec(code, p=proxy)
    one, other = copy.deepcopy([proxy, proxy])
    assert one is other
    assert type(one) is list


def test_an_object_of_a_class_is_copied(server: ProxyServer, worker: Worker) -> None:
    target = Tally(3)
    code = "c = copy.deepcopy(p); c.count(); result = type(c), c.value"

    assert worker.exec(code, p=server.create_proxy(target)) == (Tally, 4)
    assert target.value == 3


def test_a_method_of_a_deep_copy_is_that_of_the_copy(
    server: ProxyServer, worker: Worker
) -> None:
    target = [1]
    code = "m = copy.deepcopy(p.append); m(2); result = m.__self__"

    assert worker.exec(code, p=server.create_proxy(target)) == [1, 2]
    assert target == [1]


def test_a_copy_of_a_reference_is_a_copy_of_what_it_refers_to(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy([[1]])

    assert worker.eval("copy.deepcopy(ref(p))", p=proxy) == [[1]]
    found: Any = copy.copy(ref(proxy))
    assert found == [[1]]


@pytest.mark.parametrize("how", ["copy.copy(p)", "copy.deepcopy(p)"])
def test_what_cannot_be_pickled_says_what_to_do(
    server: ProxyServer, worker: Worker, how: str
) -> None:
    proxy: Any = server.create_proxy(Locking(), name="model")

    with pytest.raises(DataEncodeError, match=r"model\.lock is a .*share a function"):
        worker.eval(how, p=proxy)
    assert type(copy.deepcopy(proxy)) is Locking


def test_an_object_of_which_few_names_are_open_is_not_copied(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy({"secret": 1}, name="cfg", allow=["keys"])

    with pytest.raises(AccessDenied, match="%share cfg"):
        worker.eval("copy.deepcopy(p)", p=proxy)
    with pytest.raises(AccessDenied, match="%share cfg"):
        copy.deepcopy(proxy)
