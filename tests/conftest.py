"""
What holds for every test: nothing is left behind, and in CI nothing is skipped.
"""

from __future__ import annotations

import functools
import gc
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import tempfile
import threading
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import pytest

from duck_jupyter.memory.mapping_cache import drop_idle
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.session.api import own_session
from tests.support.blocks import (
    find_users,
    list_blocks,
    list_folders,
    list_nameless,
)
from tests.support.processes import describe, wait_until
from tests.support.turns import Turns, count_processes
from tests.support.unfinished import Unfinished
from tests.support.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from pluggy import Result

    from duck_jupyter.session.session import Session

# Containers often set this variable. Each of the thousand processes of a run would then
# compile the package anew, and pytest all tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

PATIENCE_S = 5.0
THREAD_PREFIX = "duck-"
RUN_VARIABLE = "DUCK_TEST_RUN"
RUN = uuid.uuid4().hex

# They serve every pool of their parent, and end with it.
LASTING = ("resource_tracker import main", "multiprocessing.forkserver import main")


# The raylet of a cluster of Ray starts and ends its workers as it sees fit.
OF_RAYLET = ("ray::", "default_worker.py")

#: What ends a process. Workers that are forked inherit what handles it.
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Traces(NamedTuple):
    """
    What of ours is on the machine at one moment.
    """

    blocks: set[Path]
    nameless: set[str]
    folders: set[Path]
    threads: set[threading.Thread]
    processes: set[psutil.Process]
    handlers: dict[signal.Signals, Any]


@functools.cache
def is_of_this_run(process: psutil.Process) -> bool:
    """
    Tell whether a process descends from us, or has our mark though its parent be gone.

    Asked once: it does not change, and every test looks at every process, twice.
    """
    try:
        # The mark first: to find all parents takes ten times as long.
        if process.environ().get(RUN_VARIABLE) == RUN:
            return True
        return any(parent.pid == os.getpid() for parent in process.parents())
    except (psutil.Error, OSError):
        return False


def is_lasting(process: psutil.Process) -> bool:
    """
    Tell whether a process is one that Python itself, or Ray, keeps until we end.

    A worker of the fork server has the same command line, but not us as its parent.
    """
    try:
        command = " ".join(process.cmdline())
        if any(x in command for x in OF_RAYLET):
            return True
        return process.ppid() == os.getpid() and any(x in command for x in LASTING)
    except psutil.NoSuchProcess:
        return True


def find_traces() -> Traces:
    """
    Look at what is there now.
    """
    # Asking for the children also collects those that have ended.
    multiprocessing.active_children()
    processes = filter(is_of_this_run, psutil.process_iter())
    return Traces(
        blocks=list_blocks(),
        nameless=list_nameless(),
        folders=list_folders(),
        threads={t for t in threading.enumerate() if t.name.startswith(THREAD_PREFIX)},
        processes={process for process in processes if not is_lasting(process)},
        handlers={number: signal.getsignal(number) for number in ENDS},
    )


def is_foreign(block: Path) -> bool:
    """
    Tell whether only processes that are not ours use a block.

    Another run of the tests, or a notebook, may work on the same machine.
    """
    ours = {os.getpid()} | {process.pid for process in find_traces().processes}
    users = find_users(block)
    return bool(users) and not users & ours


def find_leaks(before: Traces, now: Traces) -> list[str]:
    """
    Say in words what is there now and was not there before.
    """
    blocks = {block for block in now.blocks - before.blocks if not is_foreign(block)}
    return sorted(
        [f"block {block}" for block in blocks]
        + [f"mapped block {path}" for path in now.nameless - before.nameless]
        + [f"in the temporary folder: {path}" for path in now.folders - before.folders]
        + [f"thread {thread.name}" for thread in now.threads - before.threads]
        + [describe(process.pid) for process in now.processes - before.processes]
        + [
            f"a handler of {x.name}"
            for x in ENDS
            if now.handlers[x] is not before.handlers[x]
        ]
    )


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    Give the run and all its processes folders of their own, and a mark.

    The name of a socket has to be short: on some systems 104 bytes with its folder.
    """
    # Made now, in the usual place: it is removed at exit, after ours has gone.
    multiprocessing.util.get_temp_dir()
    with (
        tempfile.TemporaryDirectory(prefix="t-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", None)
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        patch.setenv(RUN_VARIABLE, RUN)
        yield


#: What the last test left to the next one; empty if something else came in between.
left: list[Traces] = []


class Lasting:
    """
    Notices fixtures that serve several tests: each adds to what a test finds.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """
        Forget what the last test left.
        """
        if fixturedef.scope != "function":
            left.clear()


def pytest_configure(config: pytest.Config) -> None:
    """
    Hear of all fixtures: those of the session are not told to a folder's conftest.
    """
    config.pluginmanager.register(Lasting())
    if hasattr(config, "workerinput"):  # one of several processes of pytest-xdist
        config.pluginmanager.register(Turns())
    elif config.option.tx:  # the one that starts them
        config.pluginmanager.register(Unfinished())


#: What pytest-timeout was told of a test.
LIMITS = pytest.StashKey[Any]()


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_timeout_set_timer(
    item: pytest.Item, settings: Any
) -> Generator[None, Any, Any]:
    """
    Note the time limit of a test, and let it fail again where it does not end then.
    """
    item.stash[LIMITS] = settings
    result = yield
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, settings.timeout)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """
    Limit the time of what fixtures do at the end: a test that fails stops its timer.
    """
    limits = item.stash.get(LIMITS, None)
    if limits is not None:
        item.config.hook.pytest_timeout_set_timer(item=item, settings=limits)
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """
    Run all tests in as many processes as there are cores, and some tests in this one.
    """
    return count_processes(config, os.cpu_count() or 1)


@pytest.fixture(autouse=True)
def leak_guard(own_folders: None) -> Iterator[None]:
    """
    Fail a test that leaves a block, a folder, a thread or a process behind.
    """
    before = left.pop() if left else find_traces()
    yield
    # They are kept for a second, for the next to ask: no leak, and not worth the wait.
    drop_idle()
    now = find_traces()
    if not find_leaks(before, now):
        left.append(now)
        return

    def is_clean() -> bool:
        # Threads may be ending, and what they or a failed test held goes after them.
        gc.collect()
        drop_idle()
        return not find_leaks(before, find_traces())

    if not wait_until(is_clean, PATIENCE_S):
        leaks = find_leaks(before, find_traces())
        pytest.fail("left behind:\n  " + "\n  ".join(leaks), pytrace=False)


@pytest.fixture(scope="module", autouse=True)
def small_heap() -> None:
    """
    Leave what is there by now to itself, so that collecting garbage takes no time.

    Tests collect it by the hundred, and what they have imported are a million objects.
    """
    gc.collect()
    gc.freeze()


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """
    Turn a skip into a failure where a skip would go unseen.
    """
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped in CI: {report.longreprtext}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, Result[pytest.TestReport], None]:
    """
    Refuse skips of tests.
    """
    outcome = yield
    refuse_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Generator[None, Result[pytest.CollectReport], None]:
    """
    Refuse skips of whole modules.
    """
    outcome = yield
    refuse_skip(outcome.get_result())


@pytest.fixture(scope="session")
def worker(own_folders: None) -> Iterator[Worker]:
    """
    A process that does jobs for all tests that ask for it.
    """
    process = Worker()
    yield process
    process.close()


@pytest.fixture
def server() -> Iterator[ProxyServer]:
    """
    A running server with small buffers.
    """
    with ProxyServer(bufsize=200) as running:
        yield running


@pytest.fixture
def session() -> Iterator[Session]:
    """
    The session of this process, with nothing shared before and after.
    """
    session = own_session()
    assert session.server is None
    yield session
    session.stop()
