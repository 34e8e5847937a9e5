"""
Values come back as the very type they were.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from msgspec.msgpack import Ext

from duck_jupyter.errors import DataDecodeError, DataEncodeError
from duck_jupyter.protocol.by_value import travels_by_value
from duck_jupyter.protocol.manual_frames import PlainCodec
from duck_jupyter.protocol.values import (
    PICKLED,
    PICKLED_WITH_BUFFERS,
    dumps,
    encode,
    load_extension,
    loads,
    reduce_main_only,
    wrap,
)
from duck_jupyter.proxy import Frame, ProxyServer
from tests.protocol.strategies import Colour, Point, Span, alike, plain, values
from tests.support.raw import far

codec = PlainCodec()


class Shelf:
    """
    Gives back what it is given, by all the ways there are.
    """

    item: Any = None

    def give(self, *args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    def same(self, value: Any) -> Any:
        return value


class Stubborn:
    """
    Cannot be pickled, each time for another reason.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        raise self.error


@given(values)
def test_every_value_survives_a_frame(value: Any) -> None:
    frame = Frame.parse(codec.encode(-1, [1, value, None]))
    assert alike(frame.payload, [1, value, None])


@given(values, values)
def test_every_value_survives_as_an_argument(one: Any, two: Any) -> None:
    payload = [1, "method", [one, two], {"name": two}]
    assert alike(Frame.parse(codec.encode(2, payload)).payload, payload)


@given(values)
def test_all_these_values_travel_by_value(value: Any) -> None:
    assert travels_by_value(value)


@pytest.mark.slow
def test_every_value_survives_the_way_to_a_kernel_and_back() -> None:
    shelf = Shelf()
    with ProxyServer() as server, far(server.create_proxy(shelf)) as proxy:

        @settings(max_examples=150, deadline=None)
        @given(values)
        def check(value: Any) -> None:
            assert alike(proxy.same(value), value)
            proxy.item = value
            assert alike(shelf.item, value)
            assert alike(proxy.item, value)
            assert alike(
                proxy.give(value, 1, name=value), ((value, 1), {"name": value})
            )

        check()


@given(plain)
def test_a_plain_value_is_plain_msgpack_or_a_pickle(value: Any) -> None:
    wrapped = wrap(value, reduce_main_only)
    assert wrapped is value or type(wrapped) is Ext


@pytest.mark.parametrize("text", ["<proxy>-1", "<callable>-run", "<proxy>-"])
def test_a_string_that_looks_like_a_reference_is_a_string(text: str) -> None:
    with ProxyServer() as server, far(server.create_proxy(Shelf())) as proxy:
        assert proxy.same(text) == text
        assert proxy.same([text, {text: text}]) == [text, {text: text}]


@pytest.mark.parametrize(
    "value",
    [Shelf(), Stubborn(ValueError()), iter([1]), lambda: 1, np.zeros(3), open],
    ids=lambda value: type(value).__name__,
)
def test_everything_else_stays_in_the_kernel(value: Any) -> None:
    expected = value is open
    assert travels_by_value(value) is expected
    assert not travels_by_value(Point(1, Shelf()))
    assert not travels_by_value(Span([{"a": Shelf()}]))


def test_a_subclass_of_a_container_stays_in_the_kernel() -> None:
    class Rows(list):  # type: ignore[type-arg]
        pass

    assert not travels_by_value(Rows())
    assert travels_by_value(Colour.RED)


@pytest.mark.parametrize("error", [ValueError, TypeError, RuntimeError, OSError])
def test_what_cannot_be_pickled_is_an_encode_error(error: Any) -> None:
    """
    Whatever its own code raises: nothing of it was sent.
    """
    with pytest.raises(DataEncodeError, match=r"Stubborn cannot be sent.*Share it"):
        dumps(Stubborn(error("no")), reduce_main_only)
    with pytest.raises(DataEncodeError):
        codec.encode(1, [1, "x", [Stubborn(error("no"))]])


def test_a_value_that_cannot_be_sent_changes_nothing() -> None:
    shelf = Shelf()
    with ProxyServer() as server, far(server.create_proxy(shelf)) as proxy:
        for _ in range(3):
            with pytest.raises(DataEncodeError):
                proxy.item = [1, Stubborn(ValueError("no"))]
            with pytest.raises(DataEncodeError):
                proxy.same(np.zeros(10_000), Stubborn(KeyError("no")))
        assert shelf.item is None
        assert proxy.same(1) == 1


def test_an_object_that_refers_to_itself_keeps_doing_so() -> None:
    shelf = Shelf()
    with ProxyServer() as server, far(server.create_proxy(shelf)) as proxy:
        loop: list[Any] = [1]
        loop.append(loop)
        proxy.item = loop
        assert shelf.item[1] is shelf.item
        row: list[int] = []
        proxy.item = {"a": row, "b": row}
        assert shelf.item["a"] is shelf.item["b"]


def test_a_function_of_main_travels_with_its_definition() -> None:
    data = dumps(lambda x: x * 2, reduce_main_only)
    assert loads(memoryview(data))(4) == 8


def test_large_buffers_go_beside_and_small_ones_within() -> None:
    small, large = np.zeros(10), np.zeros(100_000)
    buffers: list[pickle.PickleBuffer] = []
    first = wrap(small, reduce_main_only, buffers)
    second = wrap([large, large + 1], reduce_main_only, buffers)

    assert (first.code, second.code) == (PICKLED, PICKLED_WITH_BUFFERS)
    assert [buffer.raw().nbytes for buffer in buffers] == [800_000, 800_000]
    assert len(second.data) < 1000
    back = load_extension(second.code, memoryview(second.data), buffers)
    assert (back[1] == 1).all()


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (PICKLED, b""),
        (PICKLED, b"garbage"),
        (PICKLED, pickle.dumps(1)[:-1]),
        (PICKLED, b"cno_such_module\nname\n."),
        (PICKLED_WITH_BUFFERS, b""),
        (PICKLED_WITH_BUFFERS, bytes(8)),
        (PICKLED_WITH_BUFFERS, bytes(8) + b"garbage"),
        (PICKLED_WITH_BUFFERS, b"\xff" * 8 + pickle.dumps(np.zeros(9), 5)[:-9]),
        (99, b"x"),
        (-1, b"\0\0\0\0"),
    ],
)
def test_a_forged_extension_is_a_decode_error(code: int, data: bytes) -> None:
    with pytest.raises(DataDecodeError):
        load_extension(code, memoryview(data), ())


def test_a_missing_buffer_is_a_decode_error() -> None:
    buffers: list[pickle.PickleBuffer] = []
    wrapped = wrap(np.zeros(10_000), reduce_main_only, buffers)
    with pytest.raises(DataDecodeError):
        load_extension(wrapped.code, memoryview(wrapped.data), ())


def test_a_number_of_64_bits_needs_no_pickle() -> None:
    assert encode(-(2**63)) == b"\xd3\x80" + bytes(7)
    assert wrap(2**63 - 1, reduce_main_only) == 2**63 - 1
    assert type(wrap(2**63, reduce_main_only)) is Ext
