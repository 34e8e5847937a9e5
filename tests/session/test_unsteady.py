"""
Objects whose pickle is another one each time: passed on and fetched like any other.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from duck_jupyter import ObjectChanged, fetch, share, shared

from .variables import handed

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.session.session import Session

pytestmark = pytest.mark.usefixtures("session")


class Stamped:
    """
    Something that is stamped anew each time it is pickled.
    """

    def __init__(self) -> None:
        self.text = "x" * 5000

    def __getstate__(self) -> dict[str, Any]:
        stamp = uuid.uuid4().hex
        return {"text": self.text, "stamp": stamp * (1 + stamp.count("0"))}


def make_figure() -> Any:
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot(np.arange(1000.0))
    return figure


def look_at(value: Any) -> Any:
    """
    Give what stays the same of it.
    """
    if isinstance(value, Stamped):
        return value.text
    return tuple(value.get_size_inches()), value.axes[0].lines[0].get_ydata()[3]


@pytest.mark.parametrize("make", [Stamped, make_figure])
def test_it_is_passed_on_and_fetched(make: Callable[[], Any]) -> None:
    value = make()
    share(value, name="value")
    for _ in range(3):
        assert look_at(handed(value)) == look_at(value)
        assert look_at(fetch(shared.value)) == look_at(value)


def test_it_is_passed_on_as_it_is_at_the_time(session: Session) -> None:
    figure = make_figure()
    share(figure, name="figure")
    for width in (4, 5, 6):
        figure.set_size_inches(width, 2)
        assert handed(figure).get_size_inches()[0] == width
    assert session.server is not None
    assert session.server.publisher.store.versions().kept <= 2


def test_what_grows_between_two_looks_is_still_refused() -> None:
    """
    As if another thread worked whenever the memory was copied.
    """
    growing = Growing(4)
    share(growing, name="growing")
    with pytest.raises(ObjectChanged):
        handed(growing)


class Growing:
    """
    Something that is larger each time it is pickled, for so many times.
    """

    def __init__(self, times: int) -> None:
        self.times = times
        self.array = np.zeros(5000)

    def __getstate__(self) -> dict[str, Any]:
        if self.times:
            self.times -= 1
            self.array = np.zeros(len(self.array) + 1)
        return {"times": 0, "array": self.array}
