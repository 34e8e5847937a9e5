"""
The valid form of a request. Checked only after a request failed, to keep calls fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DataDecodeError, ProxyError
from ..protocol.opcodes import ProxyOpCode
from ..protocol.references import DESK, TYPE_NAME_CHARS
from ..protocol.tracebacks import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..objects.table import Entry

__all__ = ["counted_object", "is_probe", "misshapen", "subject_of", "unreadable"]

FORMS = (
    "A request must be GET [idx, attr], SET [idx, attr, value] or EXECUTE [idx, "
    "method, args, kwargs]."
)

ARGUMENTS = (list, tuple)
#: The types of a payload's items, by opcode.
REQUESTS: dict[int, tuple[Any, ...]] = {
    ProxyOpCode.GET: (int, str),
    ProxyOpCode.SET: (int, str, object),
    ProxyOpCode.EXECUTE: (int, str, ARGUMENTS, dict),
}
#: The types of the arguments of a request to the server itself.
WORDS: dict[str, tuple[Any, ...]] = {
    "adopt": (int,),
    "batch": (int, int),
    "block_name": (),
    "engine": (str, bytes),
    "fetch": (int,),
    "has": (int, str),
    "holder": (int,),
    "lend": (int,),
    "lock": (int, int),
    "reference": (int, str, str, ARGUMENTS, dict),
    "summary": (int,),
    "unlock": (int, int),
}
#: Requests that take any number of numbers.
PLURAL_WORDS = frozenset({"end", "release"})
#: Requests whose first argument is the number of an object.
ABOUT_ONE = frozenset(word for word, kinds in WORDS.items() if kinds[:1] == (int,))


def misshapen(opcode: Any, payload: Any) -> DataDecodeError | None:
    """
    Return the error in the form of a request, or None.

    Args:
        opcode: The received opcode.
        payload: The received payload.

    Returns:
        The error for the sender, or None.
    """
    kinds = REQUESTS.get(opcode) if type(opcode) is int else None
    if kinds is None:
        return DataDecodeError(
            "The opcode of a request must be 0 (GET), 1 (SET) or 2 (EXECUTE), not "
            f"{_short(opcode)}."
        )
    if not _has_form(payload, kinds):
        return DataDecodeError(f"The payload {_short(payload)} is not valid. {FORMS}")
    if opcode != ProxyOpCode.EXECUTE:
        if payload[0] == DESK:
            return DataDecodeError("A request to the server itself must be EXECUTE.")
        return None
    _, word, args, kwargs = payload
    if not all(issubclass(type(key), str) for key in kwargs):
        return DataDecodeError("The names of keyword arguments must be strings.")
    if payload[0] == DESK:
        known = WORDS.get(word)
        if word in PLURAL_WORDS:
            known = (int,) * len(args)
        if known is None or not _has_form(args, known):
            return DataDecodeError(
                f"The server knows no request {word[:40]!r} with these arguments."
            )
    return None


def subject_of(payload: Any) -> tuple[int, str]:
    """
    Return the number of a request's object, and the requested name.

    A request to the server itself, such as "lock", may be about an object.

    Args:
        payload: The received payload.

    Returns:
        The number, or 0 if there is none; and the attribute, method or control request.
    """
    if type(payload) is not list or not payload or type(payload[0]) is not int:
        return 0, ""
    idx, *rest = payload
    asked = rest[0][:TYPE_NAME_CHARS] if rest and type(rest[0]) is str else ""
    if idx == DESK and asked in ABOUT_ONE:
        args = rest[1] if len(rest) > 1 else None
        if type(args) in ARGUMENTS and args and type(args[0]) is int:
            idx = args[0]
            if asked == "reference" and len(args) > 2 and type(args[2]) is str:
                asked = args[2][:TYPE_NAME_CHARS]
    return (idx if 0 <= idx < 2**63 else 0), asked


def is_probe(error: BaseException, asked: str) -> bool:
    """
    Return whether a library has asked for a special attribute that an object may lack.

    Args:
        error: The exception.
        asked: The requested name.
    """
    is_special = asked.startswith("__") and asked.endswith("__")
    return is_special and type(error) is AttributeError and error.name == asked


def counted_object(payload: Any, entries: Mapping[int, Entry]) -> int | None:
    """
    Return the number of the object to which a request counts as a call.

    Args:
        payload: The payload of a request to the server itself, or to a removed object.
        entries: The objects in use, by number.

    Returns:
        The number, or 0 if the object was removed; None if the request is about no
        object. By such a request a client only reports what it no longer holds.
    """
    idx, _ = subject_of(payload)
    if idx == DESK:
        return None
    entry = entries.get(idx)
    return 0 if entry is None else entry.row


def unreadable(error: BaseException) -> BaseException:
    """
    Convert an error of decoding to an error of the protocol.
    """
    if isinstance(error, ProxyError):
        return error
    return DataDecodeError(
        f"The request could not be decoded: {describe(error)}. {FORMS}"
    )


def _has_form(items: Any, kinds: tuple[Any, ...]) -> bool:
    if type(items) not in ARGUMENTS or len(items) != len(kinds):
        return False
    # The type alone: isinstance() calls the object, which may answer anything.
    return all(issubclass(type(x), k) for x, k in zip(items, kinds, strict=True))


def _short(value: Any) -> str:
    # The repr of an unknown object may run any code.
    kind = type(value)
    if kind in (int, str):
        return repr(value)[:40]
    if kind is list:
        return f"[{', '.join(type(part).__name__ for part in value[:8])}]"
    return f"type {kind.__name__}"
