"""
What the settings of a proxy forbid, and what is said to whoever tries.
"""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.errors import AccessDenied, ProxyError
from tests.support.objects import Chain, Tally

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


def test_it_is_an_error_of_both_kinds() -> None:
    assert issubclass(AccessDenied, ProxyError)
    assert issubclass(AccessDenied, AttributeError)


@pytest.mark.parametrize(
    "code",
    [
        *("p[0] = 1", "del p[0]", "p += [1]", "p *= 2", "p.append(1)", "p.sort()"),
        *("p.clear()", "p.pop()", "p.extend([1])", "p.reverse()", "p.insert(0, 1)"),
    ],
)
def test_a_read_only_list_is_not_changed(
    server: ProxyServer, worker: Worker, code: str
) -> None:
    target = [3, 1, 2]
    proxy = server.create_proxy(target, name="numbers", readonly=True)

    with pytest.raises(AccessDenied, match="numbers is shared read-only") as caught:
        worker.exec(code, p=proxy)
    assert "without --readonly" in str(caught.value)
    with pytest.raises(AccessDenied):
        exec(code, {"p": proxy})
    assert target == [3, 1, 2]


def test_a_read_only_object_is_read(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy([3, 1, 2], readonly=True)
    code = "[len(p), p[0], sorted(p), p.index(1), 2 in p, p + [4], list(reversed(p))]"

    found = worker.eval(code, p=proxy)

    assert found == [3, 3, [1, 2, 3], 1, True, [3, 1, 2, 4], [2, 1, 3]]
    table = server.create_proxy({"k": 1}, readonly=True)
    assert worker.eval("p.get('k'), list(p.items())", p=table) == (1, [("k", 1)])


@pytest.mark.parametrize("code", ["p.value = 5", "del p.value", "p.new = 1"])
def test_a_read_only_attribute_is_not_set(
    server: ProxyServer, worker: Worker, code: str
) -> None:
    target = Tally(1)
    with pytest.raises(AccessDenied, match="read-only"):
        worker.exec(code, p=server.create_proxy(target, readonly=True))

    assert vars(target) == {"value": 1}


def test_what_is_reached_through_a_read_only_proxy_is_read_only(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Chain(), readonly=True)

    assert worker.eval("p.next.next.depth", p=proxy) == 2
    with pytest.raises(AccessDenied, match="'step' of a Chain"):
        worker.eval("p.next.step()", p=proxy)
    with pytest.raises(AccessDenied, match="read-only"):
        worker.exec("p.next.depth = 9", p=proxy)
    with pytest.raises(AccessDenied, match="read-only"):
        worker.exec("ref(p).depth = 9", p=proxy)
    with pytest.raises(AccessDenied, match="read-only"):
        worker.exec("ref(p).step()", p=proxy)
    proxy = server.create_proxy(Tally(), readonly=True)
    with pytest.raises(AccessDenied, match="read-only"):
        worker.exec("p.get_response(Frame(1, [p._duck_idx, 'value', 9]))", p=proxy)


def test_a_read_only_queue_keeps_its_items(server: ProxyServer, worker: Worker) -> None:
    target: queue.Queue[int] = queue.Queue()
    target.put(1)
    proxy = server.create_proxy(target, readonly=True)

    for code in ("p.get(timeout=1)", "p.get_nowait()", "p.put(2)"):
        with pytest.raises(AccessDenied, match="read-only"):
            worker.eval(code, p=proxy)
    assert worker.eval("p.qsize()", p=proxy) == 1


def test_only_what_is_allowed_may_be_used(server: ProxyServer, worker: Worker) -> None:
    target = Tally(1)
    proxy = server.create_proxy(target, name="tally", allow=["count", "value"])

    assert worker.eval("p.count(), p.value, bool(p), p == p", p=proxy) == (
        2,
        2,
        True,
        True,
    )
    for code in ("p.double", "p.add(1, 2)", "p.step", "ref(p).add", "p.fresh()"):
        with pytest.raises(
            AccessDenied, match="not one of the allowed names"
        ) as caught:
            worker.eval(code, p=proxy)
        assert "%share tally --allow" in str(caught.value)
    with pytest.raises(AccessDenied):
        worker.exec("p.step = 3", p=proxy)
    with pytest.raises(AccessDenied):
        worker.exec("del p.step", p=proxy)
    worker.exec("p.value = 10", p=proxy)
    assert vars(target) == {"value": 10}


def test_special_methods_have_to_be_allowed_by_name(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy([1, 2], name="pair", allow=["__len__", "index"])

    assert worker.eval("len(p), p.index(2)", p=proxy) == (2, 1)
    for code in ("p[0]", "list(iter(p))", "1 in p", "p + [3]"):
        with pytest.raises(AccessDenied, match="--allow"):
            worker.eval(code, p=proxy)


def test_an_empty_list_allows_nothing(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally(), allow=[])

    with pytest.raises(AccessDenied, match="none"):
        worker.eval("p.value", p=proxy)
    assert worker.eval("hasattr(p, 'value')", p=proxy) is False


def test_the_same_object_may_be_shared_with_several_settings(
    server: ProxyServer, worker: Worker
) -> None:
    target = [1]
    names = {
        "open_": server.create_proxy(target),
        "shut": server.create_proxy(target, readonly=True),
    }
    worker.exec("open_.append(2)", **names)
    with pytest.raises(AccessDenied):
        worker.exec("shut.append(3)", **names)

    assert worker.eval("list(shut)", **names) == [1, 2]
    assert server.create_proxy(target) == names["open_"]
    assert server.create_proxy(target)._duck_idx == names["open_"]._duck_idx


@pytest.mark.parametrize("name", ["_cls_attrs", "_duck_idx"])
def test_names_of_the_proxy_itself_cannot_be_set(
    server: ProxyServer, worker: Worker, name: str
) -> None:
    proxy = server.create_proxy(Tally())
    for verb in ("setattr(p, name, 1)", "delattr(p, name)"):
        with pytest.raises(AccessDenied, match="a name of the proxy itself"):
            worker.exec(verb, p=proxy, name=name)
