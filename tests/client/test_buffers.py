"""
Who asks a proxy for bytes gets those of the object, or an error; never its items.
"""

from __future__ import annotations

import array
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.errors import AccessDenied
from tests.support.objects import Plain
from tests.support.workers import evaluate

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

LENDS = sys.version_info >= (3, 12)
TARGETS: list[Any] = [
    b"abc",
    bytearray(b"abc"),
    array.array("h", [1, 2, 300]),
    array.array("d", [1.5]),
    np.arange(3, dtype="i4"),
    np.arange(3, dtype="u1"),
    np.array(7),
    memoryview(b"abc"),
    # Not contiguous, so that it has no bytes in one piece.
    np.arange(6.0).reshape(2, 3)[:, ::2],
]
#: Ways to the bytes that Python refuses before 3.12.
WAYS = (
    "bytes(memoryview(p))",
    "b''.join([p])",
    "np.frombuffer(p, 'u1').tobytes()",
    "(lambda f: (f.write(p), f.getvalue())[1])(io.BytesIO())",
)


def describe(value: Any) -> str:
    return f"{type(value).__name__} {getattr(value, 'typecode', '')}{len(bytes(value))}"


@pytest.mark.parametrize("target", TARGETS, ids=describe)
def test_bytes_of_a_proxy_are_the_bytes_of_the_object(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    proxy = server.create_proxy(target)

    assert worker.eval("bytes(p)", p=proxy) == bytes(target)
    assert bytes(proxy) == bytes(target)


@pytest.mark.parametrize("target", TARGETS, ids=describe)
def test_a_bytearray_of_a_proxy_holds_the_bytes_or_says_what_to_do(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    expected = bytearray(target)
    proxy = server.create_proxy(target)
    is_number = getattr(target, "shape", None) == ()
    if LENDS or is_number or getattr(target, "itemsize", 1) == 1:
        assert worker.eval("bytearray(p)", p=proxy) == expected
    else:
        with pytest.raises(BufferError, match=r"fetch\(p\)"):
            worker.eval("bytearray(p)", p=proxy)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("target", TARGETS[:-1], ids=describe)
def test_what_asks_for_a_buffer_gets_the_bytes_or_is_told_to_fetch(
    server: ProxyServer, worker: Worker, target: Any, way: str
) -> None:
    proxy = server.create_proxy(target)
    if not LENDS:
        with pytest.raises(TypeError, match="use fetch"):
            worker.eval(way, p=proxy)
        return
    expected = memoryview(target).tobytes()
    assert worker.eval(way, p=proxy) == expected
    assert evaluate(way, {"p": proxy}) == expected


def test_a_view_has_the_format_of_the_object_and_does_not_lose_writes(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(array.array("h", [1, 2]))
    if not LENDS:
        with pytest.raises(TypeError, match="use fetch"):
            worker.eval("memoryview(p)", p=proxy)
        return
    code = "v = memoryview(p); result = v.format, v.tolist(), v.readonly"

    assert worker.exec(code, p=proxy) == ("h", [1, 2], True)
    with pytest.raises(TypeError, match="read-only"):
        worker.exec("memoryview(p)[0] = 5", p=proxy)


def test_numpy_takes_the_type_of_the_items_from_the_buffer(
    server: ProxyServer, worker: Worker
) -> None:
    for target in (array.array("h", [1, 2]), bytearray(b"ab")):
        found = worker.eval("np.asarray(p)", p=server.create_proxy(target))
        expected = np.asarray(target)
        assert found.dtype == expected.dtype
        assert found.tolist() == expected.tolist()


def test_an_integer_is_an_index_as_ever(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(np.array(2))

    assert worker.eval("'abc'[p]", p=proxy) == "c"
    assert "abc"[proxy] == "c"


def test_what_has_no_buffer_is_asked_for_its_items(
    server: ProxyServer, worker: Worker
) -> None:
    assert worker.eval("bytes(p)", p=server.create_proxy([1, 2])) == b"\x01\x02"
    with pytest.raises(TypeError):
        worker.eval("bytes(p)", p=server.create_proxy(Plain()))


def test_the_bytes_of_an_object_of_which_few_names_are_open_are_not_given(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(bytearray(b"abc"), name="b", allow=["count"])

    with pytest.raises(AccessDenied, match="%share b"):
        worker.eval("bytes(p)", p=proxy)
