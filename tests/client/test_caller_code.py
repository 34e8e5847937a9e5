"""
What code does with a value that it asks for: change and drop it, or use it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from duck_jupyter.client.caller_code import CALL, GET, ITEM, Place, find_change


class Asked:
    """
    It notes what becomes of what it is asked for, and gives something to go on with.
    """

    def __init__(self) -> None:
        self.found: list[Place | None] = []

    def note(self, how: str, name: str) -> Any:
        frame = sys._getframe(2)
        self.found.append(find_change(frame.f_code, frame.f_lasti, how, name))
        return Anything()

    def __getattr__(self, name: str) -> Any:
        if name in ("get", "setdefault", "find", "pop"):
            return Method(self, name)
        return self.note(GET, name)

    def __getitem__(self, key: Any) -> Any:
        return self.note(ITEM, "")

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self)[name] = value

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


class Method:
    """
    A method of what is asked.
    """

    def __init__(self, asked: Asked, name: str) -> None:
        self.asked = asked
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.asked.note(CALL, self.name)


class Anything:
    """
    It can do whatever containers and numbers can.
    """

    def __getattr__(self, name: str) -> Any:
        return Anything()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Anything()

    def __getitem__(self, key: Any) -> Any:
        return Anything()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __delitem__(self, key: Any) -> None:
        pass

    def __iter__(self) -> Any:
        return iter([Anything(), Anything()])

    def __len__(self) -> int:
        return 2

    def __add__(self, other: Any) -> Any:
        return self

    __iadd__ = __radd__ = __or__ = __lt__ = __gt__ = __add__

    def __contains__(self, other: Any) -> bool:
        return True

    def __index__(self) -> int:
        return 0

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass


#: An expression, the steps to what it changes, and the method that does.
EXPRESSIONS: list[tuple[str, list[Any], str]] = [
    ("p.rows.append(1)", [], "append"),
    ("p['a'].append(1)", [], "append"),
    ("p[k].extend([1, 2])", [], "extend"),
    ("p.get('a').insert(0, k)", [], "insert"),
    ("p.setdefault(k, []).append(v)", [], "append"),
    ("p.setdefault(*pair).append(v)", [], "append"),
    ("p.find(k, key=v).append(v)", [], "append"),
    ("p.find(k, *pair, key=v, **named).append(v)", [], "append"),
    ("p.rows.sort()", [], "sort"),
    ("p.rows.sort(key=len, reverse=True)", [], "sort"),
    ("p.rows.reverse()", [], "reverse"),
    ("p.rows.remove(f(v))", [], "remove"),
    ("p.rows.clear()", [], "clear"),
    ("p.tags.add(k)", [], "add"),
    ("p.tags.discard(k)", [], "discard"),
    ("p.tags.difference_update([k], [v])", [], "difference_update"),
    ("p.tags.update(*pair)", [], "update"),
    ("p.options.update(a=1, b=v)", [], "update"),
    ("p.options.update(named, **named)", [], "update"),
    ("p.options.update({**named, 'x': 1})", [], "update"),
    ("p['a']['b'].append(1)", ["b"], "append"),
    ("p.rows[0].append(1)", [0], "append"),
    ("p.rows[1000].append(1)", [1000], "append"),
    ("p.rows[-1].append(1)", [-1], "append"),
    ("p.rows[k][v].append(1)", [..., ...], "append"),
    ("p.rows[k + 1]['x'].append(1)", [..., "x"], "append"),
    ("p.options.get(k).append(1)", ["get", ...], "append"),
    ("p.options.get('b').append(1)", ["get", "b"], "append"),
    ("p.options.get('b', f('c')).append(1)", ["get", "b"], "append"),
    ("p.options.get('b', 1 if k else 2).append(1)", ["get", ...], "append"),
    ("p.options.get('b' + 'c' * k).append(1)", ["get", ...], "append"),
    ("p.options.get('b' and k).append(1)", ["get", ...], "append"),
    ("p.options.get('b'.upper(), 'c').append(1)", ["get", ...], "append"),
    ("p.options.get(*['b', 'c']).append(1)", ["get", ...], "append"),
    ("p['a'].setdefault(k, []).append(v)", ["setdefault", ...], "append"),
    ("p.setdefault(k, {}).setdefault(v, []).append(v)", ["setdefault", ...], "append"),
    ("p['a'].append(1 if k else 2)", [], "append"),
    ("p['a'].append(k or v or f(v))", [], "append"),
    ("p['a'].append(k and v)", [], "append"),
    ("p['a'].append(not k)", [], "append"),
    ("p['a'].append(k < 1 < v)", [], "append"),
    ("p['a'].append([x for x in pair if x for y in pair])", [], "append"),
    ("p['a'].append({x: y for x, y in named.items()})", [], "append"),
    ("p['a'].append(sum(x for x in pair))", [], "append"),
    ("p['a'].append(lambda x: x)", [], "append"),
    ("p['a'].append(f'{k!r:>5} and {v}')", [], "append"),
    ("p['a'].append((k, [v, *pair], {k: v}, {k}, pair[0:1]))", [], "append"),
    ("p['a'].append(f(f(k, v), *pair).__class__.__name__)", [], "append"),
    ("p['a'].append(k.real + v * 2 - -k)", [], "append"),
    ("p['a'].append(w := 3)", [], "append"),
    ("p['a' if k else 'b'].append(1)", [], "append"),
    ("(p if k else v)['a'].append(1)", [], "append"),
    ("x = p['a'].append(1)", [], "append"),
    ("f(p['a'].append(1))", [], "append"),
    ("p['a'].append(1) or k", [], "append"),
    ("[p['a'].append(x) for x in pair]", [], "append"),
    ("{x: p['a'].append(x) for x in pair}", [], "append"),
    ("list(p['a'].append(x) for x in pair)", [], "append"),
    ("(lambda: p['a'].append(1))()", [], "append"),
    ("(lambda q: q['a'].append(1))(p)", [], "append"),
]
STATEMENTS: list[tuple[str, list[Any], str]] = [
    ("p['n']['x'] = 1", [], ""),
    ("p.rows[k] = f(v)", [], ""),
    ("p.rows[k], p.x = 1, 2", [], ""),
    ("x = p.rows[k] = y = 3", [], ""),
    ("p.rows[k]: int = 3", [], ""),
    ("p.rows[0:2] = [1]", [], ""),
    ("p.rows[:] = [1]", [], ""),
    ("p.rows[k:v:2] = [1]", [], ""),
    ("p['n']['x'] += 1", [], ""),
    ("p.rows[k] += f(v)", [], ""),
    ("p.rows[k:v] += [1]", [], ""),
    ("p.rows[1:2] += [1]", [], ""),
    ("p.rows[k if v else 0] += [1]", [], ""),
    ("del p['n']['x']", [], ""),
    ("del p.rows[1:]", [], ""),
    ("del p['n']['x'], lst[0]", [], ""),
    ("p.cfg['n']['m'] = 1", ["n"], ""),
    ("p['n']['m']['x'] = 1", ["m"], ""),
    ("p['n']['m']['x'] += 1", ["m"], ""),
    ("p.get(k)['x'] = 1", [], ""),
    ("p.setdefault(k, {})['x'] = v", [], ""),
    ("for p['n']['x'] in pair: pass", [], ""),
    ("p.rows.pop()", [], "pop"),
    ("p['a'].pop(0)", [], "pop"),
    ("p['a'].popitem()", [], "popitem"),
    ("p['a'].setdefault(k, 1)", [], "setdefault"),
    ("p['a']['b'].setdefault(k, 1)", ["b"], "setdefault"),
]
#: Copies that are bound, passed on, or whose result is used; and what changes none.
USED = [
    "x = p.rows",
    "x = p['a']; x.append(1)",
    "(x := p.rows).append(1)",
    "for row in p.rows: row.append(1)",
    "[row.append(1) for row in p.rows]",
    "x, y = p.rows",
    "x = [*p.rows]",
    "with p.rows as x: x.append(1)",
    "f(p.rows)",
    "f(k, p.rows).append(1)",
    "f(*p.rows).append(1)",
    "f(**{'a': p.rows}).append(1)",
    "f(p.rows.append)",
    "f(k, p.rows.append)",
    "x = p.rows.append",
    "list(map(p.rows.append, pair))",
    "x = p.rows.pop()",
    "f(p.rows.pop())",
    "p.rows.pop().append(1)",
    "named['b'] = p['a'].pop()",
    "x = p['a'].setdefault(k, 1)",
    "f(p['a'].setdefault(k, []))",
    "f(p['a'].popitem(), key=k)",
    "assert p['a'].pop()",
    "if p['a'].pop(): pass",
    "while not p['a'].pop(): pass",
    "x = p.rows[0]",
    "x = p.rows[0].count(1)",
    "p.rows.count(1)",
    "p.rows.copy().append(1)",
    "p[0:1].append(1)",
    "p[k:v].append(1)",
    "p[k:v:2].append(1)",
    "p.rows[0:1].append(1)",
    "p.rows[k:v].append(1)",
    "p.rows[k:v][0] = 1",
    "sorted(p.rows).append(1)",
    "(p.rows + [1]).append(2)",
    "([1] + p.rows).append(2)",
    "(p.rows or []).append(2)",
    "([] and p.rows)",
    "(p.rows if k else []).append(2)",
    "[p.rows].append(1)",
    "[p.rows][0].append(1)",
    "{'a': p.rows}['a'].append(1)",
    "lst.append(p.rows)",
    "lst.append(p['a']['b'])",
    "lst[p.rows] = 1",
    "lst[0] = p.rows",
    "lst[0:1] = p.rows",
    "lst[p.rows] += 1",
    "lst[0] += p.rows",
    "del lst[p.rows]",
    "p.rows += [1]",
    "p['a'] += [1]",
    "p['a'] = p['b'] + [1]",
    "p.rows = p.rows",
    "p[p.rows] = 1",
    "p['a'].x = 1",
    "p['a'].x().append(1)",
    "p['a'].x.real.append(1)",
    "p.rows; lst.append(1)",
    "f'{p.rows}'",
    "k in p.rows",
    "p.rows is lst",
    "1 < p.rows < 2",
    "getattr(p, 'rows')",
    "list(map(p.get, pair)).append(1)",
    "list(map(p.__getitem__, pair)).append(1)",
    "lst.append(p.get(k))",
    "lst.append(p.get(k)[0])",
    "p.pop",
    "p.get(k)",
    "p.get(k).keys()",
    "(yield p.rows)",
    "x = yield p.rows",
    "return p.rows",
    "return p.rows.pop()",
    "return lambda: p.rows",
    "lambda: p.rows.pop()",
    "[p.rows.pop() for x in pair]",
    "match p.rows:\n    case [a, b]: a.append(1)",
    "try:\n    x = p.rows\nfinally:\n    lst.append(1)",
]
NAMES = {"k": 1, "v": 2, "pair": (1, 2), "named": {"a": 1, "b": 2}, "lst": Anything()}


def give(*args: Any, **kwargs: Any) -> Any:
    """
    Take anything.
    """
    return Anything()


def run(code: str, header: str | None) -> list[Place | None]:
    """
    Run code whose source nobody has, and say what was found for each of its questions.

    Args:
        code: Statements.
        header: The function that they are in; None for the level of a module.
    """
    asked = Asked()
    space: dict[str, Any] = {**NAMES, "lst": Anything(), "f": give, "p": asked}
    if header is not None:
        body = "".join(f"    {line}\n" for line in code.split("\n"))
        code = f"{header}\n{body}"
    exec(compile(code, "<nowhere>", "exec"), space)
    if header is not None:
        result = space["function"](asked)
        if isinstance(result, Coroutine):
            asyncio.run(result)
        elif isinstance(result, Generator):
            list(result)
    return asked.found


def keys_of(place: Place) -> list[Any]:
    known = [x for step in place.steps for x in (step.method, step.key) if x != ""]
    return [... if type(key) is object else key for key in known]


def headers_for(code: str) -> list[str | None]:
    if "return" in code or "yield" in code:
        return ["def function(p):"]
    return [None, "def function(p):", "async def function(p):"]


@pytest.mark.parametrize(("code", "keys", "change"), EXPRESSIONS + STATEMENTS)
def test_a_change_of_a_value_that_is_dropped_is_found(
    code: str, keys: list[Any], change: str
) -> None:
    for header in headers_for(code):
        places = [place for place in run(code, header) if place is not None]
        assert places, header
        for place in places:
            assert (keys_of(place), place.change) == (keys, change), header


@pytest.mark.parametrize(("code", "keys", "change"), EXPRESSIONS)
def test_a_change_is_found_in_the_middle_of_an_expression(
    code: str, keys: list[Any], change: str
) -> None:
    if " = " in code:
        return
    for around in ("return {}", "yield {}", "x = [{}]", "f(k, {}, v)", "{}, 1"):
        found = run(around.format(code), "def function(p):")
        assert any(found), around


@pytest.mark.parametrize("code", USED)
def test_a_value_that_is_used_is_nobodys_business(code: str) -> None:
    for header in headers_for(code):
        assert not any(run(code, header)), header


def test_a_change_behind_many_names_is_found() -> None:
    many = "\n".join(f"n{i} = f(); n{i}.m{i}(n{i}.k{i})" for i in range(400))
    rare = "p.rare_name.append(f(n399, n398)); p.get(n399).append(1); p.rare_name"

    for header in (None, "def function(p):"):
        first, second, third = run(f"{many}\n{rare}", header)
        assert (first and first.change, second and second.change, third) == (
            "append",
            "append",
            None,
        )
