"""
Classes that stand in for list, deque and so on: what they make is a proxy.

A stand-in is a subclass of the real class, so tests can derive from it and call its
class methods. Calling it, or a class derived from it, makes the object in the station
and gives its proxy. In the station itself the names of this module are the real
classes, so an object whose class derives from a stand-in arrives as an ordinary one.
"""

from __future__ import annotations

import abc
import contextlib
import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

from duck_jupyter.proxy import Proxy

from .station import CannotBeSent

if TYPE_CHECKING:
    from collections.abc import Callable

    from .station import Station

__all__ = ["StandIn", "bring", "maker_of", "placed", "real_of", "stand_in_for"]

#: Between the module and the name of a real class, in the name of its stand-in.
MARK = "__OF__"

_stations: list[Station] = []
_made_there: set[str] = set()


def bring(station: Station | None) -> None:
    """
    Say where objects are to live.

    Args:
        station: The process; None makes stand-ins behave as their real classes.
    """
    _stations[:] = [] if station is None else [station]


class StandIn(type):
    """
    The class of stand-ins and of the classes derived from them.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """
        Make an object in the station, and give its proxy.
        """
        real = real_of(cls)
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if not _stations or caller.startswith("duck_jupyter."):
            # What a proxy gives by value is made as ever.
            return type.__call__(real, *args, **kwargs)
        if any(base.__qualname__ in _made_there for base in cls.__mro__):
            return _stations[0].make(real, *args, **kwargs)
        if real is cls:
            # The pickle of a test's own class may leave out what it is to hold.
            with contextlib.suppress(CannotBeSent):
                return _stations[0].make(real, *args, **kwargs)
        # Made here first: what its constructor takes and raises is not under test.
        made = type.__call__(real, *args, **kwargs)
        try:
            return _stations[0].place(made)
        except CannotBeSent:
            return _stations[0].make(real, *args, **kwargs)

    def __instancecheck__(cls, value: Any) -> bool:
        real = real_of(cls)
        if issubclass(type(value), Proxy):
            name: str = object.__getattribute__(value, "_duck_ref").type_name
            return any(x.__name__ == name for x in (real, *_derived(cls)))
        return issubclass(type(value), real)

    def __getattribute__(cls, name: str) -> Any:
        """
        Let ``set.update(proxy, x)`` of a stand-in be ``proxy.update(x)``.
        """
        found = type.__getattribute__(cls, name)
        if not isinstance(found, types.MethodDescriptorType) or cls is real_of(cls):
            return found

        def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, Proxy):
                return getattr(self, name)(*args, **kwargs)
            return found(self, *args, **kwargs)

        return method

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is real_of(cls)

    def __hash__(cls) -> int:
        real = real_of(cls)
        return type.__hash__(cls) if real is cls else hash(real)


class AbstractStandIn(StandIn, abc.ABCMeta):
    """
    The same for real classes that are abstract base classes' children.
    """


def _derived(cls: type) -> list[type]:
    found: list[type] = type.__subclasses__(cls)
    return found + [x for child in found for x in _derived(child)]


def real_of(cls: Any) -> Any:
    """
    Give the real class that a stand-in stands for, and anything else as it is.
    """
    if issubclass(type(cls), StandIn):
        return type.__getattribute__(cls, "__dict__").get("__duck_real__", cls)
    return cls


def stand_in_for(real: type, *, made_there: bool = False) -> Any:
    """
    Give the stand-in for a class; always the same one.

    Args:
        real: The real class.
        made_there: Its objects cannot be pickled, so they are made in the station from
            the arguments. The others are made here and copied.
    """
    name = f"{real.__module__}{MARK}{real.__qualname__}".replace(".", "__DOT__")
    here = sys.modules[__name__]
    if name not in vars(here):
        kind = AbstractStandIn if isinstance(real, abc.ABCMeta) else StandIn
        space = {
            "__doc__": real.__doc__,
            "__duck_real__": real,
            "__module__": __name__,
            "__qualname__": name,
            "__slots__": (),
        }
        setattr(here, name, kind(real.__name__, (real,), space))
        if made_there:
            _made_there.add(name)
    return vars(here)[name]


def placed(value: Any) -> Any:
    """
    Copy an object into the station, and give its proxy.
    """
    return _stations[0].place(value)


def maker_of(maker: Callable[..., Any]) -> Callable[..., Any]:
    """
    Give a function that makes objects in the station, and gives their proxies.

    Args:
        maker: The class or function that makes them there.
    """

    def make(*args: Any, **kwargs: Any) -> Any:
        return _stations[0].make(maker, *args, **kwargs)

    return make


def __getattr__(name: str) -> Any:
    """
    Give the real class to a process that reads the name of a stand-in, as the station.
    """
    module, mark, real = name.replace("__DOT__", ".").partition(MARK)
    if not mark:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(module), real)
