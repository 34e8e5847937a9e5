"""
What the tests of proxies compare: an expression on an object, and on its proxy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.support.workers import evaluate, names_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


def make(source: str) -> Any:
    """
    Make an object from its source.
    """
    return eval(source, names_for({}))


def outcome(run: Callable[[], Any]) -> tuple[str, Any, str]:
    """
    Give what a call returns, or what it raises, in a form that can be compared.

    Where Python itself names the type in a message, a proxy's is ``Proxy[list]``, and
    ``Proxy[ndarray] (use fetch)`` for what has a buffer or is a table.
    """
    try:
        value = run()
    except Exception as error:
        message = re.sub(r"Proxy\[(\w+)\]( \(use fetch\))?", r"\1", str(error))
        return "raises", type(error), message
    return "gives", type(value), repr(value)


def on_object(source: str, expression: str) -> tuple[str, Any, str]:
    """
    Evaluate an expression on an object itself, called ``p`` in it.
    """
    target = make(source)
    return outcome(lambda: evaluate(expression, {"p": target}))


def in_worker(
    server: ProxyServer, worker: Worker, source: str, expression: str
) -> tuple[str, Any, str]:
    """
    Evaluate it in a worker, on a proxy.
    """
    proxy = server.create_proxy(make(source))
    return outcome(lambda: worker.eval(expression, p=proxy))


def in_kernel(
    server: ProxyServer, source: str, expression: str
) -> tuple[str, Any, str]:
    """
    Evaluate it in the server's own process, on a proxy.
    """
    proxy = server.create_proxy(make(source))
    return outcome(lambda: evaluate(expression, {"p": proxy}))
