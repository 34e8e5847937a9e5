"""
A reader remembers what it gave, and gives what one would that remembers nothing.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from duck_jupyter.errors import LimitedProxyChaining
from duck_jupyter.stats import collector
from duck_jupyter.stats.collector import Reader
from tests.support.counting import statistics_after
from tests.support.objects import Chain, Plain, Tally
from tests.support.processes import wait_until
from tests.support.workers import Worker

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from duck_jupyter.stats.rows import ServerStatistics


def lasting(found: ServerStatistics) -> tuple[Any, ...]:
    """
    Give of a server's statistics what does not change by itself.
    """
    workers = [
        msgspec.structs.replace(row, waited=0.0, connected=0.0) for row in found.workers
    ]
    return (found.proxies, workers, found.totals, found.ended_workers, found.chains)


def check(server: ProxyServer) -> None:
    """
    Read once with what is remembered, and once with nothing.
    """
    assert lasting(server.statistics()) == lasting(Reader().read(server, ()))


def test_what_nobody_called_is_the_same_value(
    server: ProxyServer, worker: Worker
) -> None:
    used = server.create_proxy(Tally(), name="used")
    server.create_proxy([1, 2], name="unused")
    worker.exec("p.value", p=used)
    first = statistics_after(server, 1).proxies
    again = server.statistics().proxies
    assert all(now is before for now, before in zip(again, first, strict=True))

    worker.exec("p.value", p=used)
    second = statistics_after(server, 2).proxies
    assert second[0].gets == 2
    assert second[1] is first[1]


@pytest.mark.slow
def test_whatever_happens_nothing_old_is_given(
    server: ProxyServer, worker: Worker
) -> None:
    tally = server.create_proxy(Tally(), name="tally")
    chains = server.create_proxy([Chain()], name="chains", max_chain=2)
    check(server)
    worker.exec("t.value; t.value", t=tally)
    statistics_after(server, 2)
    check(server)
    with closing(Worker()) as other:
        held = other.eval("(t.echo('x' * 5000), c[0].next)[1]", t=tally, c=chains)
        assert wait_until(lambda: server.statistics().totals.calls >= 5)
        check(server)
        with pytest.raises(LimitedProxyChaining):
            other.eval("h.next", h=held)
        check(server)
    assert wait_until(lambda: len(server.statistics().workers) == 1)
    check(server)

    server.reset_peaks()
    check(server)
    new = server.create_proxy(Plain(a=1), name="new")
    worker.exec("n.a", n=new)
    assert wait_until(lambda: server.statistics().proxies[-1].gets == 1)
    check(server)
    server.retarget(tally, [1, 2, 3])
    check(server)
    assert server.statistics().proxies[0].type == "list"
    server.remove_proxy(new)
    check(server)
    assert "new" not in [found.path for found in server.statistics().proxies]


def test_an_interrupted_look_leaves_nothing_half_remembered(
    server: ProxyServer, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = server.create_proxy(Tally())
    server.statistics()
    worker.exec("p.value", p=proxy)
    statistics_after(server, 1)
    worker.exec("p.value", p=proxy)

    def interrupted(many: Any) -> Any:
        raise KeyboardInterrupt

    def is_interrupted() -> bool:
        try:
            server.statistics()
        except KeyboardInterrupt:
            return True
        return False

    with monkeypatch.context() as patch:
        # Until there is something to add up: the call is counted after its answer.
        patch.setattr(collector, "sum_of", interrupted)
        assert is_interrupted()
    assert statistics_after(server, 2).proxies[0].gets == 2
    check(server)
