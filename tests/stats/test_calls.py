"""
What a call is: whatever a worker asks of an object, in each place where it is counted.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from duck_jupyter.client.locking import locked
from duck_jupyter.client.references import ref
from tests.support.counting import statistics_after
from tests.support.objects import Chain, Plain
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


def work_with(proxy: Any, held: Any) -> None:
    """
    Use a list through requests to the server itself, and give an object back.
    """
    with locked(proxy) as items:
        items.append(1)
    assert len(ref(proxy)) == 31
    repr(proxy)
    del held[:]
    gc.collect()


def test_requests_about_an_object_are_calls_of_it(
    server: ProxyServer, worker: Worker
) -> None:
    """
    Those of `locked`, `ref` and `repr`; but it is no call to give an object back.
    """
    items = server.create_proxy(list(range(30)), name="items")
    chain = server.create_proxy([Chain()], name="chain")
    worker.exec(
        "before = p[0]\nwork(items, [before])",
        p=chain,
        items=items,
        work=work_with,
    )

    def is_given_back() -> bool:
        return len(server.table.entries) == 2

    assert wait_until(is_given_back)
    # Lock, what is `append`, append, unlock; `len`; the summary. And one item.
    found = statistics_after(server, 7)
    assert [row.calls for row in found.proxies] == [6, 1]
    (process,) = found.workers
    assert process.calls == 7
    assert sum(row.bytes_in for row in found.proxies) == found.totals.bytes_in
    assert sum(row.bytes_out for row in found.proxies) == process.bytes_out


class Rows:
    """
    Some thousand objects, one of which cannot be read.
    """

    def __len__(self) -> int:
        return 5000

    def __iter__(self) -> Iterator[Any]:
        yield from (Plain() for _ in range(3000))
        raise KeyError("lost")


def test_an_iterator_counts_as_the_object_that_it_iterates_over(
    server: ProxyServer, worker: Worker
) -> None:
    class Looking:
        def look(self) -> list[tuple[str, int | None]]:
            return [(row.path, row.parent) for row in server.statistics().proxies]

    rows = server.create_proxy(Rows(), name="rows")
    looking = server.create_proxy(Looking(), name="looking")
    code = """
items = iter(rows)
held = next(items)
result = looking.look()
try:
    list(items)
except KeyError:
    pass
"""
    seen = worker.exec(code, rows=rows, looking=looking)
    # Of those in the first batch each is reached through the object.
    assert seen[:2] == [("rows", None), ("looking", None)]
    assert set(seen[2:]) == {("rows[]", rows._duck_idx)}

    def calls() -> int:
        return server.statistics().proxies[0].calls

    # The look, then a request for each batch of items.
    assert wait_until(lambda: calls() >= 3)
    found = server.statistics().proxies[0]
    assert found.path == "rows"
    assert found.last_error == "KeyError: 'lost'"
