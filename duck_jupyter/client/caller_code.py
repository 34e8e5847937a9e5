"""
What the code of a caller does with the value that one of its instructions gives.

A place is an instruction of a code object. The walk starts behind it, follows where its
value lies on the stack, and ends at the instruction that takes the value. It needs no
source, and it takes whatever it does not know for a use of the value.
"""

from __future__ import annotations

import dis
import functools
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["ANY", "CALL", "CHANGES", "GET", "ITEM", "Place", "Step", "find_change"]

#: How a value was asked for: ``x.name``, ``x[key]``, ``x.name(...)``.
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
#: Those whose result may be what they were called for.
GIVING = frozenset({"pop", "popitem", "setdefault"})
#: Methods of a dict that give one of its values.
STEPS = frozenset({"get", "setdefault"})

#: The key of a step that only the running code knows.
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
    An instruction whose value is the base of a change, and of nothing else.
    """

    #: `GET`, `ITEM` or `CALL`.
    how: str
    #: The attribute or method that was asked for; ``""`` for an item.
    name: str
    #: The steps from the value to what is changed.
    steps: tuple[Step, ...]
    #: The method that changes it; ``""`` where an item is set or deleted.
    change: str


class _Instruction(NamedTuple):
    name: str
    arg: int
    opcode: int
    #: Offset of the next one.
    next: int


#: From 3.12 on, a bit of the argument says whether an attribute is called as a method.
_ATTRIBUTES_AND_METHODS = sys.version_info >= (3, 12)
#: From 3.11 on, zeros behind an instruction are its caches.
_HAS_CACHES = sys.version_info >= (3, 11)
#: A callable that is no method is called together with a NULL, from 3.13 on above it.
_NULL_ABOVE = sys.version_info >= (3, 13)
#: The argument of BINARY_OP that stands for ``x[key]``, from 3.14 on.
_SUBSCRIPT = 26

#: They touch nothing on the stack.
_IDLE = frozenset(
    {"NOP", "RESUME", "PRECALL", "KW_NAMES", "NOT_TAKEN", "EXTENDED_ARG", "MAKE_CELL"}
)
_ROTATIONS = {"ROT_TWO": 2, "ROT_THREE": 3, "ROT_FOUR": 4}
#: How many values besides the arguments lie above the callable.
_CALLS = {
    **{"CALL": 0, "CALL_METHOD": 0, "CALL_FUNCTION": 0},
    **{"CALL_KW": 1, "CALL_FUNCTION_KW": 1},
}


def find_change(code: CodeType, offset: int, how: str, name: str) -> Place | None:
    """
    Say what becomes of the value of an instruction, if it is changed and then dropped.

    Args:
        code: The code of the caller.
        offset: The instruction that asks for the value, as ``frame.f_lasti``.
        how: `GET`, `ITEM` or `CALL`.
        name: The attribute or method; ``""`` for an item.

    Returns:
        The place; None where the value is used in any other way, and where the
        instruction is not such a question at all.
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
    #: It reads an item.
    is_read: bool = False
    key: Any = ANY


def _take(code: CodeType, at: int) -> _Use | None:
    """
    Find what takes the value on top of the stack.

    Returns:
        None where that is no item and no call of a method.
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
        loaded: The instruction that looks the method up.

    Returns:
        The offset behind the call, and the first argument or `ANY`; None where the
        method is not called but used otherwise.
    """
    data = code.co_code
    above = int(_loads_method(loaded))
    # What lies above the callable before the arguments do: the object, or a NULL.
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
            # From 3.14 on there always is a place for keyword arguments.
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
            key = (ANY,)  # what was loaded first is only a part of the argument
        above, at = going
    return None


def _go(now: _Instruction, above: int) -> tuple[int, int] | None:
    """
    Go past an instruction that leaves a value alone.

    Returns:
        How many values lie above it then, and the next offset; None where the
        instruction takes the value, or where it is not known whether it does.
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
    Say how deep an instruction that copies or moves values reaches into the stack.
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
    Say whether an item of a value is set or deleted, also as ``x[key] += 1`` does.
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
    Say whether an instruction calls what ``x.name`` in the same expression looks up.
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
    Give the name of an attribute; some of its argument may lie before `at`.
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
    Say by how many values the stack grows.
    """
    if now.name == "CALL":
        return -now.arg - 1  # 3.11 counts the arguments elsewhere
    arg = now.arg if now.opcode >= dis.HAVE_ARGUMENT else None
    return dis.stack_effect(now.opcode, arg, jump=jump)
