"""
Requests and answers as bytes.
"""

from __future__ import annotations

import msgspec
from msgspec.msgpack import Ext

from duck_jupyter.protocol.frames import (
    encode_answer,
    encode_fault,
    encode_frame,
    encode_request,
)
from duck_jupyter.protocol.opcodes import ProxyOpCode
from duck_jupyter.protocol.values import PICKLED, load_extension

EXECUTE, RESULT = int(ProxyOpCode.EXECUTE), int(ProxyOpCode.EXECUTION_RESULT)
decode = msgspec.msgpack.decode


def ask_nothing(value: object) -> object:
    return NotImplemented


def test_a_request_of_plain_values_has_the_same_bytes_both_ways() -> None:
    payload = [3, "add", [1, "two", None], {"by": 2.5}]
    data = encode_request(EXECUTE, payload, ask_nothing)
    assert data == encode_frame((EXECUTE, payload))
    assert decode(data) == [EXECUTE, payload]


def test_a_value_that_msgpack_does_not_know_is_a_pickle() -> None:
    found = decode(encode_request(EXECUTE, [3, "add", [(1, 2)], {}], ask_nothing))
    extension = found[1][2][0]
    assert (type(extension), extension.code) == (Ext, PICKLED)
    assert load_extension(extension.code, extension.data, ()) == (1, 2)


def test_an_answer_has_a_value_or_a_fault() -> None:
    fault = Ext(9, b"wrong")
    assert decode(encode_answer(4, "right")) == [RESULT, [4, "right", None]]
    assert decode(encode_fault(4, fault)) == [RESULT, [4, None, fault]]
