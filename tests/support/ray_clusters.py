"""
A cluster of Ray for tests, on this machine.
"""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import tempfile
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.support.clusters import WAIT_S
from tests.support.processes import is_gone, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HAS_RAY", "Submitted", "ray_cluster", "submit"]

#: Ray is installed for the tests of one Python.
HAS_RAY = importlib.util.find_spec("ray") is not None
#: Ray reports to its authors, writes a file into the home of the user, and warns.
QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@contextlib.contextmanager
def ray_cluster(workers: int, store: int = 100 << 20) -> Iterator[Any]:
    """
    Connect this process to a new cluster, and give the module of Ray.

    Args:
        workers: The number of tasks that run at once.
        store: The bytes for Ray's own objects.
    """
    import ray

    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        # The name of its socket has to be short.
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="r-"))
        before = set(psutil.Process().children())
        # Ray replaces it, and leaves it so.
        stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        ray.init(
            num_cpus=workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="warning",
            object_store_memory=store,
            _temp_dir=folder,
        )
        try:
            yield ray
        finally:
            found = psutil.Process().children(recursive=True)
            ray.shutdown()
            pids = [each.pid for each in found if each not in before]
            assert wait_until(lambda: all(map(is_gone, pids)), WAIT_S)


class Submitted:
    """
    The result of a task of Ray, with the methods of a future.

    Args:
        reference: What Ray gave for it.
    """

    def __init__(self, reference: Any) -> None:
        self.reference = reference

    def result(self, timeout: float) -> Any:
        """
        Wait for the result.
        """
        import ray

        return ray.get(self.reference, timeout=timeout)


def submit(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Submitted:
    """
    Run a task of Ray.
    """
    import ray

    return Submitted(ray.remote(func).remote(*args, **kwargs))
