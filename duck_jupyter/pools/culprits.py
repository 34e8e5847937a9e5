"""
What in a value a pool cannot pickle.
"""

from __future__ import annotations

import io
from multiprocessing.reduction import ForkingPickler
from types import FunctionType
from typing import Any, NamedTuple

from ..data.unpicklable import find_path
from ._cell_pickler import pickled

__all__ = ["Culprit", "find_culprit"]


class Culprit(NamedTuple):
    """
    An object that cannot be pickled.

    Attributes:
        where: "it" for the value itself, or which part of it.
        value: The object.
    """

    where: str
    value: Any

    @property
    def kind(self) -> str:
        """
        The name of its class.
        """
        return type(self.value).__name__

    @property
    def is_whole(self) -> bool:
        """
        Whether it is the value itself.
        """
        return self.where == "it"

    @property
    def is_code(self) -> bool:
        """
        Whether it is a class or a function.
        """
        return isinstance(self.value, (type, FunctionType))

    def __str__(self) -> str:
        if self.is_code:
            return f"{self.where} needs {self.value.__qualname__}"
        return f"{self.where} is a {self.kind}"


def find_culprit(value: Any) -> Culprit | None:
    """
    Return what in a value cannot be pickled; None if all can.
    """
    try:
        ForkingPickler.dumps(value)
    except Exception:  # whatever the value's own code raises
        pass
    else:
        return None
    try:
        pickled(value)
    except Exception as error:  # the same
        last = getattr(error, "_duck_last", value)
    else:
        last = _last_of(value)
    path = find_path(value, last)
    part = "it" if last is value else f"its part {path}" if path else "a part of it"
    return Culprit(part, last)


class _Noting(ForkingPickler):
    """
    Notes the last object that it was given.
    """

    last: Any = None

    def reducer_override(self, obj: Any) -> Any:
        self.last = obj
        before = getattr(super(), "reducer_override", None)
        return NotImplemented if before is None else before(obj)


def _last_of(value: Any) -> Any:
    """
    Return the object at which a pool stops, where it pickles without cloudpickle.
    """
    pickler = _Noting(io.BytesIO())
    try:
        pickler.dump(value)
    except Exception:  # whatever the value's own code raises
        return pickler.last
    return value
