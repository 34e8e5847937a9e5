"""
Things that are kept for some time after their last use.
"""

from __future__ import annotations

import os
import threading
import weakref

from duck_jupyter.engines.expiring import Expiring
from tests.support.processes import wait_until

SHORT_S = 0.05
LONG_S = 1000.0


class Thing:
    """
    Something that can be watched.
    """

    is_used = False


def names_of_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_what_is_idle_is_released_and_the_thread_ends() -> None:
    table: Expiring[Thing] = Expiring(SHORT_S)
    thing = weakref.ref(kept := Thing())
    table.keep("a", kept)
    del kept
    assert wait_until(lambda: thing() is None)
    assert wait_until(lambda: "duck-idle" not in names_of_threads())


def test_what_is_in_use_is_kept() -> None:
    table: Expiring[Thing] = Expiring(SHORT_S, lambda thing: thing.is_used)
    used, other = Thing(), Thing()
    used.is_used = True
    other_ref = weakref.ref(other)
    table.keep("used", used)
    table.keep("other", other)
    del other
    assert wait_until(lambda: other_ref() is None)
    used_ref = weakref.ref(used)
    table.keep("another", Thing())
    used.is_used = False
    del used
    assert wait_until(lambda: used_ref() is None)


def test_what_is_dropped_is_released_at_once() -> None:
    table: Expiring[Thing] = Expiring(LONG_S)
    thing = weakref.ref(kept := Thing())
    table.keep("a", kept)
    del kept
    table.drop("a")
    table.drop("a")
    assert thing() is None
    assert wait_until(lambda: "duck-idle" not in names_of_threads())


def test_a_forked_child_starts_empty() -> None:
    table: Expiring[Thing] = Expiring(LONG_S)
    table.keep("a", Thing())
    pid = os.fork()
    if pid == 0:
        os._exit(len(table._things))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    table.drop("a")
