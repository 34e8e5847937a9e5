"""
Functions of cells as bytes: their names, with the globals that they need.

A pool pickles later, in a thread of its own. So `sent` pickles a function when it is
submitted, with the present state of everything it mentions. The pickle of a global is
kept as long as the global cannot have changed.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import pickle
import re
import types
import weakref
from typing import TYPE_CHECKING, Any

from ..data.handover import handover
from ..data.holds import Encoded
from ..errors import DataEncodeError, VersionsAwaited
from . import mirror as made
from ._cell_pickler import Pickled, globals_of, pickled
from .members import unsendable
from .mirror import main
from .names import has_own_globals, is_of_module, is_own, path_of
from .unsendable import Unsendable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from .mirror import Part

    #: The name or pickle of the value, its parts, and the handles in its pickle.
    Bundle = tuple[bytes | str, list[Part], tuple[Any, ...]]

__all__ = [
    "Sent",
    "bundle_of",
    "find",
    "forget_unbound",
    "number_all",
    "numbers",
    "sent",
]

ATOMS = (type(None), bool, int, float, complex, str, bytes, types.ModuleType)
#: Types of attributes of a class that cannot change while they are the same object.
STILL = (
    *ATOMS,
    types.FunctionType,
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
)
TOKEN_BYTES = 16
#: The number of what a worker has made itself; the kernel's numbers do not come so far.
FOREIGN = 1 << 62
#: Names that IPython gives to what cells have shown, and to their text.
SHOWN = re.compile(r"_+|_i+|_\d+|_i\d+|_[iod]h|In|Out")

_numbers = itertools.count(1)
#: Name -> (a function that returns its value, the number of that binding).
_bound: dict[str, tuple[Callable[[], Any], int]] = {}
#: Names that a worker may have, also those that have been deleted since.
_known: set[str] = set()
#: Name -> the kept pickle of its value.
_kept: dict[str, Kept] = {}
#: Number -> function or class, to find the original of a returned one.
_objects: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


class Kept:
    """
    The pickle of a global.
    """

    __slots__ = ("data", "handles", "needs", "stamp", "token")

    def __init__(self, stamp: tuple[Any, ...] | None, found: Pickled) -> None:
        self.stamp: tuple[Any, ...] | None = stamp
        self.data: bytes = found.data
        self.needs: tuple[str, ...] = found.needs
        self.handles: tuple[Any, ...] = _handles(found)
        digest = hashlib.blake2b(found.data, digest_size=TOKEN_BYTES)
        for hold in found.holds:
            digest.update(hold.nonce)
        self.token: bytes = digest.digest()


def _handles(found: Pickled) -> tuple[Any, ...]:
    return tuple(Encoded(hold) for hold in found.holds)


def _reference(value: Any) -> Callable[[], Any]:
    """
    Refer to a value without keeping it alive, if possible.
    """
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def number_of(name: str, value: Any) -> int:
    """
    Return the number of the binding of a name to a value.
    """
    entry = _bound.get(name)
    if entry is None or entry[0]() is not value:
        entry = _bound[name] = _reference(value), next(_numbers)
        _known.add(name)
        if is_own(value):
            _objects[entry[1]] = value
    return entry[1]


def _sent_number(name: str, value: Any) -> int:
    """
    Return the number with which a name goes to another process.

    All processes mean the kernel's numbers. A worker that counted by itself would lead
    the kernel to another object of that number.
    """
    if made.mirror.is_kernel:
        return number_of(name, value)
    number = made.mirror.number_of(name)
    return number if number > 0 else FOREIGN


def number_all() -> int:
    """
    Number all names, and return the highest number.
    """
    for name, value in list(main().items()):
        number_of(name, value)
    return next(_numbers)


def numbers() -> dict[str, int]:
    """
    Return the numbers of all names that were numbered and are bound.
    """
    bound, names = list(_bound.items()), main()
    return {name: number for name, (_, number) in bound if name in names}


def forget_unbound() -> None:
    """
    Drop the pickles of former values; called after each cell.
    """
    names = main()
    for name, (value, _) in list(_bound.items()):
        if name not in names or names[name] is not value():
            _bound.pop(name, None)
            _kept.pop(name, None)


def find(name: str, number: int) -> Any:
    """
    Return the function or class that was sent under a number, or None.
    """
    return _objects.get(number)


def _stamp(value: Any) -> tuple[Any, ...] | None:
    """
    Return the condition for keeping a pickle, or None if it cannot be kept.
    """
    if isinstance(value, ATOMS):
        return (value,)
    if type(value) is types.FunctionType:
        defaults = value.__defaults__ or ()
        if value.__closure__ or value.__dict__ or value.__kwdefaults__:
            return None
        if has_own_globals(value):  # which are in the pickle
            return None
        if all(isinstance(default, ATOMS) for default in defaults):
            return (value, value.__code__, *defaults)
    if type(value) is type:
        items = vars(value)
        if all(isinstance(item, STILL) for item in items.values()):
            return (value, *items, *items.values())
    return None


def _same(one: tuple[Any, ...], other: tuple[Any, ...] | None) -> bool:
    return (
        other is not None
        and len(one) == len(other)
        and all(a is b for a, b in zip(one, other, strict=True))
    )


def kept_of(name: str, value: Any, way: Iterable[str]) -> Kept:
    """
    Return the pickle of a global.

    Args:
        name: Its name.
        value: Its value.
        way: The names through which a function needs it, this name last.
    """
    stamp, kept = _stamp(value), _kept.get(name)
    if kept is not None and stamp is not None and _same(stamp, kept.stamp):
        return kept
    try:
        found = pickled(value, name if path_of(value) == name else None)
    except VersionsAwaited:
        raise
    except Exception as error:  # whatever the value's own code raises
        # Only a function that uses it gets the error.
        message = unsendable(value, way, error)
        found = Pickled(pickle.dumps(Unsendable(message)), (), ())
        return Kept(None, found)
    kept = Kept(stamp, found)
    if stamp is not None:
        _kept[name] = kept
    return kept


def bundle_of(
    value: Any, sent_before: Collection[str] = (), inherited: int = 0
) -> Bundle:
    """
    Return a function or class as bytes, with each global that it needs.

    Args:
        value: The function or class.
        sent_before: Names that the same message already has.
        inherited: The number of the last binding that all workers inherited. Earlier
            bindings are sent without a pickle, unless it is kept anyway.

    Returns:
        Its name or its pickle, the parts, and the handles of its pickle.

    Raises:
        DataEncodeError: It cannot be pickled.
        VersionsAwaited: Too many states of its data wait for workers.
    """
    path = path_of(value)
    data: bytes | str
    todo: list[tuple[str, tuple[str, ...]]]
    parts: list[Part] = []
    handles: tuple[Any, ...] = ()
    if path is not None:
        top = path.partition(".")[0]
        data, todo = path, [(top, (top,))]
    else:
        name = getattr(value, "__qualname__", type(value).__name__)
        try:
            whole = pickled(value)
        except VersionsAwaited:
            raise
        except Exception as error:  # whatever the value's own code raises
            message = unsendable(value, (name,), error)
            raise DataEncodeError(message) from error
        data, handles = whole.data, _handles(whole)
        todo = [(need, (name, need)) for need in whole.needs]
    names, seen = main(), set(sent_before)
    tokens: dict[str, bytes] = {}
    for name, way in todo:  # grows while it runs
        if name in seen:
            continue
        if name not in names:
            # Unknown here: a built-in, or the worker's own, as an initializer sets it.
            if name in _known:
                parts.append((name, made.ALWAYS, made.DELETED, b"", ()))
            continue
        seen.add(name)
        found = names[name]
        number = _sent_number(name, found)
        first = _first_name(name, found)
        if first != name and first not in seen:
            # Its own part goes before.
            seen.discard(name)
            todo.extend([(first, (*way[:-1], first)), (name, way)])
            continue
        if handover.is_shared(found) or hasattr(type(found), "_duck_proxies"):
            number = made.ALWAYS
        elif number <= inherited and _stamp(found) is None:
            code = getattr(found, "__code__", None)
            if code is not None or not is_own(found):
                parts.append((name, number, b"", b"", ()))
                tokens[name] = number.to_bytes(TOKEN_BYTES, "big")
                if code is not None:
                    needs = globals_of(code)
                    todo.extend((need, (*way, need)) for need in needs)
                continue
        if first != name:
            token = tokens.get(first) or os.urandom(TOKEN_BYTES)
            parts.append((name, number, token + first.encode(), _same_as(first), ()))
            continue
        kept = kept_of(name, found, way)
        tokens[name] = kept.token
        parts.append((name, number, kept.token, kept.data, kept.handles))
        todo.extend((need, (*way, need)) for need in kept.needs)
    return data, parts, handles


def _first_name(name: str, value: Any) -> str:
    """
    Give the name that was first bound to a value, where several names are.

    What is equal wherever it is needs no other name, and what is the notebook's own
    knows its name.
    """
    if isinstance(value, ATOMS) or is_own(value):
        return name
    same = [
        other
        for other, found in list(main().items())
        if found is value and (other == name or not SHOWN.fullmatch(other))
    ]
    if len(same) < 2:
        return name
    return min(same, key=lambda other: number_of(other, value))


class _Same:
    """
    Pickled, it is what the worker has under a name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return made.value, (self._name,)


@functools.lru_cache(maxsize=256)
def _same_as(name: str) -> bytes:
    return pickle.dumps(_Same(name), pickle.HIGHEST_PROTOCOL)


class Sent:
    """
    A function or class as it was when it was submitted. It unpickles to that one.

    Args:
        value: The function or class.
        inherited: As in `bundle_of`.
    """

    __slots__ = ("bundle", "value")

    def __init__(self, value: Any, inherited: int = 0) -> None:
        self.value: Any = value
        self.bundle: Bundle = bundle_of(value, inherited=inherited)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Call the function, in this process.
        """
        return self.value(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return made.load, self.bundle


def sent(value: Any, inherited: int = 0, *, by_value: bool = False) -> Any:
    """
    Return the present state of a function of the notebook, also inside partials.

    Other values are returned unchanged, and are pickled later by the pool.

    Args:
        value: The function, or anything else.
        inherited: As in `bundle_of`.
        by_value: Whether the pool itself sends what functions of modules have made.
    """
    if type(value) is functools.partial:
        before = (value.func, *value.args)
        function, *args = (sent(x, inherited, by_value=by_value) for x in before)
        if any(a is not b for a, b in zip(before, (function, *args), strict=True)):
            return functools.partial(function, *args, **value.keywords)
        return value
    is_left = not is_own(value) or (by_value and is_of_module(value))
    return value if is_left else Sent(value, inherited)
