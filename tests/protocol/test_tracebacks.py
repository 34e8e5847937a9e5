"""
Exceptions as text.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import AccessDenied
from duck_jupyter.objects.policy import Policy
from duck_jupyter.protocol.tracebacks import (
    OWN_FOLDER,
    TEXT_CHARS,
    cell_names,
    describe,
    traceback_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A file of this package, and one of a cell.
OWN = f"{OWN_FOLDER}server/made_up.py"
CELL = "/tmp/cells/123.py"


def call_in(file: str, function: Any = None, *args: Any) -> Any:
    """
    Call a function from code of another file; without one, divide by zero there.
    """
    code = "def call(): return function(*args) if function else 1 / 0"
    names: dict[str, Any] = {"function": function, "args": args}
    exec(compile(code, file, "exec"), names)
    return names["call"]()


def text_of(*files: str) -> str:
    """
    Give the text of an error through code of some files, the innermost last.
    """
    call: Any = None
    for file in reversed(files):
        call = partial(call_in, file, call)
    with pytest.raises(ZeroDivisionError) as caught:
        call()
    return traceback_text(caught.value)


@pytest.fixture
def cell() -> Iterator[None]:
    """
    A notebook that has run a cell.
    """

    def name_of(file: str) -> str | None:
        return "Cell In[3]" if file == CELL else None

    cell_names.append(name_of)
    yield
    cell_names.remove(name_of)


def test_our_own_frames_are_left_out_wherever_they_are() -> None:
    text = text_of(OWN, "theirs.py", OWN, "others.py", OWN)
    assert OWN not in text
    assert text.index("theirs.py") < text.index("others.py")
    assert text.endswith("ZeroDivisionError: division by zero\n")


def test_our_own_frames_are_left_out_of_causes_and_contexts() -> None:
    try:
        try:
            try:
                call_in(OWN, call_in, "theirs.py")
            except ZeroDivisionError as error:
                raise ValueError from error
        finally:
            call_in(OWN, call_in, "others.py")
    except ZeroDivisionError as error:
        text = traceback_text(error)
    assert OWN not in text
    assert text.count("Traceback (most recent call last)") == 3
    assert "theirs.py" in text
    assert "others.py" in text


def without_tests(error: BaseException) -> BaseException:
    """
    Give an error without the frames of this file.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return error.with_traceback(trace)


def test_an_error_of_the_package_itself_keeps_its_frames() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        call_in(OWN)
    assert OWN in traceback_text(without_tests(caught.value))


def test_what_a_proxy_refuses_needs_no_frames() -> None:
    with pytest.raises(AccessDenied) as caught:
        call_in(OWN, Policy("x", 200, readonly=True).check, [], "append")
    text = traceback_text(without_tests(caught.value))
    assert OWN_FOLDER not in text
    assert "duck_jupyter.errors.AccessDenied: x is shared read-only" in text


def test_a_circle_of_exceptions_has_a_text() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert "one" in traceback_text(one)


def test_a_cell_goes_by_its_name(cell: None) -> None:
    text = text_of(CELL, "theirs.py")
    assert "  Cell In[3], line 1, in call\n" in text
    assert '  File "theirs.py", line 1, in call\n' in text
    assert CELL not in text


def test_a_long_traceback_keeps_its_two_ends() -> None:
    text = traceback_text(ValueError("a" * 10**6 + "the end"))
    assert text.startswith("ValueError: aaa")
    assert "the end" in text
    assert len(text) < TEXT_CHARS + 100
    assert len(describe(ValueError("a" * 10**6))) <= TEXT_CHARS
