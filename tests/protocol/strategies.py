"""
What hypothesis makes values of: every kind that `design.md` lists as by value.
"""

from __future__ import annotations

import collections
import datetime
import enum
import math
import pathlib
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

__all__ = ["Colour", "Flag", "Point", "Span", "alike", "keys", "plain", "values"]


class Colour(enum.Enum):
    RED = "red"
    GREEN = 2


class Flag(enum.IntFlag):
    LEFT = 1
    RIGHT = 2


class Level(enum.IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True)
class Span:
    first: Any
    last: Any = None


def function(x: int) -> int:
    return x + 1


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    st.text(st.characters()),  # lone surrogates among them
    st.sampled_from(["<proxy>-1", "<callable>-f", "<proxy>-", "\ud800", "a\0b"]),
    st.binary(),
)
numpy_scalars = st.one_of(
    st.integers(-128, 127).map(np.int8),
    st.integers(0, 2**64 - 1).map(np.uint64),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.floats(width=32).map(np.float32),
    st.floats().map(np.float64),
    st.complex_numbers().map(np.complex128),
    st.booleans().map(np.bool_),
    st.text(max_size=5).map(np.str_),
    st.datetimes().map(np.datetime64),
)
keys = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.dates(),
    st.uuids(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.sampled_from([Colour.RED, Flag.LEFT, Level.LOW, int, function]),
    st.tuples(st.integers(), st.text(max_size=3)),
    st.frozensets(st.integers(), max_size=3),
)
leaves = st.one_of(
    plain,
    keys,
    numpy_scalars,
    st.complex_numbers(),
    st.datetimes(timezones=st.none() | st.just(datetime.timezone.utc)),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.sampled_from(
        [
            Flag.LEFT | Flag.RIGHT,
            Point,
            math.sqrt,
            collections.OrderedDict,
            pathlib.PurePosixPath("a/b"),
            pathlib.Path("c"),
            range(3),
            slice(1, None),
            ...,
            bytearray(b"x"),
            ValueError("what", 1),
            KeyError("k"),
        ]
    ),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.sets(keys, max_size=4),
        st.frozensets(keys, max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Span, inner, inner),
    ),
    max_leaves=12,
)


def alike(one: Any, two: Any) -> bool:
    """
    Tell whether two values are the same, of the very same types all the way down.

    NaN is like NaN here, 0.0 is not like -0.0, and True is not like 1.
    """
    if type(one) is not type(two):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(alike, one, two))
    if isinstance(one, dict):
        # The order is part of a dict.
        return alike(list(one.items()), list(two.items()))
    if isinstance(one, (set, frozenset)):
        kinds = sorted(type(x).__name__ for x in one)
        return one == two and kinds == sorted(type(x).__name__ for x in two)
    if isinstance(one, BaseException):
        return alike(one.args, two.args)
    if is_dataclass(one) and not isinstance(one, type):
        return all(
            alike(getattr(one, f.name), getattr(two, f.name)) for f in fields(one)
        )
    # Of NaN, zeros and time zones the text tells more than == does.
    return one is two or repr(one) == repr(two)
