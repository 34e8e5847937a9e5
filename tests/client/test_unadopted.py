"""
A chained proxy in a pickle: nobody is contacted until it is used.
"""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client.references import ref
from duck_jupyter.errors import KernelGone, ProxyClosed
from duck_jupyter.proxy import ProxyServer
from tests.support.objects import Chain, Tally
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from tests.support.workers import Worker

KEEP = "import builtins, pickle\nbuiltins.kept = pickle.loads(data)"
DROP = "import builtins\ndel builtins.kept"


def is_connected(server: ProxyServer, worker: Worker) -> bool:
    return worker.pid in {each.hello.pid for each in server.connections()}


def is_alone(server: ProxyServer) -> bool:
    """
    Tell whether only the shared object is left.
    """
    return len(server.statistics().proxies) == 1


def chained(server: ProxyServer, value: Any) -> tuple[Any, bytes]:
    """
    Share a list that holds a value; give its proxy, and a pickle of that of the value.
    """
    proxy = server.create_proxy([value])
    return proxy, pickle.dumps(ref(proxy)[0])


def names(data: bytes) -> dict[str, Any]:
    return {"data": data, "loads": pickle.loads}


def test_who_unpickles_and_passes_on_contacts_nobody(
    server: ProxyServer, worker: Worker
) -> None:
    _shared, data = chained(server, Tally(7))
    passed_on = worker.eval("__import__('pickle').dumps(loads(data))", **names(data))
    assert not is_connected(server, worker)

    found = pickle.loads(passed_on)
    assert found.value == 7
    del found
    assert wait_until(lambda: is_alone(server))


def test_what_was_not_used_yet_is_kept_and_held_from_its_first_use(
    server: ProxyServer, worker: Worker
) -> None:
    _shared, data = chained(server, Tally(7))
    worker.exec(KEEP, data=data)
    gc.collect()
    assert not is_connected(server, worker)
    assert not is_alone(server)

    assert worker.eval("__import__('builtins').kept.value") == 7
    assert is_connected(server, worker)
    assert not is_alone(server)
    worker.exec(DROP)
    assert wait_until(lambda: is_alone(server))


@pytest.mark.parametrize(
    "use",
    [
        "kept.value == 7",
        "kept.count() == 8",
        "repr(kept) and ref(kept).value == 7",
        "kept.count == kept.count and hash(kept.count) == hash(kept.count)",
        "[locked(kept).__enter__() and True, kept.value == 7][1]",
        "fetch(kept).value == 7",
        "p.index(kept) == 0",
        "p.index(kept) == 0 and p.count(kept) == 1",
        "copy.copy(kept).value == 7",
        "setattr(kept, 'value', 9) or kept.value == 9",
    ],
)
def test_each_way_of_first_use_finds_the_object(
    server: ProxyServer, worker: Worker, use: str
) -> None:
    shared, data = chained(server, Tally(7))
    # Two, since each is adopted by itself.
    for _ in range(2):
        assert worker.eval(
            f"(lambda kept: {use})(loads(data))", p=shared, **names(data)
        )
        shared[0].value = 7


def test_threads_that_use_it_at_once_leave_one_holder_and_then_none(
    server: ProxyServer, worker: Worker
) -> None:
    _shared, data = chained(server, Tally(0))
    code = """
import pickle, threading
kept = pickle.loads(data)
ready = threading.Barrier(8)
def count():
    ready.wait(10)
    kept.count()
threads = [threading.Thread(target=count) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
result = kept.value
del kept
"""
    assert worker.exec(code, data=data) == 8
    assert wait_until(lambda: is_alone(server))


def test_closed_before_its_first_use_it_contacts_nobody(
    server: ProxyServer, worker: Worker
) -> None:
    _shared, data = chained(server, Tally(7))
    code = "import pickle; kept = pickle.loads(data); detach(kept); kept.value"
    with pytest.raises(ProxyClosed):
        worker.exec(code, data=data)
    assert not is_connected(server, worker)


def test_after_the_end_of_its_server_it_unpickles_and_its_use_says_so(
    worker: Worker,
) -> None:
    with ProxyServer() as server:
        _shared, data = chained(server, Chain())
    with pytest.raises(KernelGone):
        worker.eval("loads(data).depth", **names(data))
    assert worker.eval("type(loads(data)).__name__", **names(data)) == "Proxy[Chain]"


def test_in_the_process_of_its_server_it_is_the_object_at_once(
    server: ProxyServer,
) -> None:
    tally = Tally(7)
    _shared, data = chained(server, tally)
    found = pickle.loads(data)
    found.value = 8
    assert tally.value == 8
    del found
    assert wait_until(lambda: is_alone(server))
