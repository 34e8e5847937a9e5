"""
Quotes a statement that would change a copy, and the statement that works instead.

The code object already gives the change. The source, if there is any, is only read to
quote the statement as its author wrote it.
"""

from __future__ import annotations

import ast
import functools
import linecache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .caller_code import CALL, GET, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

__all__ = ["Quoted", "quote", "sketch"]


class Quoted(NamedTuple):
    """
    A statement, and the statement to write instead.
    """

    statement: str
    instead: str


class _Found(NamedTuple):
    """
    The nodes of a change that would be lost.
    """

    #: The expression or statement that is quoted.
    whole: ast.AST
    #: The expression that reads the copy.
    asking: ast.expr
    #: The expressions to wrap in `ref`, from the proxy outwards.
    bases: list[ast.expr]


def sketch(place: Place) -> str:
    """
    Return the form of the statement that works, if there is no source to quote.
    """
    text = "ref(PROXY)" + _form(place.name, place.how == CALL)
    if place.how == GET:
        text = f"ref(PROXY).{place.name}"
    for step in place.steps:
        text = f"ref({text})" + _form(step.method, bool(step.method))
    return text + (_form(place.change, True) if place.change else "[...] = ...")


def _form(name: str, is_call: bool) -> str:
    return f".{name}(...)" if is_call else "[...]"


def quote(
    code: CodeType, offset: int, line: int, names: dict[str, Any], place: Place
) -> Quoted | None:
    """
    Quote the statement of a place, and the statement to write instead.

    Args:
        code: The code of the caller.
        offset: The instruction that reads the copy.
        line: Its line.
        names: The globals of the code, which may have a loader for its source.
        place: How the copy is used.

    Returns:
        None if there is no source, if the source no longer matches the code, or if more
        than one expression of the line matches.
    """
    source = "".join(linecache.getlines(code.co_filename, names))
    return _quote(source, _end_of(code, offset), line, place) if source else None


def _end_of(code: CodeType, offset: int) -> tuple[int, int] | None:
    """
    Return the line and column in bytes where the expression ends, from Python 3.11 on.
    """
    positions: Any = getattr(code, "co_positions", tuple)()
    for _, end_line, _, end_column in islice(positions, offset // 2, None):
        if end_line is not None and end_column is not None:
            return end_line, end_column
        break
    return None


@functools.lru_cache(maxsize=128)
def _quote(
    source: str, end: tuple[int, int] | None, line: int, place: Place
) -> Quoted | None:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = [x for x in _find(tree, place) if _is_at(x, end, line)]
    if not found or not _are_one(found):
        return None
    whole, _, bases = found[0]
    if isinstance(whole, ast.stmt):
        bases += [x for x in _bases_of_targets(whole, bases[0]) if x not in bases]
    data = source.encode()
    starts = [0]
    for text in data.split(b"\n"):
        starts.append(starts[-1] + len(text) + 1)
    first, last = _span(whole, starts)
    edits: list[tuple[int, bytes]] = []
    for base in bases:
        start, stop = _span(base, starts)
        edits += [(start, b"ref("), (stop, b")")]
    instead = data[first:last]
    for at, text in sorted(edits, reverse=True):
        instead = instead[: at - first] + text + instead[at - first :]
    try:
        ast.parse(instead)
    except SyntaxError:
        return None
    return Quoted(data[first:last].decode(), instead.decode())


def _span(node: Any, starts: list[int]) -> tuple[int, int]:
    return (
        starts[node.lineno - 1] + node.col_offset,
        starts[node.end_lineno - 1] + node.end_col_offset,
    )


def _is_at(found: _Found, end: tuple[int, int] | None, line: int) -> bool:
    node: Any = found.asking
    if end is not None:
        return (node.end_lineno, node.end_col_offset) == end
    return bool(node.lineno <= line <= node.end_lineno)


def _find(tree: ast.AST, place: Place) -> Iterator[_Found]:
    """
    Find the expressions that read and change a value as a place does.
    """
    parents = {
        child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
    }
    for node in ast.walk(tree):
        base = _base_of(node, place.name, place.how)
        if base is None:
            continue
        asking: Any = node
        top, bases = asking, [base]
        for step in place.steps:
            bases.append(top)
            top = _step(top, step.method, parents)
        whole = _change(top, place.change, parents)
        if whole is not None:
            yield _Found(whole, asking, bases)


def _are_one(found: list[_Found]) -> bool:
    """
    Return whether all are targets of one statement that read one proxy.
    """
    return len({(id(x.whole), ast.dump(x.bases[0])) for x in found}) == 1


def _bases_of_targets(whole: ast.stmt, base: ast.expr) -> Iterator[ast.expr]:
    """
    Find the expressions to wrap in `ref`, in all targets that read one proxy.

    The statement must work as a whole: in ``p.d["a"], p.d["b"] = 1, 2`` the first
    target would be changed before the change of the second is refused.
    """
    asked = ast.dump(base)
    for target in ast.walk(whole):
        if not isinstance(target, ast.Subscript) or isinstance(target.ctx, ast.Load):
            continue
        path: list[ast.expr] = []
        node = target.value
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            path.append(node.value)
            if ast.dump(node.value) == asked:
                yield from path
                break
            node = node.value


def _base_of(node: ast.AST, name: str, how: str) -> ast.expr | None:
    """
    Return the expression that an expression reads from, if it reads in this way.
    """
    if how == CALL:
        if not isinstance(node, ast.Call):
            return None
        node = node.func
    if how in (CALL, GET):
        if isinstance(node, ast.Attribute) and node.attr == name:
            return node.value
        return None
    return node.value if isinstance(node, ast.Subscript) else None


def _step(node: ast.AST | None, method: str, parents: Any) -> ast.AST | None:
    """
    Return the expression that reads an item of another, or calls a method of it.
    """
    parent = parents.get(node)
    if not method:
        is_item = isinstance(parent, ast.Subscript) and parent.value is node
        return parent if is_item else None
    if not isinstance(parent, ast.Attribute) or parent.attr != method:
        return None
    call = parents.get(parent)
    return call if isinstance(call, ast.Call) and call.func is parent else None


def _change(node: ast.AST | None, change: str, parents: Any) -> ast.AST | None:
    """
    Return the call or the statement that changes the value of an expression.
    """
    whole = _step(node, change, parents)
    if change or whole is None:
        return whole
    if not isinstance(whole, ast.Subscript) or isinstance(whole.ctx, ast.Load):
        return None
    while whole is not None and not isinstance(whole, ast.stmt):
        whole = parents.get(whole)
    return None if hasattr(whole, "body") else whole
