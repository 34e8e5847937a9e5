"""
Pickling of exceptions: rebuilt without their ``__init__``.

Pickle calls the class of an exception with its ``args``. This fails if ``__init__``
takes other arguments, and it loses the cause and the context. Here the builtin base of
the class creates the exception, which then gets all its former state except its
traceback. A class with its own pickling (``__reduce__``) is rebuilt with it.
"""

from __future__ import annotations

import builtins
import contextlib
import copyreg
import weakref
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, NamedTuple

from .values import PLAIN_TYPES, dumps, reduce_main_only

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["reduce_by_value", "reduce_exception", "set_cause"]

#: The flag of classes that were created by Python code, or by a module's
#: initialisation.
HEAP_TYPE = 1 << 9
#: Groups need their arguments at creation; Python 3.10 has none.
GROUP: Any = getattr(builtins, "BaseExceptionGroup", None)
#: Their fields are read and set by name, or are arguments of `GROUP`.
COMMON_BASES = frozenset({BaseException, object, GROUP})
#: The object without the attribute: it may be large, and pickle leaves it out as well.
LEFT_OUT = frozenset({(AttributeError, "obj")})
REPR_CHARS = 200

_set_args: Any = vars(BaseException)["args"].__set__
_set_cause: Any = vars(BaseException)["__cause__"].__set__
_set_context: Any = vars(BaseException)["__context__"].__set__
_set_suppress: Any = vars(BaseException)["__suppress_context__"].__set__


class _State(NamedTuple):
    """
    The state of an exception.
    """

    args: tuple[Any, ...]
    attributes: dict[str, Any]
    #: The values in slots and in the fields of builtin exceptions.
    fields: dict[str, Any]
    cause: BaseException | None
    context: BaseException | None
    suppress_context: bool
    #: The state in the result of its own ``__reduce__``.
    own: Any


def reduce_by_value(value: Any) -> Any:
    """
    Reduce exceptions and definitions of ``__main__``: a hook of `values.dumps`.
    """
    if issubclass(type(value), BaseException):
        return reduce_exception(value, _can_be_sent)
    return reduce_main_only(value)


def reduce_exception(error: BaseException, can_be_sent: Callable[[Any], bool]) -> Any:
    """
    Return the reduced form of an exception.

    Args:
        error: The exception.
        can_be_sent: Returns whether a part can be pickled. An attribute that cannot is
            left out, an argument is replaced by its text, and a note lists both.

    Returns:
        The same as ``Pickler.reducer_override``.
    """
    kind = type(error)
    registered = copyreg.dispatch_table.get(kind)
    if registered is None:
        if _is_simple(error, kind):
            return NotImplemented
    elif not _is_of_tblib(registered):
        return NotImplemented
    missing: list[str] = []

    def keep(parts: dict[str, Any]) -> dict[str, Any]:
        kept = {name: part for name, part in parts.items() if can_be_sent(part)}
        missing.extend(parts.keys() - kept.keys())
        return kept

    args = tuple(x if can_be_sent(x) else _text_of(x) for x in error.args)
    causes = {"__cause__": error.__cause__, "__context__": error.__context__}
    for name, cause in list(causes.items()):
        if cause is not None and not _cause_can_be_sent(cause, can_be_sent):
            missing.append(name)
            causes[name] = None
    attributes = keep(dict(vars(error)))
    fields = keep(_read_fields(error, kind))
    if any(a is not b for a, b in zip(args, error.args, strict=True)):
        missing.append("args")
    if missing:
        note = (
            "These attributes of the exception could not be pickled: "
            f"{', '.join(sorted(missing))}."
        )
        attributes["__notes__"] = [*getattr(error, "__notes__", ()), note]
    own: Any = None
    make: Any = _make
    how: tuple[Any, ...] = (kind,)
    if GROUP is not None and isinstance(error, GROUP):
        how = kind, error.message, error.exceptions
    reduced = _own_way(error, kind)
    if reduced is not None:
        make, how = _make_in_its_way, (kind, *reduced[:2])
        own = reduced[2] if len(reduced) > 2 else None
    state = _State(
        args,
        attributes,
        fields,
        causes["__cause__"],
        causes["__context__"],
        error.__suppress_context__,
        own,
    )
    # As a state with its own setter, it may contain the exception itself.
    return make, how, tuple(state), None, None, _restore


def set_cause(error: BaseException, cause: BaseException) -> None:
    """
    Set the cause of an exception, and nothing else.

    An assignment would suppress the context, and an exception that is a frozen
    dataclass refuses it.
    """
    suppress = error.__suppress_context__
    _set_cause(error, cause)
    _set_suppress(error, suppress)


def _is_of_tblib(reducer: Any) -> bool:
    """
    Return whether a reducer is that of tblib, which Dask registers for all exceptions.

    It sends the traceback, and creates the exception with its arguments only.
    """
    function = getattr(reducer, "func", reducer)
    return getattr(function, "__module__", "") == "tblib.pickling_support"


def _is_simple(error: BaseException, kind: type) -> bool:
    """
    Return whether pickle's own way loses nothing, and is faster.
    """
    return (
        kind.__module__ == "builtins"
        and error.__cause__ is None
        and error.__context__ is None
        and not error.__suppress_context__
        and not vars(error)
        and not _fields_of(kind)
        and kind is not GROUP
        and all(type(x) in PLAIN_TYPES for x in error.args)
    )


def _can_be_sent(part: Any) -> bool:
    kind = type(part)
    if kind in PLAIN_TYPES or issubclass(kind, BaseException):
        return True
    try:
        dumps(part, reduce_by_value)
    except Exception:  # __reduce__ may run any code of the user
        return False
    return True


def _cause_can_be_sent(
    cause: BaseException, can_be_sent: Callable[[Any], bool]
) -> bool:
    """
    Return whether the class of a cause can be pickled, regardless of its own causes.
    """
    try:
        reduced = _own_way(cause, type(cause))
    except Exception:  # __reduce__ may run any code of the user
        return False
    return reduced is None or can_be_sent(reduced[:3])


def _text_of(value: Any) -> str:
    try:
        return repr(value)[:REPR_CHARS]
    except Exception:  # __repr__ may run any code of the user
        return f"<{type(value).__name__}>"


def _own_way(error: BaseException, kind: type) -> tuple[Any, ...] | None:
    """
    Return the reduced form of the class's own pickling, or None if it has none.

    Raises:
        Exception: Raised by the class: it cannot be pickled.
    """
    for name in ("__reduce_ex__", "__reduce__"):
        base = next(base for base in kind.__mro__ if name in vars(base))
        if base.__module__ != "builtins":
            break
    else:
        return None
    reduced = error.__reduce_ex__(5)
    return reduced if isinstance(reduced, tuple) else None


def _make(kind: type[BaseException], *args: Any) -> BaseException:
    """
    Create an exception without its ``__new__`` and ``__init__``.
    """
    base: Any = kind
    # The base with the same memory layout; only this one can create it.
    while base.__flags__ & HEAP_TYPE:
        base = base.__base__
    made: BaseException = base.__new__(kind, *args)
    return made


def _make_in_its_way(kind: type[BaseException], function: Any, args: Any) -> Any:
    try:
        return function(*args)
    except Exception:  # an inherited __reduce__ may not fit the class's __init__
        return _make(kind)


def _restore(error: BaseException, state: tuple[Any, ...]) -> None:
    """
    Restore the state of an exception that was just created.
    """
    found = _State(*state)
    if found.own is not None:
        error.__setstate__(found.own)
    if not error.args:
        _set_args(error, found.args)
    # Its own pickling may have restored an attribute in another form.
    missing = {k: v for k, v in found.attributes.items() if k not in vars(error)}
    if missing and type(error).__setstate__ is not BaseException.__setstate__:
        error.__setstate__(missing)
    else:
        vars(error).update(missing)
    members = _fields_of(type(error))
    for name, value in found.fields.items():
        # Some are read-only, or require a certain type.
        with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
            members[name].__set__(error, value)
    if found.cause is not None:
        _set_cause(error, found.cause)
    if found.context is not None:
        _set_context(error, found.context)
    _set_suppress(error, found.suppress_context)


def _read_fields(error: BaseException, kind: type) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, member in _fields_of(kind).items():
        with contextlib.suppress(AttributeError):  # the slot is empty
            value = member.__get__(error, kind)
            # An empty field of a builtin exception is None. A slot that holds None is
            # not empty, as in numpy's AxisError.
            if value is not None or member.__objclass__.__flags__ & HEAP_TYPE:
                values[name] = value
    return values


def _fields_of(kind: type) -> dict[str, Any]:
    """
    Return the slots of a class of exceptions, and the C fields of builtin ones.
    """
    found = _fields.get(kind)
    if found is None:
        found = _fields[kind] = {}
        for base in kind.__mro__:
            if base in COMMON_BASES:
                continue
            types: tuple[type, ...] = (MemberDescriptorType,)
            if base.__module__ == "builtins":
                types = MemberDescriptorType, GetSetDescriptorType
            for name, member in vars(base).items():
                if type(member) in types and (base, name) not in LEFT_OUT:
                    found.setdefault(name, member)
    return found


_fields: weakref.WeakKeyDictionary[type, dict[str, Any]] = weakref.WeakKeyDictionary()
