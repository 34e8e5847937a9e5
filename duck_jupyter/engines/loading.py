"""
From a reference to the object, in the worker that runs the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .._version import __version__
from ..data.attach import attach_for_task, decoded
from ..errors import HandshakeError, KernelGone, VersionGone
from .arrivals import bring, warm

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Spec", "load"]

#: The token of the version of each name that was used last.
_latest: dict[str, str] = {}


class Spec(msgspec.Struct, array_like=True, frozen=True):
    """
    The data of a reference to a version.
    """

    #: The version of this package in the kernel.
    package: str
    token: str
    #: The encoded handle.
    handle: bytes


def load(data: bytes, ask: Callable[[bytes], bytes]) -> Any:
    """
    Return the object of a reference: mapped, or brought to this host once.

    Args:
        data: The encoded `Spec`.
        ask: Sends a request to the kernel and returns its answer.

    Raises:
        HandshakeError: The kernel has another version of this package.
        VersionGone: The kernel does not have the version any more.
        ProxyTimeout: The kernel does not answer.
        DataTooBigError: This host has no space for the version.
    """
    spec = msgspec.msgpack.decode(data, type=Spec)
    if spec.package != __version__:
        raise HandshakeError(
            f"This worker has duck_jupyter {__version__}, and the notebook has "
            f"{spec.package}. Install the same version on all workers."
        )
    handle = decoded(spec.handle)
    try:
        value, memory = attach_for_task(handle)
    except (HandshakeError, KernelGone, VersionGone):
        # Containers and copies of a virtual machine may have the kernel's boot id. Only
        # opening the file proves that this is the same host, so each failure means
        # another one. The kernel says whether it has the version.
        value, memory = bring(spec.token, handle, ask, attach_for_task)
    _keep_warm(handle.name, spec.token, memory)
    return value


def _keep_warm(name: str, token: str, memory: memoryview) -> None:
    """
    Keep a mapping, in place of that of another state of the object.

    Dask counts each mapping as memory of its worker, and ends one that has too much.

    Args:
        name: The name of the object.
        token: The token of the version.
        memory: The mapping.
    """
    before, _latest[name] = _latest.get(name), token
    if before is not None and before != token:
        warm.drop(before)
    warm.keep(token, memory)
