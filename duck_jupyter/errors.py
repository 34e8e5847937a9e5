"""
Every exception of the project, one tree under ProxyError.

An exception's constructor takes facts and builds the sentence. Each one survives
pickle, because each one may cross from the kernel to a worker.
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
    "VersionGone",
    "VersionsAwaited",
    "WorkerGone",
]


class ProxyError(Exception):
    """
    Something went wrong with a proxy, and not with the object behind it.
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
    The server has no object of this number (any more).
    """


class LimitedProxyChaining(ProxyError):
    """
    A chain of proxies grew longer than the server allows.

    Args:
        max_level: The highest level that a proxy may have.
        target_obj: What the refused proxy would have stood for, with the path
            that led there, such as ``"Rolling at df.groupby().rolling()"``.
    """

    #: The type and the path of what was refused, and the shared name that the path
    #: begins with; empty where they are not known.
    type_name: str = ""
    path: str = ""
    name: str = ""
    #: The line that allows longer chains and leaves the other settings as they are;
    #: empty where there is none.
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
            type_name: The type of what was refused.
            path: The path that led there.
            name: The shared name that the path begins with.
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
            error.args = (error._message(name),)
        return error

    def _message(self, name: str) -> str:
        target, limit = self.target_obj, self.max_level
        what = f"{target} would be" if target else "The result would be"
        return (
            f"{what} a proxy of level {limit + 1}, and the limit is {limit}. "
            f"Fetch a copy and take these steps there: fetch(shared.{name}). Or take "
            "them in one call: share a function that takes them in the kernel. Or "
            f"raise the limit: %share {name} --max-chain {limit + 1}, or "
            f"ProxyServer(max_chain={limit + 1})."
        )


class DataDecodeError(ProxyError, ValueError):
    """
    Bytes that came are no frame, or hold a value that cannot be rebuilt here.
    """


class DataEncodeError(ProxyError, TypeError):
    """
    A value cannot be turned into bytes; nothing was sent.
    """


class DataTooBigError(ProxyError):
    """
    A frame is larger than its buffer or than the server's limit.
    """

    #: Bytes of a message that is larger than ``max_message``; 0 where there was no
    #: room for it, whatever the limit.
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
    The process that owns the object ended, or stopped its server.
    """


class HandshakeError(ProxyError, PermissionError):
    """
    The two sides do not belong together: another user, secret or version.
    """


class WorkerGone(ProxyError):
    """
    A worker ended inside a ``with`` block; the object's ``__exit__`` gets this.
    """


class ProxyTimeout(ProxyError, TimeoutError):
    """
    No answer came within the time allowed; the object may still be working on it.
    """


class DeadlockError(ProxyError, RuntimeError):
    """
    A lock was not waited for: threads would wait for each other in a circle.
    """

    #: A line for the notebook that takes all the locks of the circle in one order;
    #: empty where one of the objects is not shared under a name.
    line: str = ""


class NoBuffer(ProxyError, BufferError):
    """
    A proxy cannot lend the bytes of its object before Python 3.12.
    """


class NotShared(ProxyError, LookupError, AttributeError):
    """
    No object is shared under this name, as an attribute or as an item of `shared`.
    """


class NotShareable(ProxyError, TypeError):
    """
    This object cannot be shared, or not under this name or with these settings.
    """


class AccessDenied(ProxyError, AttributeError):
    """
    The settings of the proxy forbid what was asked for.

    Args:
        args: The message.
        opened_by: The line that opens it, and leaves the other settings as they are.
    """

    def __init__(self, *args: object, opened_by: str = "") -> None:
        super().__init__(*args)
        self.opened_by = opened_by


class LostChange(ProxyError):
    """
    A statement changes a copy and drops it; the message has the statement that works.
    """


class ObjectChanged(ProxyError, RuntimeError):
    """
    An object went on changing while it was published.
    """


class ObjectNeeded(ProxyError, TypeError):
    """
    A library needs the object itself, and not its proxy: `fetch` it.
    """


class VersionsAwaited(DataTooBigError):
    """
    Too many states of an object wait for workers to fetch them.
    """


class VersionGone(ProxyError, LookupError):
    """
    The version of an object that a handle stands for is not kept any more.
    """


class RemoteError(ProxyError):
    """
    The object raised something that cannot be rebuilt here; this is its text.
    """


class RemoteTraceback(Exception):
    """
    The traceback of the other process, as text: the cause of what it raised.

    The idea is that of ``concurrent.futures``.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"
