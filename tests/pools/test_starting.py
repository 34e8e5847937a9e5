"""
Workers that are started with what cells define: initializers, processes, queues.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.pools.starting import Starting
from duck_jupyter.pools.worker import Start
from tests.magics.kernels import Kernel
from tests.support.pools import METHODS, POOLS, STARTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PREPARE = """
%load_ext duck_jupyter
import multiprocessing, os, threading
from concurrent.futures import ProcessPoolExecutor
from tests.support.pools import open_pool

class Point:
    pass
model = None
def begin(text):
    global model
    model = text, Point
def look(i):
    return model
for kind in ("executor forkserver", "joblib loky", "loky"):
    with open_pool(kind) as run:
        run(abs, [-1])
served = []
%share served
"""


@pytest.fixture(scope="module")
def cells(own_folders: None) -> Iterator[Kernel]:
    with Kernel() as kernel:
        # What serves all pools runs before a test looks at what is left behind.
        kernel.run(PREPARE)
        yield kernel


@pytest.mark.parametrize("kind", [*STARTED, "executor fork", "pool fork"])
def test_what_an_initializer_puts_into_a_global_is_there(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        f"with open_pool({kind!r}, begin, 'loaded') as run:\n"
        "    found = run(look, [1, 2, 3])\n"
    )
    assert cells.value("[x[0] for x in found]") == ["loaded"] * 3
    assert cells.value("[x[1] is Point for x in found]") == [True] * 3


@pytest.mark.parametrize("method", METHODS)
def test_a_process_runs_a_function_of_a_cell(cells: Kernel, method: str) -> None:
    cells.run(
        f"context = multiprocessing.get_context({method!r})\n"
        "queue = context.Queue()\n"
        "def work(queue, point):\n"
        "    queue.put((Point(), point, work))\n"
        "process = context.Process(target=work, args=(queue, Point()))\n"
        "process.start()\n"
        "first, second, function = queue.get(timeout=20)\n"
        "process.join()\n"
    )
    assert cells.value(
        "[type(first) is Point, type(second) is Point, function is work]"
    ) == [True, True, True]


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_in_a_worker_runs_functions_of_cells_too(
    cells: Kernel, method: str
) -> None:
    cells.run(
        "def inner(i):\n"
        "    return i, Point()\n"
        "def outer(i):\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        "    with ProcessPoolExecutor(1, context) as pool:\n"
        "        return list(pool.map(inner, range(3)))\n"
        f"context = multiprocessing.get_context({method!r})\n"
        "with ProcessPoolExecutor(1, context) as pool:\n"
        "    found = pool.submit(outer, 1).result(20)\n"
    )
    assert cells.value("[x[0] for x in found]") == [0, 1, 2]
    assert cells.value("[type(x[1]) is Point for x in found]") == [True] * 3


def test_a_forked_worker_keeps_what_it_inherited(cells: Kernel) -> None:
    cells.run(
        "lock, file = threading.Lock(), open(os.devnull)\n"
        "values = [0]\n"
        "def use(i):\n"
        "    with lock:\n"
        "        return file.name, id(values), values[0]\n"
        "with open_pool('executor fork') as run:\n"
        "    found = run(use, [1, 2])\n"
        "    values = [1]\n"
        "    found += run(use, [1])\n"
        "file.close()\n"
    )
    assert cells.value("found[0][0] == os.devnull") is True
    assert cells.value("[x[2] for x in found]") == [0, 0, 1]


def test_tasks_that_wait_run_the_function_as_it_was_when_they_were_submitted(
    cells: Kernel,
) -> None:
    cells.run(
        "with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:\n"
        "    futures = []\n"
        "    for n in range(300):\n"
        "        step = n\n"
        "        def told():\n"
        "            return step\n"
        "        futures.append(pool.submit(told))\n"
        "    found = [future.result(20) for future in futures]\n"
    )
    assert cells.value("found == list(range(300))") is True


def test_a_class_that_is_deleted_before_its_instance_comes_back(cells: Kernel) -> None:
    cells.run(
        "class Brief:\n    pass\n"
        "def make(started):\n    return Brief()\n"
        "with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:\n"
        "    pool.submit(abs, 1).result(20)\n"
        "    kept, future = [Brief], pool.submit(make, 1)\n"
        "    del Brief\n"
        "    found = future.result(20)\n"
    )
    assert cells.value("type(found) is kept[0]") is True


@pytest.mark.parametrize("method", METHODS)
def test_an_error_of_a_shared_object_comes_back_through_a_pool(
    cells: Kernel, method: str
) -> None:
    """
    The worker has no function of a cell, and learned of the class by the proxy.
    """
    cells.run(
        "import operator\n"
        "class Refused(Exception):\n    pass\n"
        "class Door:\n    def open(self):\n        raise Refused(3)\n"
        "door, caught = Door(), None\n"
        "%share door\n"
    )
    cells.run(
        f"context = multiprocessing.get_context({method!r})\n"
        "with ProcessPoolExecutor(1, context) as pool:\n"
        "    try:\n"
        "        pool.submit(operator.methodcaller('open'), shared.door).result(20)\n"
        "    except Refused as error:\n"
        "        caught = error.args[0]\n"
    )
    cells.run("%unshare door")
    assert cells.value("caught") == 3


@pytest.mark.parametrize("kind", POOLS)
def test_a_module_that_was_reloaded_goes_as_it_is_now(
    cells: Kernel, kind: str, tmp_path: Path
) -> None:
    """
    By reference, and within a function of a cell, in a pool that had the old one.
    """
    name = f"edited_{POOLS.index(kind)}"
    file = tmp_path / f"{name}.py"
    file.write_text("def say(i):\n    return 'old'\n")
    cells.run(
        "import importlib, os, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"import {name} as edited\n"
        "def say_it(i):\n    return edited.say(i)\n"
        f"opened = open_pool({kind!r})\n"
        "run = opened.__enter__()\n"
        "found = run(edited.say, [1, 2]) + run(say_it, [1, 2])\n"
    )
    file.write_text("def say(i):\n    return 'edited'\n")
    cells.run(
        "importlib.reload(edited)\n"
        "found += run(edited.say, [1, 2]) + run(say_it, [1, 2])\n"
        "opened.__exit__(None, None, None)\n"
        "del sys.path[0]\n"
    )
    assert cells.value("found") == ["old"] * 4 + ["edited"] * 4


def test_with_the_setting_off_pools_are_as_ever(cells: Kernel) -> None:
    cells.run("%config DuckJupyter.pools = False\nmodule = ProcessPoolExecutor.submit")
    assert cells.value("module.__code__.co_filename.endswith('process.py')") is True
    cells.run("%config DuckJupyter.pools = True\nmodule = ProcessPoolExecutor.submit")
    assert cells.value("module.__code__.co_filename.endswith('patches.py')") is True


def test_a_setting_in_the_configuration_keeps_pools_as_ever(own_folders: None) -> None:
    with Kernel(arguments=["--DuckJupyter.pools=False"]) as kernel:
        kernel.run(
            "%load_ext duck_jupyter\n"
            "from concurrent.futures import ProcessPoolExecutor\n"
            "code = ProcessPoolExecutor.submit.__code__\n"
        )
        assert kernel.value("code.co_filename.endswith('process.py')") is True


def test_an_interrupt_while_a_worker_starts_that_has_ended_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A worker of the fork server is no child of the notebook, so it leaves no trace.
    """
    start = BaseProcess.start

    def start_and_end(process: Any) -> None:
        start(process)
        assert wait([process.sentinel], 20)
        starting.was_interrupted = True

    monkeypatch.setattr(BaseProcess, "start", start_and_end)
    starting = Starting()
    starting.open()
    try:
        context = multiprocessing.get_context("forkserver")
        worker = context.Process(target=bool, args=(Start(None, ()),))
        with pytest.raises(KeyboardInterrupt):
            worker.start()
        assert worker.exitcode == 0
    finally:
        starting.close()
