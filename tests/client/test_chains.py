"""
Chains of proxies: their levels, their end, and what is forgotten.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from duck_jupyter.errors import LimitedProxyChaining
from duck_jupyter.proxy import ProxyServer
from tests.support.objects import Chain, Tally
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from tests.support.workers import Worker


def is_alone(server: ProxyServer) -> bool:
    """
    Tell whether only the shared object is left.
    """
    return len(server.statistics().proxies) == 1


def test_each_step_is_a_level(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Chain())
    code = "[x._duck_ref.level for x in (p, p.next, p.next.step()['k'])]"

    assert worker.eval(code, p=proxy) == [0, 1, 3]


def test_past_level_7_the_error_names_the_path_and_what_to_do(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Chain(), name="chain")
    assert worker.eval("p" + ".next" * 7 + ".depth", p=proxy) == 7

    with pytest.raises(LimitedProxyChaining) as caught:
        worker.eval("p.next.step()['a']" + ".next" * 5, p=proxy)

    error = caught.value
    assert error.max_level == 7
    path = "chain.next.step()[].next.next.next.next.next"
    assert error.target_obj == f"Chain at {path}"
    for part in (path, "level 8", "limit is 7", "one call", "--max-chain 15"):
        assert part in str(error)
    cut = server.statistics().chains[0]
    assert (cut.path, cut.type, cut.level, cut.cuts) == (path, "Chain", 8, 1)


def test_a_path_of_pandas_steps_can_be_read(
    server: ProxyServer, worker: Worker
) -> None:
    frame = pd.DataFrame({"a": [1, 1, 2], "b": [1.0, 2.0, 3.0]})
    proxy = server.create_proxy(frame, name="df", max_chain=1)

    with pytest.raises(LimitedProxyChaining, match=r"df\.groupby\(\)\.rolling\(\)"):
        worker.eval("p.groupby('a').rolling(2)", p=proxy)
    assert (
        worker.eval("p.groupby('a').b.sum()", p=server.create_proxy(frame)) is not None
    )


@pytest.mark.parametrize("limit", [0, 1, 3, 9])
def test_a_proxy_may_have_a_limit_of_its_own(
    server: ProxyServer, worker: Worker, limit: int
) -> None:
    proxy = server.create_proxy(Chain(), max_chain=limit)

    assert worker.eval("p" + ".next" * limit + ".depth", p=proxy) == limit
    with pytest.raises(LimitedProxyChaining) as caught:
        worker.eval("p" + ".next" * (limit + 1), p=proxy)
    assert caught.value.max_level == limit


def test_a_server_may_have_a_limit_of_its_own(worker: Worker) -> None:
    with ProxyServer(max_chain=2) as server:
        proxy = server.create_proxy(Chain())

        assert worker.eval("p.next.next.depth", p=proxy) == 2
        with pytest.raises(LimitedProxyChaining, match="limit is 2"):
            worker.eval("p.next.next.next", p=proxy)


def test_plain_values_cost_no_level(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Chain(), max_chain=1)
    code = "result = 0\nfor _ in range(20):\n    result += p.next.depth"

    assert worker.exec(code, p=proxy) == 20


def test_an_object_is_as_near_as_its_shortest_path(
    server: ProxyServer, worker: Worker
) -> None:
    chain = Chain()
    far = [[[chain]], chain]
    proxy = server.create_proxy(far)
    code = "ref(ref(p)[0])[0]; result = p[1]._duck_ref.level"

    assert worker.exec(code, p=proxy) == 1


def test_what_no_process_holds_is_forgotten(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Chain())
    code = "a = p.next; b = a.next; c = [p.next for _ in range(50)]; result = b.depth"

    assert worker.exec(code, p=proxy) == 2
    assert wait_until(lambda: is_alone(server))


def test_a_chained_proxy_goes_on_to_this_process(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally(7))
    fresh = worker.eval("p.fresh()", p=proxy)

    assert fresh.count() == 8
    assert worker.eval("q.count()", q=fresh) == 9
    assert not is_alone(server)
    del fresh
    assert wait_until(lambda: is_alone(server))


def test_a_pickle_of_a_chained_proxy_keeps_its_object(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally(7))
    data = worker.eval("__import__('pickle').dumps(p.fresh())", p=proxy)
    assert not is_alone(server)

    assert pickle.loads(data).value == 7
    assert wait_until(lambda: is_alone(server))


def test_a_number_is_never_used_twice(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Chain())
    numbers = [worker.eval("p.next._duck_idx", p=proxy) for _ in range(5)]

    assert len(set(numbers)) == 5
    server.remove_proxy(proxy)
    assert server.create_proxy(Chain())._duck_idx > max(numbers)


def test_the_same_object_through_two_ways_is_one_proxy(
    server: ProxyServer, worker: Worker
) -> None:
    tally = Tally()
    proxy = server.create_proxy([tally, {"k": tally}])
    code = "p[0] == p[1]['k'] and p[0]._duck_idx == p[1]['k']._duck_idx"

    assert worker.eval(code, p=proxy)
