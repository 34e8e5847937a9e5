"""
Every exception of the project: one tree under ProxyError, and two of pools' tasks.

An exception's constructor takes facts and builds the sentence. Each exception can be
pickled, because it may be sent from the kernel to a worker.
"""

from __future__ import annotations

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
    "TaskInterrupted",
    "VersionGone",
    "VersionsAwaited",
    "WorkerDied",
    "WorkerGone",
]


class ProxyError(Exception):
    """
    A proxy failed, not the object behind it.
    """

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[ProxyError], args: tuple[object, ...], state: dict[str, object]
) -> ProxyError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ProxyObjectNotFound(ProxyError, LookupError):
    """
    The server has no object with this number, or no longer has one.
    """


class LimitedProxyChaining(ProxyError):
    """
    A chain of proxies grew longer than the server allows.

    Args:
        max_level: The highest level that a proxy may have.
        target_obj: The object that the refused proxy would stand for, with its path,
            such as ``"Rolling at df.groupby().rolling()"``.
    """

    #: The type and the path of the refused object, and the shared name at the start of
    #: the path; empty if they are unknown.
    type_name: str = ""
    path: str = ""
    name: str = ""
    #: The line that allows longer chains and keeps the other settings; empty if there
    #: is none.
    line: str = ""

    def __init__(self, max_level: int, target_obj: str | None = None) -> None:
        self.max_level = max_level
        self.target_obj = target_obj
        super().__init__(self._message("NAME"))

    @classmethod
    def at(
        cls, max_level: int, type_name: str, path: str, name: str, line: str = ""
    ) -> LimitedProxyChaining:
        """
        Make the error of a path that was cut.

        Args:
            max_level: The highest level that a proxy may have.
            type_name: The type of the refused object.
            path: The path to the refused object.
            name: The shared name at the start of the path.
            line: The line that allows longer chains, or "".
        """
        error = cls(max_level, f"{type_name} at {path}")
        error.type_name, error.path, error.name, error.line = (
            type_name,
            path,
            name,
            line,
        )
        if name.isidentifier():
            error.args = (error._message(name, line),)
        return error

    def _message(self, name: str, line: str = "") -> str:
        target, limit = self.target_obj, self.max_level
        longer = line or f"%share {name} --max-chain {limit + 1}"
        what = f"{target} would be" if target else "The result would be"
        return (
            f"{what} a proxy of level {limit + 1}, and the limit is {limit}. "
            f"Fetch a copy and take these steps there: fetch(shared.{name}). Or take "
            "them in one call: share a function that takes them in the kernel. Or "
            f"raise the limit: {longer}, or that of its server: "
            f"ProxyServer(max_chain={limit + 1})."
        )


class DataDecodeError(ProxyError, ValueError):
    """
    The received bytes are not a frame, or hold a value that cannot be rebuilt here.
    """


class DataEncodeError(ProxyError, TypeError):
    """
    A value cannot be encoded; nothing was sent.
    """


class DataTooBigError(ProxyError):
    """
    A frame is larger than its buffer or than the server's limit.
    """

    #: Size in bytes of a message that exceeds ``max_message``; 0 if there was no space
    #: for it.
    message_bytes: int = 0


class EmptyData(ProxyError):
    """
    The buffer holds no frame: its size is 0.
    """


class ProxyClosed(ProxyError):
    """
    This side closed the proxy or the server before it was used.
    """


class KernelGone(ProxyError, ConnectionError):
    """
    The process that owns the object ended, or it stopped its server.
    """


class HandshakeError(ProxyError, PermissionError):
    """
    The two sides have different users, secrets or versions.
    """


class WorkerGone(ProxyError):
    """
    A worker ended inside a ``with`` block; the object's ``__exit__`` gets this error.
    """


class ProxyTimeout(ProxyError, TimeoutError):
    """
    No answer came within the time allowed; the object may still be working on it.
    """


class DeadlockError(ProxyError, RuntimeError):
    """
    The lock was refused: threads would wait for each other in a circle.
    """

    #: A line for the notebook that takes all locks of the circle in one order; empty if
    #: one of the objects is not shared under a name.
    line: str = ""


class NoBuffer(ProxyError, BufferError):
    """
    A proxy cannot give access to the bytes of its object before Python 3.12.
    """


class NotShared(ProxyError, LookupError, AttributeError):
    """
    No object is shared under this name; an attribute or item of `shared` is missing.
    """


class NotShareable(ProxyError, TypeError):
    """
    This object cannot be shared, or not under this name or with these settings.
    """


class AccessDenied(ProxyError, AttributeError):
    """
    The settings of the proxy forbid the use of a name.

    Args:
        args: The message.
        opened_by: The line that allows the name and keeps the other settings.
        lifted_by: The line that allows all names and keeps the other settings.
    """

    def __init__(self, *args: object, opened_by: str = "", lifted_by: str = "") -> None:
        super().__init__(*args)
        self.opened_by = opened_by
        self.lifted_by = lifted_by


class LostChange(ProxyError):
    """
    A statement changes a copy and drops it; the message quotes a statement that works.
    """


class ObjectChanged(ProxyError, RuntimeError):
    """
    An object kept changing while it was published.
    """


class ObjectNeeded(ProxyError, TypeError):
    """
    A library needs the object itself, not its proxy; `fetch` returns the object.
    """


class VersionsAwaited(DataTooBigError):
    """
    Workers have yet to fetch too many bytes of earlier versions of an object.
    """


class VersionGone(ProxyError, LookupError):
    """
    The version that a handle names was removed.
    """


class RemoteError(ProxyError):
    """
    The object raised an exception that cannot be rebuilt here; this has its text.
    """


class RemoteTraceback(Exception):
    """
    The traceback of the other process, as text: the cause of the exception.

    The technique is that of ``concurrent.futures``.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


class TaskInterrupted(Exception):
    """
    A pool's task was stopped, or not begun, because its cell was interrupted.
    """


class WorkerDied(Exception):
    """
    A worker of a `multiprocessing.Pool` ended in the midst of a task.
    """
