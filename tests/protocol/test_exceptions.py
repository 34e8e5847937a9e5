"""
Exceptions are rebuilt without their ``__init__``, with all that they have.
"""

from __future__ import annotations

import builtins
import dataclasses
import json
import pickle
import subprocess
import threading
import traceback
from typing import Any

import numpy as np
import pytest

from duck_jupyter.errors import DataEncodeError, RemoteTraceback
from duck_jupyter.protocol.exceptions import reduce_by_value
from duck_jupyter.protocol.faults import pack_fault, parse_fault
from duck_jupyter.protocol.values import dumps, reduce_main_only


class Demanding(Exception):
    """
    Its arguments are others than its ``args``.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Named(Demanding):
    """
    It wants an argument by name.
    """

    def __init__(self, text: str, *, retry_after: int) -> None:
        super().__init__(429, text)
        self.retry_after = retry_after


class Slotted(OSError):
    """
    It keeps something in a slot, and calls no other ``__init__``.
    """

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class Own(Exception):
    """
    It says itself how it is pickled.
    """

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.number = number

    def __reduce__(self) -> Any:
        return type(self), (self.args[0], self.number)


class Heir(Own):
    """
    It inherits that, and it does not fit.
    """

    def __init__(self, number: int) -> None:
        super().__init__("heir", number)


class Stateful(Exception):
    """
    It has a state of its own form.
    """

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)
        self.total = one + two

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state, loaded=True)


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    """
    It refuses to be changed.
    """

    code: int
    text: str


class Strange(Exception):
    """
    It wants to be made with arguments.
    """

    def __new__(cls, *, must: int) -> Any:
        """
        Make it.
        """
        made = super().__new__(cls, must)
        made.must = must  # type: ignore[attr-defined]
        return made

    def __init__(self, **_: int) -> None:
        super().__init__("made")


class Both(KeyError, OSError):
    """
    It has two bases; the second one says how it lies in memory.
    """

    def __init__(self, code: int) -> None:
        OSError.__init__(self, code, "both")


def back(error: BaseException) -> BaseException:
    found: Any = pickle.loads(dumps(error, reduce_by_value))
    assert isinstance(found, BaseException)
    return found


def has(error: BaseException) -> Any:
    """
    Give what can be compared of an exception.
    """
    names = (
        *("errno", "strerror", "filename", "path", "code", "value", "name", "start"),
        *("end", "object", "reason", "encoding", "lineno", "offset", "text", "msg"),
    )
    fields = {name: getattr(error, name, None) for name in names}
    return type(error), error.args, str(error), vars(error), fields


ERRORS = [
    Demanding(404, "not found"),
    Named("slow down", retry_after=7),
    Slotted("/a/b"),
    Own("text", 7),
    Strange(must=5),
    Both(2),
    Frozen(4, "frozen"),
    subprocess.CalledProcessError(7, ["a", "b"], b"out"),
    json.JSONDecodeError("bad", "{", 1),
    OSError(2, "gone", "/a", None, "/b"),
    OSError("only a text"),
    OSError(),
    BlockingIOError(11, "later", 5),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    SyntaxError("bad", ("file", 1, 2, "text", 1, 3)),
    ImportError("none", name="module", path="/a"),
    NameError("none", name="x"),
    StopIteration(3),
    SystemExit(4),
    KeyboardInterrupt(),
    KeyError((1, [2])),
    # One of its slots has None.
    np.exceptions.AxisError(3, 2),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_exception_comes_back_with_its_attributes(error: BaseException) -> None:
    assert has(back(error)) == has(error)


def test_notes_cause_and_context_come_back() -> None:
    error: Any = Demanding(1, "a")
    error.__notes__ = ["a note"]
    error.__cause__ = Named("b", retry_after=2)
    error.__cause__.__context__ = Slotted("c")
    error.__context__ = KeyError("d")
    found: Any = back(error)

    assert found.__notes__ == ["a note"]
    assert found.__cause__.retry_after == 2
    assert found.__cause__.__context__.path == "c"
    assert found.__context__.args == ("d",)
    assert found.__suppress_context__


@pytest.mark.parametrize("suppress", [True, False])
def test_whether_the_context_is_shown_comes_back(suppress: bool) -> None:
    error = KeyError("a")
    error.__context__ = KeyError("b")
    error.__suppress_context__ = suppress
    fault = pack_fault(error, reduce_main_only, "Traceback: far away")
    found = parse_fault(bytes(fault.data))

    assert found.__suppress_context__ is suppress
    assert repr(found.__context__) == "KeyError('b')"
    assert type(found.__cause__) is RemoteTraceback


def test_the_traceback_of_the_other_side_is_the_first_cause() -> None:
    error = Demanding(1, "a")
    error.__cause__ = KeyError("b")
    text = "".join(traceback.format_exception(error))
    once = parse_fault(bytes(pack_fault(error, reduce_main_only, text).data))
    twice = parse_fault(bytes(pack_fault(once, reduce_main_only, "again").data))

    for found, shown in ((once, text), (twice, "again")):
        assert repr(found.__cause__) == "KeyError('b')"
        assert found.__cause__ is not None
        first = found.__cause__.__cause__
        assert type(first) is RemoteTraceback
        assert shown in str(first)


def test_an_exception_that_is_its_own_cause_comes_back() -> None:
    error = Demanding(1, "a")
    error.__cause__ = error
    error.args = ("a", [error])
    found = back(error)

    assert found.__cause__ is found
    assert found.args[1][0] is found
    fault = pack_fault(error, reduce_main_only, "far away")
    assert type(parse_fault(bytes(fault.data)).__cause__) is RemoteTraceback


def test_a_long_chain_takes_no_longer_than_its_length() -> None:
    error: BaseException = Demanding(0, "first")
    for number in range(1, 30):
        error, before = Demanding(number, "next"), error
        error.__context__ = error.__cause__ = before
    for _ in range(29):
        error = back(error)
        assert error.__cause__ is error.__context__
        error = error.__cause__ or error

    assert getattr(error, "code", None) == 0


def test_what_an_inherited_reduce_does_not_fit_is_made_all_the_same() -> None:
    found: Any = back(Heir(5))
    assert (type(found), found.args, found.number) == (Heir, ("heir",), 5)


def test_a_state_of_its_own_form_is_set_in_its_own_way() -> None:
    found: Any = back(Stateful(1, 2))
    assert vars(found) == {"total": 3, "loaded": True}


def test_what_is_set_after_it_was_made_comes_back() -> None:
    error: Any = Own("text", 7)
    error.extra, error.__notes__ = [1], ["a note"]
    found: Any = back(error)

    assert (found.number, found.extra, found.__notes__) == (7, [1], ["a note"])


@pytest.mark.parametrize(
    "kind", [Exception] if not hasattr(builtins, "ExceptionGroup") else [None, "sub"]
)
def test_a_group_comes_back_with_its_exceptions(kind: Any) -> None:
    group: Any = getattr(builtins, "ExceptionGroup", None)
    if group is None:
        assert has(back(kind("no groups in this Python"))) is not None
        return

    class Sub(group):  # type: ignore[misc]
        def __new__(cls, one: int, excs: Any) -> Any:
            return super().__new__(cls, f"group {one}", excs)

    make: Any = Sub if kind else group
    error = make("1", [Demanding(1, "a"), KeyError("b")])
    found: Any = back(error)

    assert type(found).__name__ == type(error).__name__
    assert str(found) == str(error)
    assert [has(part) for part in found.exceptions] == [
        has(part) for part in error.exceptions
    ]


class Secret(Exception):
    """
    It says that it cannot be pickled.
    """

    def __reduce__(self) -> Any:
        raise TypeError("secret")


class Holding(Exception):
    """
    What it says of itself cannot be pickled.
    """

    def __reduce__(self) -> Any:
        return type(self), (threading.Lock(),)


@pytest.mark.parametrize("kind", [Secret, Holding])
def test_a_cause_that_cannot_be_pickled_is_left_out_and_named(kind: Any) -> None:
    error: Any = Demanding(1, "a")
    error.__cause__ = kind()
    error.__context__ = KeyError("b")
    found: Any = back(error)

    note = "These attributes of the exception could not be pickled: __cause__."
    assert (found.code, found.__cause__, found.__notes__) == (1, None, [note])
    assert repr(found.__context__) == "KeyError('b')"
    with pytest.raises(DataEncodeError):
        dumps(kind(), reduce_by_value)


def test_the_object_that_lacked_an_attribute_stays() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = threading.Lock().nothing  # type: ignore[attr-defined]
    found: Any = back(caught.value)

    assert (found.args, vars(found)) == (caught.value.args, {})
    assert (found.name, found.obj) == ("nothing", None)


def test_what_cannot_be_pickled_is_left_out_and_named() -> None:
    error: Any = Demanding(1, "a")
    error.lock = threading.Lock()
    error.args = (threading.Lock(), 2)
    error.__context__ = Demanding(2, "b")
    error.__context__.handle = threading.Lock()
    found: Any = back(error)

    assert found.code == 1
    assert found.args == (repr(error.args[0]), 2)
    assert found.__notes__ == [
        "These attributes of the exception could not be pickled: args, lock."
    ]
    assert vars(found.__context__).keys() == {"code", "__notes__"}
