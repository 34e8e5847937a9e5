"""
Tasks of cells that fail, and functions that cannot be sent, in pools of every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.magics.kernels import Kernel
from tests.support.pools import POOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("kind", POOLS)]

PREPARE = """
%load_ext duck_jupyter
from tests.support.pools import open_pool

class Odd(Exception):
    def __init__(self, i):
        super().__init__(i)
        self.i = i
for kind in ("executor forkserver", "joblib loky", "loky"):
    with open_pool(kind) as run:
        run(abs, [-1])
"""


@pytest.fixture(scope="module")
def cells(own_folders: None) -> Iterator[Kernel]:
    with Kernel() as kernel:
        # What serves all pools runs before a test looks at what is left behind.
        kernel.run(PREPARE)
        yield kernel


def test_an_error_of_a_cell_is_caught_as_its_class(cells: Kernel, kind: str) -> None:
    cells.run(
        "def fail(i):\n    raise Odd(i)\n"
        "caught = None\n"
        f"with open_pool({kind!r}) as run:\n"
        "    try:\n"
        "        run(fail, [3])\n"
        "    except Odd as error:\n"
        "        caught = error.i\n"
    )
    assert cells.value("caught") == 3


def test_what_cannot_be_sent_is_named_by_its_path(cells: Kernel, kind: str) -> None:
    cells.run(
        "import threading\n"
        "def inner(i):\n"
        "    with guard:\n"
        "        return i\n"
        "def outer(i):\n"
        "    return inner(i) if i else 'unused'\n"
        "said = ''\n"
        f"with open_pool({kind!r}) as run:\n"
        "    run(abs, [-1])\n"
        "    guard = threading.Lock()\n"
        "    unused = run(outer, [0])\n"
        "    try:\n"
        "        run(outer, [1])\n"
        "    except TypeError as error:\n"
        "        said = str(error)\n"
    )
    assert cells.value("unused") == ["unused"]
    said = cells.value("said")
    assert "outer → inner → guard" in said
    assert "%share guard" in said
    assert "with shared.guard" in said


def test_an_argument_that_cannot_be_sent_is_named_with_what_to_do(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "import threading\n"
        "class Model:\n"
        "    def __init__(self):\n"
        "        self.steps = [1, threading.Lock()]\n"
        "def fit(model):\n"
        "    return model.steps[0]\n"
        "said = kept = None\n"
        f"with open_pool({kind!r}) as run:\n"
        "    try:\n"
        "        run(fit, [Model()])\n"
        "    except Exception as error:\n"
        "        said = type(error).__name__, '\\n'.join(error.__notes__)\n"
    )
    name, said = cells.value("said")
    assert name == ("PicklingError" if "loky" in kind else "TypeError")
    assert " of fit cannot be sent to a worker, because its part .steps[1] is a" in said
    assert "%share NAME" in said


def test_a_closure_that_cannot_be_sent_fails_in_the_line_that_submits(
    cells: Kernel, kind: str
) -> None:
    """
    The pool takes the next task.
    """
    cells.run(
        "import threading\n"
        "def make(n):\n"
        "    def inner(i):\n"
        "        return n\n"
        "    return inner\n"
        "said = ''\n"
        f"with open_pool({kind!r}) as run:\n"
        "    try:\n"
        "        run(make(threading.Lock()), [1])\n"
        "    except Exception as error:\n"
        "        said = f'{type(error).__name__}: {error}'\n"
        "    found = run(make(2), [1])\n"
    )
    said = cells.value("said")
    assert "DataEncodeError: inner cannot be sent to a worker" in said
    assert "its variable n" in said
    assert cells.value("found") == [2]


def test_a_value_of_a_dict_of_the_user_that_cannot_be_sent_is_named(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "import threading\n"
        "space = {'guard': threading.Lock()}\n"
        "exec('def guarded(i):\\n    with guard:\\n        return i', space)\n"
        "said = ''\n"
        f"with open_pool({kind!r}) as run:\n"
        "    try:\n"
        "        run(space['guarded'], [1])\n"
        "    except Exception as error:\n"
        "        said = f'{type(error).__name__}: {error}'\n"
    )
    said = cells.value("said")
    assert said.startswith("DataEncodeError: guarded cannot be sent to a worker (")
    assert "its variable guard" in said


def test_a_worker_goes_on_after_its_task_has_failed(cells: Kernel, kind: str) -> None:
    """
    As long as it likes: loky's picklers once grew with each result of such a worker.
    """
    cells.run(
        "def fail(i):\n    raise Odd(i)\n"
        f"with open_pool({kind!r}) as run:\n"
        "    for i in range(2):\n"
        "        try:\n"
        "            run(fail, [3, 4, 5, 6])\n"
        "        except Odd:\n"
        "            pass\n"
        "    found = run(abs, range(-2000, 0))\n"
    )
    assert cells.value("found == list(range(2000, 0, -1))")
