"""
What cells define runs in the workers of pools that were opened before, of every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pools import BY_VALUE, POOLS

if TYPE_CHECKING:
    from tests.magics.kernels import Kernel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("kind", POOLS),
    # The first test waits until all pools are open.
    pytest.mark.timeout(120),
]

KINDS = """
import abc, contextlib, dataclasses, enum, functools, typing

def helper(i):
    return i * factor
factor = 10
class Base:
    def __init__(self, x):
        self.x = x
    def twice(self):
        return 2 * self.x
class Point(Base):
    __slots__ = ("y",)
    def __init__(self, x):
        super().__init__(x)
        self.y = -x
    @classmethod
    def make(cls, x):
        return cls(x)
    @staticmethod
    def helped(x):
        return helper(x)
    @functools.cached_property
    def late(self):
        return self.x + 1
    class Inner:
        def __eq__(self, other):
            return type(other) is Point.Inner
@dataclasses.dataclass(frozen=True)
class Data:
    a: int
    b: list = dataclasses.field(default_factory=list)
class Colour(enum.Enum):
    RED = 1
class Pair(typing.NamedTuple):
    a: int
    b: Colour = Colour.RED
class Odd(Exception):
    pass
class Tree:
    def copy(self):
        return Leaf()
class Leaf(Tree):
    pass
def closed(n):
    def inner(i):
        nonlocal n
        n += i
        return n
    return inner
def traced(function):
    @functools.wraps(function)
    def wrapper(*args):
        return ["traced", function(*args)]
    return wrapper
@traced
def decorated(i):
    return helper(i)
@functools.lru_cache
def cached(i):
    return helper(i)
@functools.singledispatch
def kind_of(value):
    return "any"
@kind_of.register
def _(value: int):
    return "int"
@contextlib.contextmanager
def opened(i):
    yield helper(i)
def generated(n):
    yield from map(helper, range(n))
def recursive(n):
    return n and n + recursive(n - 1)
async def awaited(i):
    return helper(i)
def run_awaited(i):
    import asyncio
    return asyncio.run(awaited(i))
def with_opened(i):
    with opened(i) as value:
        return value
def defaults(i, by=helper, *, more=Colour.RED):
    return by(i), more
"""

#: What is run with 1, and what it gives.
CASES = {
    "helper": "10",
    "lambda i: helper(i) + 1": "11",
    "closed(5)": "6",
    "decorated": "['traced', 10]",
    "cached": "10",
    "kind_of": "'int'",
    "lambda i: list(generated(3))": "[0, 10, 20]",
    "lambda i: recursive(4)": "10",
    "run_awaited": "10",
    "with_opened": "10",
    "defaults": "(10, Colour.RED)",
    "functools.partial(pow, 2)": "2",
    "functools.partial(lambda a, b: helper(a) + b, 2)": "21",
    "Point(4).__eq__": "NotImplemented",
    "lambda i: Point(4).twice()": "8",
    "Point.helped": "10",
    "lambda i: Point.make(i).late": "2",
    "lambda i: Point.make(i).y": "-1",
    "lambda i: Point.Inner()": "Point.Inner()",
    "Data": "Data(1)",
    "Pair": "Pair(1)",
    "Colour": "Colour.RED",
    "lambda i: type(Tree().copy()) is Leaf": "True",
    "lambda i: helper": "helper",
    "lambda i: (Point, Data, Colour, Odd)": "(Point, Data, Colour, Odd)",
}


@pytest.fixture(scope="module")
def cells(notebook: Kernel) -> Kernel:
    notebook.run(KINDS)
    return notebook


def test_whatever_a_cell_defines_is_a_task(cells: Kernel, kind: str) -> None:
    lines = [f"    ({task!r}, {task}, {found})," for task, found in CASES.items()]
    cells.run("\n".join(["cases = [", *lines, "]"]))
    cells.run(
        "wrong = []\n"
        "for name, task, expected in cases:\n"
        f"    found = pools[{kind!r}](task, [1])[0]\n"
        "    if found != expected or type(found) is not type(expected):\n"
        "        wrong.append((name, repr(found)))\n"
    )
    assert cells.value("wrong") == []


def test_what_comes_back_is_of_the_class_of_the_notebook(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "def give(x):\n    return [x, Point(2), Data(x), Point.Inner]\n"
        f"found = pools[{kind!r}](give, [Point(1)])[0]\n"
    )
    assert cells.value(
        "[type(found[0]) is Point, type(found[1]) is Point, found[2].a.__class__ is "
        "Point, found[3] is Point.Inner, found[0].y]"
    ) == [True, True, True, True, -1]


def test_an_instance_of_a_class_that_is_redefined_meanwhile_is_of_the_old_one(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "class Passing:\n    pass\n"
        "old = Passing\n"
        "task = lambda i: Passing()\n"
        f"found = [pools[{kind!r}](task, [1])[0]]\n"
        "class Passing:\n    new = True\n"
        f"found += pools[{kind!r}](task, [1])\n"
    )
    assert cells.value("[type(x) is y for x, y in zip(found, (old, Passing))]") == [
        True,
        True,
    ]


def test_a_global_that_a_task_changes_lives_on_in_the_worker(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "import os\n"
        "counter, found_before = 0, {}\n"
        "def count(i):\n"
        "    global counter\n"
        "    counter += 1\n"
        "    found_before[i] = counter\n"
        "    return os.getpid(), counter, len(found_before)\n"
        f"found = pools[{kind!r}](count, list(range(20)))\n"
        "by_worker = {}\n"
        "for pid, *numbers in found:\n"
        "    by_worker.setdefault(pid, []).append(numbers)\n"
    )
    for numbers in cells.value("[sorted(x) for x in by_worker.values()]"):
        assert numbers == [[n, n] for n in range(1, len(numbers) + 1)]
    assert cells.value("counter") == 0
    cells.run(f"counter = 100\nfound = pools[{kind!r}](count, [1])")
    assert cells.value("found[0][1]") == 101


def test_a_function_that_is_defined_anew_is_the_new_one(
    cells: Kernel, kind: str
) -> None:
    found = []
    for word in ("old", "new"):
        cells.run(f"def said():\n    return {word!r}")
        cells.run("def say(i):\n    return said()")
        cells.run(f"found = pools[{kind!r}](say, [1, 2, 3])")
        found.append(cells.value("found"))
    assert found == [["old"] * 3, ["new"] * 3]


def test_what_a_library_exports_goes_by_reference(cells: Kernel, kind: str) -> None:
    cells.run(
        f"import textwrap\nfound = pools[{kind!r}](lambda i: textwrap.dedent, [1])[0]\n"
    )
    assert cells.value("found is textwrap.dedent") is True


def test_a_name_that_is_bound_after_the_first_submit_is_found(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "def early(i):\n"
        "    return late_helper(i) if i else abs(i)\n"
        f"found = pools[{kind!r}](early, [0])\n"
        "def late_helper(i):\n    return 'late'\n"
        "def abs(i):\n    return 'mine'\n"
        f"found += pools[{kind!r}](early, [0, 1])\n"
    )
    assert cells.value("found") == [0, "mine", "late"]
    cells.run("del abs, late_helper")


def test_a_name_that_is_deleted_is_gone_in_workers_too(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "def longest(items):\n    return max(items)\n"
        "def max(items):\n    return 'mine'\n"
        f"found = pools[{kind!r}](longest, [[1, 2]])\n"
        "del max\n"
        f"found += pools[{kind!r}](longest, [[1, 2]])\n"
    )
    cells.run(f"found += pools[{kind!r}](longest, [[3]])")
    assert cells.value("found") == ["mine", 2, 3]


def test_a_name_of_the_worker_s_own_outlives_one_that_was_deleted(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "own = 1\n"
        "def get_own(i):\n    return own\n"
        "def set_own(i):\n    global own\n    own = i\n    return own\n"
        f"found = pools[{kind!r}](get_own, [0])\n"
        "del own\n"
        f"found += pools[{kind!r}](set_own, [5])\n"
        "def set_and_get(i):\n    set_own(i)\n    return get_own(i)\n"
        f"found += pools[{kind!r}](set_and_get, [6])\n"
    )
    assert cells.value("found") == [1, 5, 6]


def test_two_names_of_one_object_are_one_object_in_the_worker(
    notebook: Kernel, kind: str
) -> None:
    notebook.run(
        "import numpy as np\n"
        "rows = []\n"
        "again = rows\n"
        "values = np.zeros(200_000)\n"
        "same_values = values\n"
        "def change(i):\n"
        "    again.append(i)\n"
        "    same_values[0] = i\n"
        "    return rows is again, rows[-1], values is same_values, float(values[0])\n"
        "def look(i):\n"
        "    return again is globals()['rows']\n"
        f"run = pools[{kind!r}]\n"
        "found = run(change, [1]) + run(look, [1])\n"
        "rows = ['new']\n"
        "found += run(lambda i: (rows, again), [1])\n"
        "again = rows\n"
        "found += run(look, [1]) + run(lambda i: rows is again, [1])\n"
    )
    assert notebook.value("str(found[:2])") == "[(True, 1, True, 1.0), True]"
    assert notebook.value("found[2][0]") == ["new"]
    assert notebook.value("found[3:]") == [True, True]
    assert notebook.value("rows") == ["new"]


def test_names_that_are_text_go_with_a_function(notebook: Kernel, kind: str) -> None:
    notebook.run(
        "first_one, second_one, third_one = 1, 2, 4\n"
        "def add(i):\n"
        "    named = sum(globals()[name] for name in ('second_one', 'third_one'))\n"
        "    return globals()['first_one'] + named + eval('second_one * 10')\n"
        f"found = pools[{kind!r}](add, [1])\n"
    )
    assert notebook.value("found") == [27]


def test_functions_of_a_dict_of_the_user_are_tasks(notebook: Kernel, kind: str) -> None:
    notebook.run(
        "import functools\n"
        "space = {'functools': functools, 'table': {'a': 1}}\n"
        "exec('''\n"
        "class Pair:\n"
        "    sums = 0\n"
        "    def __init__(self, i):\n        self.i = i\n"
        "    def sum(self):\n        return table['a'] + self.i\n"
        "def add(i):\n    return Pair(i).sum() + (add(i - 1) if i else 0)\n"
        "@functools.lru_cache\n"
        "def cached(i):\n    return add(i)\n"
        "''', space)\n"
        "add, Pair = space['add'], space['Pair']\n"
        "def call(i):\n    return add(i)\n"
        f"run = pools[{kind!r}]\n"
        "found = [run(x, [2])[0] for x in (add, space['cached'], call)]\n"
        "space['table']['a'] = 10\n"
        "Pair.sums = 1\n"
        "found += run(add, [2])\n"
        "pair = run(Pair, [3])[0]\n"
        "found += [type(pair) is Pair, Pair.sums, *run(Pair.sum, [pair])]\n"
    )
    assert notebook.value("found") == [6, 6, 6, 33, True, 1, 13]


def test_a_function_that_a_module_has_made_goes_as_its_pool_sends_it(
    notebook: Kernel, kind: str
) -> None:
    """
    Cloudpickle sends what the module's globals are now.
    """
    notebook.run(
        "from tests.support import poolwork\n"
        "def double(i):\n    return 2 * i\n"
        f"run = pools[{kind!r}]\n"
        "poolwork.factor = 10\n"
        "try:\n"
        "    found = run(poolwork.multiplied(double), [1])\n"
        "    def double(i):\n        return 3 * i\n"
        "    found += run(poolwork.multiplied(double), [1])\n"
        "finally:\n"
        "    poolwork.factor = 1\n"
    )
    factor = 10 if kind in BY_VALUE else 1
    assert notebook.value("found") == [2 * factor, 3 * factor]
