"""
Live proxies of notebook variables for worker processes, over shared memory.

In a notebook, ``%load_ext duck_jupyter`` and ``%share NAME``; in a script, `share`.
Every error is here too. Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import (
    AccessDenied,
    DataDecodeError,
    DataEncodeError,
    DataTooBigError,
    DeadlockError,
    EmptyData,
    HandshakeError,
    KernelGone,
    LimitedProxyChaining,
    LostChange,
    NoBuffer,
    NotShareable,
    NotShared,
    ObjectChanged,
    ObjectNeeded,
    ProxyClosed,
    ProxyError,
    ProxyObjectNotFound,
    ProxyTimeout,
    RemoteError,
    RemoteTraceback,
    TaskInterrupted,
    VersionGone,
    VersionsAwaited,
    WorkerDied,
    WorkerGone,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .client.detaching import detach
    from .client.fetching import fetch
    from .client.locking import locked
    from .client.references import ref
    from .memory.spool import SpoolWarning
    from .session.api import share, shared, statistics, tasks, unshare

__all__ = [
    "AccessDenied",
    "DataDecodeError",
    "DataEncodeError",
    "DataTooBigError",
    "DeadlockError",
    "EmptyData",
    "HandshakeError",
    "KernelGone",
    "LimitedProxyChaining",
    "LostChange",
    "NoBuffer",
    "NotShareable",
    "NotShared",
    "ObjectChanged",
    "ObjectNeeded",
    "ProxyClosed",
    "ProxyError",
    "ProxyObjectNotFound",
    "ProxyTimeout",
    "RemoteError",
    "RemoteTraceback",
    "SpoolWarning",
    "TaskInterrupted",
    "VersionGone",
    "VersionsAwaited",
    "WorkerDied",
    "WorkerGone",
    "__version__",
    "detach",
    "fetch",
    "load_ipython_extension",
    "locked",
    "ref",
    "share",
    "shared",
    "statistics",
    "tasks",
    "unload_ipython_extension",
    "unshare",
]

_HOMES = {
    "SpoolWarning": ".memory.spool",
    "detach": ".client.detaching",
    "fetch": ".client.fetching",
    "locked": ".client.locking",
    "ref": ".client.references",
    "share": ".session.api",
    "shared": ".session.api",
    "statistics": ".session.api",
    "tasks": ".session.api",
    "unshare": ".session.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """
    Add the magics to a shell: ``%load_ext duck_jupyter``.
    """
    from .magics.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """
    Restore the shell to what it was: ``%unload_ext duck_jupyter``.
    """
    from .magics.extension import unload

    unload(shell)
