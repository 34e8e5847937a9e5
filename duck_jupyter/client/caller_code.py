"""
How the code of a caller uses the value of one of its instructions.

A place is an instruction of a code object. The walk starts after it, tracks the
position of its value on the stack, and ends at the instruction that takes the value. It
needs no source. Any instruction that it does not know counts as a use of the value.
"""

from __future__ import annotations

import dis
import functools
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["ANY", "CALL", "CHANGES", "GET", "ITEM", "Place", "Step", "find_change"]

#: How a value was read: ``x.name``, ``x[key]``, ``x.name(...)``.
GET, ITEM, CALL = "get", "item", "call"

#: The methods that change a container, by its type.
CHANGES: dict[type, frozenset[str]] = {
    list: frozenset(
        {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"}
    ),
    dict: frozenset({"clear", "pop", "popitem", "setdefault", "update"}),
    set: frozenset(
        {
            *("add", "clear", "difference_update", "discard", "intersection_update"),
            *("pop", "remove", "symmetric_difference_update", "update"),
        }
    ),
    bytearray: frozenset(
        {"append", "clear", "extend", "insert", "pop", "remove", "reverse"}
    ),
}
ALL_CHANGES: frozenset[str] = frozenset().union(*CHANGES.values())
#: Of these methods the caller may need only the result.
GIVING = frozenset({"pop", "popitem", "setdefault"})
#: Methods of a dict that return one of its values.
STEPS = frozenset({"get", "setdefault"})

#: The key of a step, if only the running code knows it.
ANY: Any = object()


class Step(NamedTuple):
    """
    One step from a container to a value in it.
    """

    #: ``""`` for an item, or the name of one of `STEPS`.
    method: str
    key: Any


class Place(NamedTuple):
    """
    An instruction whose value is only used as the base of a change.
    """

    #: `GET`, `ITEM` or `CALL`.
    how: str
    #: The attribute or method that was read; ``""`` for an item.
    name: str
    #: The steps from the value to the changed container.
    steps: tuple[Step, ...]
    #: The method that changes it; ``""`` if an item is set or deleted.
    change: str


class _Instruction(NamedTuple):
    name: str
    arg: int
    opcode: int
    #: Offset of the next instruction.
    next: int


#: From 3.12 on, one bit of the argument says whether an attribute is loaded as a
#: method.
_ATTRIBUTES_AND_METHODS = sys.version_info >= (3, 12)
#: From 3.11 on, zeros after an instruction are its caches.
_HAS_CACHES = sys.version_info >= (3, 11)
#: A callable that is not a method is called with a NULL; from 3.13 on the NULL is above
#: it.
_NULL_ABOVE = sys.version_info >= (3, 13)
#: From 3.14 on, ``x[key]`` is BINARY_OP with this argument.
_SUBSCRIPT = 26

#: These do not touch the stack.
_IDLE = frozenset(
    {"NOP", "RESUME", "PRECALL", "KW_NAMES", "NOT_TAKEN", "EXTENDED_ARG", "MAKE_CELL"}
)
_ROTATIONS = {"ROT_TWO": 2, "ROT_THREE": 3, "ROT_FOUR": 4}
#: How many values besides the arguments are above the callable.
_CALLS = {
    **{"CALL": 0, "CALL_METHOD": 0, "CALL_FUNCTION": 0},
    **{"CALL_KW": 1, "CALL_FUNCTION_KW": 1},
}


def find_change(code: CodeType, offset: int, how: str, name: str) -> Place | None:
    """
    Return the place of an instruction whose value is changed and then dropped.

    Args:
        code: The code of the caller.
        offset: The instruction that reads the value, as ``frame.f_lasti``.
        how: `GET`, `ITEM` or `CALL`.
        name: The attribute or method; ``""`` for an item.

    Returns:
        The place; None if the value is used in any other way, or if the instruction
        does not read a value as `how` and `name` say.
    """
    data = code.co_code
    while _HAS_CACHES and offset > 0 and not data[offset]:
        offset -= 2  # a cache of the instruction
    asked = _read(data, offset)
    if how == CALL:
        if not _is_call_of(code, offset, name):
            return None
    elif how == ITEM:
        # A slice is a copy in the kernel, too.
        if not _is_subscript(asked) or _is_slice(code, _read(data, offset - 2)):
            return None
    elif not _is_attribute(asked) or _name_of(code, offset, asked) != name:
        return None
    steps: list[Step] = []
    at = asked.next
    while True:
        use = _take(code, at)
        if use is None:
            return None
        if use.method in STEPS or (not use.method and use.is_read):
            if use.method == "setdefault" and _is_dropped(data, use.end):
                return Place(how, name, tuple(steps), use.method)
            steps.append(Step(use.method, use.key))
            at = use.end
        elif not use.method:
            return Place(how, name, tuple(steps), "")
        elif use.method in ALL_CHANGES and (
            use.method not in GIVING or _is_dropped(data, use.end)
        ):
            return Place(how, name, tuple(steps), use.method)
        else:
            return None


class _Use(NamedTuple):
    """
    The instruction that takes a value as the base of an item or of a method's call.
    """

    #: Offset of the instruction after it.
    end: int
    method: str = ""
    #: Whether it reads an item.
    is_read: bool = False
    key: Any = ANY


def _take(code: CodeType, at: int) -> _Use | None:
    """
    Find the instruction that takes the value on top of the stack.

    Returns:
        None if it is neither an item nor a call of a method.
    """
    data = code.co_code
    above = 0  # values on the stack above this one
    before: _Instruction | None = None
    while at < len(data):
        now = _read(data, at)
        if now.name in _IDLE:
            at = now.next
            continue
        if above == 0 and _is_attribute(now):
            method = _name_of(code, at, now)
            call = _call_of(code, now)
            return None if call is None else _Use(call[0], method, key=call[1])
        if above == 1 and before is not None and _is_subscript(now):
            if _is_slice(code, before):
                return None
            return _Use(now.next, is_read=True, key=_key_of(code, before))
        if _is_item_change(data, now, above):
            return _Use(now.next)
        going = _go(now, above)
        if going is None:
            return None
        above, at = going
        before = now
    return None


def _call_of(code: CodeType, loaded: _Instruction) -> tuple[int, Any] | None:
    """
    Find the call of a method.

    Args:
        code: The code.
        loaded: The instruction that loads the method.

    Returns:
        The offset after the call, and the first argument or `ANY`; None if the method
        is not called but used otherwise.
    """
    data = code.co_code
    above = int(_loads_method(loaded))
    # Above the callable and below the arguments: the object, or a NULL.
    first = 1 if above or _NULL_ABOVE else 0
    at, key = loaded.next, None
    while at < len(data):
        now = _read(data, at)
        if now.name in _IDLE:
            at = now.next
            continue
        if now.name in _CALLS and above == first + now.arg + _CALLS[now.name]:
            return now.next, ANY if key is None else key[0]
        if now.name == "CALL_FUNCTION_EX":
            # From 3.14 on there is always a slot for keyword arguments.
            count = 2 if sys.version_info >= (3, 14) else 1 + (now.arg & 1)
            if above == first + count:
                return now.next, ANY
        if above == 0 and not _is_push(now):
            return None
        going = _go(now, above)
        if going is None:
            return None
        if above == first and key is None:
            key = (_key_of(code, now),)
        elif going[0] <= first + 1:
            key = (ANY,)  # the value loaded first is only a part of the argument
        above, at = going
    return None


def _go(now: _Instruction, above: int) -> tuple[int, int] | None:
    """
    Step over an instruction that does not take a value.

    Returns:
        How many values are above it afterwards, and the next offset; None if the
        instruction takes the value, or if this is unknown.
    """
    name = now.name
    if above == 0:
        return (_effect(now), now.next) if _is_push(now) else None
    reach = _reach(now)
    if reach is not None and reach > above:
        return None
    if name in ("JUMP_FORWARD", "JUMP_ABSOLUTE"):
        target = now.arg * 2 + (now.next if name == "JUMP_FORWARD" else 0)
        return (above, target) if target >= now.next else None
    if name in ("FOR_ITER", "SEND"):
        # The loop of a comprehension in an argument, or an await: go to its end.
        return above + _effect(now, jump=True), now.next + now.arg * 2
    if name.startswith("JUMP_BACKWARD"):
        return None
    left = above + _effect(now)
    pops_one = name.startswith(("POP_TOP", "POP_JUMP", "JUMP_IF", "STORE_"))
    if left > 0 or (left == 0 and pops_one and name != "STORE_SUBSCR"):
        return left, now.next
    return None


def _reach(now: _Instruction) -> int | None:
    """
    Return how deep an instruction that copies or moves values reaches into the stack.
    """
    if now.name in ("COPY", "SWAP", "ROT_N"):
        return now.arg
    return {"DUP_TOP": 1, "DUP_TOP_TWO": 2, **_ROTATIONS}.get(now.name)


def _is_push(now: _Instruction) -> bool:
    if _is_attribute(now) or not now.name.startswith(("LOAD_", "PUSH_", "BUILD_")):
        return False
    return _effect(now) > 0


def _is_item_change(data: bytes, now: _Instruction, above: int) -> bool:
    """
    Return whether an item of a value is set or deleted, also by ``x[key] += 1``.
    """
    if now.name in ("STORE_SUBSCR", "DELETE_SUBSCR", "DUP_TOP_TWO"):
        return above == 1
    if now.name == "STORE_SLICE":
        return above == 2
    if now.name == "COPY" and now.arg == above + 1 > 1:
        again = _read(data, now.next)
        return (again.name, again.arg) == (now.name, now.arg)
    return False


def _is_dropped(data: bytes, at: int) -> bool:
    now = _read(data, at)
    while now.name in _IDLE:
        now = _read(data, now.next)
    return now.name == "POP_TOP"


def _is_call_of(code: CodeType, offset: int, name: str) -> bool:
    """
    Return whether an instruction calls the method that ``x.name`` loads before it.
    """
    data = code.co_code
    called = _read(data, offset)
    if not called.name.startswith("CALL"):
        return False
    at, found = 0, []
    while at < offset:
        now = _read(data, at)
        if _is_attribute(now) and _name_of(code, at, now) == name:
            found.append(now)
        at = now.next
    calls = map(functools.partial(_call_of, code), reversed(found))
    return any(call is not None and call[0] == called.next for call in calls)


def _key_of(code: CodeType, loaded: _Instruction) -> Any:
    if loaded.name == "LOAD_CONST":
        return code.co_consts[loaded.arg]
    return loaded.arg if loaded.name == "LOAD_SMALL_INT" else ANY


def _is_slice(code: CodeType, loaded: _Instruction) -> bool:
    if loaded.name == "LOAD_CONST" and loaded.arg < len(code.co_consts):
        return type(code.co_consts[loaded.arg]) is slice
    return loaded.name == "BUILD_SLICE"


def _is_subscript(now: _Instruction) -> bool:
    if now.name == "BINARY_OP":
        return now.arg == _SUBSCRIPT
    return now.name == "BINARY_SUBSCR"


def _is_attribute(now: _Instruction) -> bool:
    return now.name in ("LOAD_ATTR", "LOAD_METHOD")


def _loads_method(now: _Instruction) -> bool:
    if now.name == "LOAD_METHOD":
        return True
    return _ATTRIBUTES_AND_METHODS and bool(now.arg & 1)


def _name_of(code: CodeType, at: int, now: _Instruction) -> str:
    """
    Return the name of an attribute; a part of its argument may be before `at`.
    """
    arg, shift = now.arg, 8
    while at >= 2 and code.co_code[at - 2] == dis.EXTENDED_ARG:
        at -= 2
        arg |= code.co_code[at + 1] << shift
        shift += 8
    name: str = code.co_names[arg >> 1 if _ATTRIBUTES_AND_METHODS else arg]
    return name


def _read(data: bytes, at: int) -> _Instruction:
    """
    Read the instruction at an offset, with the argument bytes that come before it.
    """
    arg = 0
    while True:
        opcode, low = data[at], data[at + 1]
        arg = arg << 8 | low
        at += 2
        if opcode != dis.EXTENDED_ARG or at >= len(data):
            break
    while _HAS_CACHES and at < len(data) and not data[at]:
        at += 2  # its caches
    return _Instruction(dis.opname[opcode], arg, opcode, at)


def _effect(now: _Instruction, *, jump: bool = False) -> int:
    """
    Return by how many values the stack grows.
    """
    if now.name == "CALL":
        return -now.arg - 1  # 3.11 counts the arguments separately
    arg = now.arg if now.opcode >= dis.HAVE_ARGUMENT else None
    return dis.stack_effect(now.opcode, arg, jump=jump)
