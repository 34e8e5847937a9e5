"""
Exceptions arrive as themselves, or at least as their text.
"""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duck_jupyter.errors import DataDecodeError, RemoteError, RemoteTraceback
from duck_jupyter.protocol.faults import (
    FAULT,
    pack_fault,
    parse_fault,
    short_fault,
)
from duck_jupyter.protocol.frames import encode_fault
from duck_jupyter.protocol.tracebacks import describe, traceback_text
from duck_jupyter.protocol.values import encode, reduce_main_only


class Mute(Exception):
    """
    Has no text.
    """

    def __str__(self) -> str:
        raise SystemExit("no text")

    __repr__ = __str__


class Heavy(Exception):
    """
    Cannot be pickled.
    """

    def __reduce__(self) -> Any:
        raise KeyboardInterrupt


class Part:
    """
    Can be pickled, and not be rebuilt.
    """

    def __setstate__(self, state: Any) -> None:
        raise RuntimeError("not here")


class Broken(Exception):
    """
    Can be pickled, and not be rebuilt.
    """

    def __init__(self) -> None:
        self.part = Part()
        self.part.__dict__["name"] = "part"


def send(error: BaseException) -> BaseException:
    fault = pack_fault(error, reduce_main_only, traceback_text(error))
    assert fault.code == FAULT
    return parse_fault(bytes(fault.data))


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


@given(st.text(st.characters()), st.integers())
def test_an_exception_arrives_as_itself(text: str, number: int) -> None:
    for kind in (KeyError, ValueError, OSError, StopIteration):
        back = send(raised(kind(text, number)))
        assert type(back) is kind
        assert back.args == (text, number)
        assert isinstance(back.__cause__, RemoteTraceback)


def test_its_cause_is_the_traceback_of_the_other_side() -> None:
    back = send(raised(ValueError("far away")))
    shown = "".join(traceback.format_exception(back))
    assert "in raised" in shown
    assert "ValueError: far away" in str(back.__cause__)


@pytest.mark.parametrize("error", [Heavy("x"), Broken()])
def test_what_cannot_be_rebuilt_arrives_as_its_text(error: Exception) -> None:
    back = send(raised(error))
    assert type(back) is RemoteError
    assert type(error).__name__ in str(back)


def test_an_exception_without_a_text_arrives() -> None:
    error = raised(Mute())
    assert "Mute" in describe(error)
    assert "Mute" in traceback_text(error)
    assert type(send(error)) is Mute


def test_lone_surrogates_in_a_text_arrive() -> None:
    assert send(raised(ValueError("\ud800"))).args == ("\ud800",)


def test_a_short_fault_fits_the_smallest_buffer() -> None:
    data = encode_fault(0, short_fault("DataTooBigError: no memory left"))
    assert len(data) <= 64


@pytest.mark.parametrize(
    "forged", [5, [], [None], [1, 2, 3], [b"garbage", "line", "text"], [b"", 1, 2]]
)
def test_a_forged_fault_is_an_error_too(forged: Any) -> None:
    try:
        back = parse_fault(encode(forged))
    except (TypeError, ValueError, DataDecodeError):
        return
    assert type(back) is RemoteError
