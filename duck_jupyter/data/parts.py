"""
Parts of shared memory, pickled and rebuilt: arrays and Arrow buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .attach import encoded, rebuild_memory

if TYPE_CHECKING:
    from .handles import Handle

__all__ = ["Memory", "rebuild_array", "rebuild_buffer"]


class Memory:
    """
    The file of one version, for a worker.

    All parts in one pickle refer to the same `Memory`, so the worker maps it once.

    Args:
        handle: The handle of the version.
    """

    def __init__(self, handle: Handle) -> None:
        self._data = encoded(handle)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild_memory, (self._data,)


def rebuild_array(
    memory: Any,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: Any,
    kind: type | None,
    writable: bool,
) -> Any:
    """
    Return an array over mapped memory.

    Args:
        memory: The mapped file, as bytes.
        offset: The offset of the array's first element.
        shape: The shape of the array.
        strides: The strides of the array, in bytes; they may be negative.
        dtype: The dtype of the array.
        kind: A class of numpy that is derived from its arrays, or None.
        writable: Whether the array may be written to. It is read-only in any case if
            the memory is.
    """
    import numpy as np

    array: Any = np.ndarray(shape, dtype, memory, offset, strides)
    if not writable:
        array.flags.writeable = False
    return array if kind is None else array.view(kind)


def rebuild_buffer(memory: Any, offset: int, size: int) -> Any:
    """
    Return a `pyarrow.Buffer` over mapped memory.
    """
    import pyarrow as pa

    return pa.py_buffer(memory[offset : offset + size])
