"""
Objects that tests share: what a notebook may hold.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import namedtuple
from typing import TYPE_CHECKING, Any, NamedTuple

from duck_jupyter.protocol.special_methods import BINARY, COMPARISONS, INPLACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Plain:
    """
    An object with no special methods, and whatever attributes a test gives it.
    """

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def __repr__(self) -> str:
        return "a plain object"


class Tally:
    """
    Something that counts.
    """

    step = 1

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def add(self, a: int, b: int = 1) -> int:
        return a + b

    def count(self) -> int:
        self.value += self.step
        return self.value

    def fail(self, kind: type[BaseException], *args: Any) -> None:
        raise kind(*args)

    def echo(self, value: Any) -> Any:
        return value

    def is_me(self, value: Any) -> bool:
        return value is self

    def type_name_of(self, value: Any) -> str:
        return type(value).__name__

    def fresh(self) -> Tally:
        return Tally(self.value)

    @property
    def double(self) -> int:
        return 2 * self.value

    @classmethod
    def named(cls) -> str:
        return cls.__name__

    @staticmethod
    def twice(number: int) -> int:
        return 2 * number


class Chain:
    """
    An object whose ``next`` and ``step()`` are new objects for ever.
    """

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth

    @property
    def next(self) -> Chain:
        return Chain(self.depth + 1)

    def step(self) -> Chain:
        return Chain(self.depth + 1)

    def __getitem__(self, key: Any) -> Chain:
        return Chain(self.depth + 1)


class Room:
    """
    A context manager that writes down who came and went.
    """

    def __init__(self, *, swallows: bool = False) -> None:
        self.swallows = swallows
        self.seen: list[str] = []

    def __enter__(self) -> Room:
        self.seen.append("in")
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self.seen.append("out" if error is None else f"out: {error!r}")
        return self.swallows


class Speaking:
    """
    It has every special method, and each one says what it was called with.
    """

    def __init__(self) -> None:
        self.log: list[str] = []


def _says(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        return " ".join([name, *map(repr, args)])

    return method


def _notes(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        self.log.append(" ".join([name, *map(repr, args)]))
        return self

    return method


def _gives(value: Any) -> Callable[..., Any]:
    return lambda self, *args: value


for _name in (*BINARY, *(f"r{name}" for name in BINARY), *COMPARISONS):
    setattr(Speaking, f"__{_name}__", _says(_name))
for _name in INPLACE:
    setattr(Speaking, f"__i{_name}__", _notes(f"i{_name}"))
for _name in ("neg", "pos", "abs", "invert", "trunc", "floor", "ceil", "round"):
    setattr(Speaking, f"__{_name}__", _says(_name))
for _name in ("format", "getitem", "call", "fspath", "next"):
    setattr(Speaking, f"__{_name}__", _says(_name))
for _name in ("setitem", "delitem"):
    setattr(Speaking, f"__{_name}__", _notes(_name))
for _name, _value in {
    "int": 7,
    "float": 7.5,
    "complex": 7j,
    "index": 3,
    "hash": 99,
    "bool": False,
    "len": 4,
    "length_hint": 5,
    "bytes": b"seven",
    "contains": True,
    "dir": ["one", "two"],
}.items():
    setattr(Speaking, f"__{_name}__", _gives(_value))


class Countdown:
    """
    It can be iterated in both directions, has no length, and is no iterator.
    """

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        yield from range(self.first, 0, -1)

    def __reversed__(self) -> Iterator[int]:
        yield from range(1, self.first + 1)


class Old:
    """
    A sequence of the old protocol: only `__getitem__`, which ends with IndexError.
    """

    def __getitem__(self, index: int) -> int:
        if index > 2:
            raise IndexError(index)
        return index * 10


class Colour(enum.Enum):
    """
    An enumeration.
    """

    RED = 1
    BLUE = "b"


class Point(NamedTuple):
    """
    A named tuple with types.
    """

    x: int
    y: Any = 0


Pair = namedtuple("Pair", ["left", "right"])


@dataclasses.dataclass(frozen=True)
class Frozen:
    """
    A value of the user's.
    """

    name: str
    sizes: tuple[int, ...] = ()


@dataclasses.dataclass
class Thawed:
    """
    An object of the user's that may change.
    """

    name: str


class CustomError(Exception):
    """
    An exception with a state of its own.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class AwkwardError(Exception):
    """
    An exception whose class cannot be called with its ``args``.
    """

    def __init__(self, one: str, *, two: str) -> None:
        super().__init__(one)
        self.two = two


def plus_one(number: int) -> int:
    """
    Give the next number.
    """
    return number + 1


def numbers(stop: int) -> Iterator[int]:
    """
    Generate whole numbers.
    """
    yield from range(stop)


def breaks_after(items: int) -> Iterator[int]:
    """
    Generate some numbers and then fail.
    """
    yield from range(items)
    raise CustomError("no more", 5)
