"""
The view that `ref` gives: what is asked of it, and what takes it for a proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import NotShareable
from tests.support.objects import Plain

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


def test_a_view_is_iterated_and_asked_as_its_object_is(
    server: ProxyServer, worker: Worker
) -> None:
    rows = [[1], [2]]
    target: dict[str, Any] = {"k": [1], "n": rows, "e": []}
    code = """
for row in ref(ref(p)["n"]):
    row.append(3)
for row in ref(q):
    row.append(4)
del ref(p)["k"]
view = ref(p)
result = list(view), len(view), "n" in view, "k" in view, bool(view), bool(ref(e))
"""
    names = {
        "p": server.create_proxy(target),
        "q": server.create_proxy(rows),
        "e": server.create_proxy({}),
    }
    found = worker.exec(code, **names)

    assert found == (["n", "e"], 2, True, False, True, False)
    assert target == {"n": [[1, 3, 4], [2, 3, 4]], "e": []}
    with pytest.raises(TypeError, match="not iterable"):
        worker.eval("list(ref(p))", p=server.create_proxy(Plain()))


@pytest.mark.parametrize("function", ["fetch", "locked", "ref", "detach"])
def test_what_takes_a_proxy_refuses_a_view_of_one(
    server: ProxyServer, worker: Worker, function: str
) -> None:
    proxy = server.create_proxy([1])
    for view in ("ref(p)", "ref(p).append"):
        with pytest.raises(NotShareable, match=r"proxy itself, without ref\(\)"):
            worker.eval(f"{function}({view})", p=proxy)
