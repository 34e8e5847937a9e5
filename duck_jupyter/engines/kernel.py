"""
The kernel's side of an engine: references to shared objects, and answers to workers.
"""

from __future__ import annotations

import _thread
import contextlib
import errno
import os
import pickle
import resource
import secrets
import threading
import time
import weakref
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Any

import msgspec

from .._version import __version__
from ..data.attach import encoded, mark_arrived
from ..data.handles import Inline
from ..data.layout import NO_TICKET, NONCE_BYTES
from ..errors import DataTooBigError, NotShareable, ProxyError, VersionGone
from ..memory.files import FileKey, open_shared
from .arrivals import Answer, Done, Fetch, Fetched, Have, Part, Want
from .asking import ask_by_calls
from .doors import Doors
from .engine import Version
from .kept_versions import HostCopy, Kept
from .live import load_live, pickled_live
from .loading import Spec, load
from .members import LEFT, Members
from .replacing import Target, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from socket import socket

    from ..data.handles import Handle
    from ..server.server import ProxyServer
    from ..stats.exits import End
    from .engine import Engine

__all__ = ["EngineKernel"]

_encode = msgspec.msgpack.encode
_decode_request = msgspec.msgpack.Decoder(Want | Part | Have | Fetch | Done).decode
_kernels: weakref.WeakSet[EngineKernel] = weakref.WeakSet()


class EngineKernel:
    """
    Publishes shared objects for the tasks of one engine. Any thread may call it.

    Args:
        server: The server of the shared objects.
        engine: The engine.
        find: Returns the objects that are shared on the engine now, by id.
    """

    def __init__(
        self,
        server: ProxyServer,
        engine: Engine,
        find: Callable[[], Mapping[int, Target]],
    ) -> None:
        self.name: str = secrets.token_hex(6)
        self.server: ProxyServer = server
        self._engine = engine
        #: Where workers of other hosts make live calls.
        self.doors: Doors = Doors(server, engine)
        self.take: Callable[[socket], None] = self.doors.take
        self.ask: Callable[[bytes], bytes] = ask_by_calls(server, self)
        self._find = find
        self._lock = threading.RLock()
        #: By token.
        self._kept: dict[str, Kept] = {}
        #: The newest version of each object, by its number in the table.
        self._newest: dict[int, Version] = {}
        #: Versions that were the newest, until `_drop` has dropped them.
        self._dropped: deque[Version] = deque()
        #: By token and host.
        self._copies: dict[tuple[str, str], HostCopy] = {}
        #: The workers that bring a fetched version, by token.
        self._fetching: defaultdict[str, Counter[str]] = defaultdict(Counter)
        #: The token of the version of each object that was fetched last.
        self._fetched: dict[int, str] = {}
        #: The workers, while somebody looks at them.
        self.members: Members = Members()
        #: Called when no version is kept any more.
        self.on_idle: Callable[[], object] | None = None
        _kernels.add(self)

    @contextlib.contextmanager
    def replaced(self, value: Any) -> Iterator[tuple[Any, list[Version]]]:
        """
        Give arguments of tasks, with references in place of shared objects.

        Another thread may publish newer versions before the engine has the task, so
        those of the arguments are held until the end of the block.

        Raises:
            ProxyError: A shared object cannot be published.
        """
        references: dict[int, Any] = {}
        versions: list[Version] = []

        def refer(target: Target) -> Any:
            if target.is_proxy:
                data = pickled_live(target.target)
                return self._engine.reference(load_live, data, None)
            # Once: a list may hold the same object many times.
            if target.idx not in references:
                try:
                    references[target.idx] = self._reference(target, versions)
                except OSError as error:
                    if error.errno != errno.EMFILE:
                        raise
                    raise self._too_many_files(target.name) from error
            return references[target.idx]

        yield replace(value, self._find(), refer), versions

    def _too_many_files(self, name: str) -> DataTooBigError:
        limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        return DataTooBigError(
            f"Sharing this state of {name!r} failed because the notebook has {limit:,} "
            f"files open, and may not open more: it keeps {len(self._kept):,} states "
            "that tasks can ask for, and each has three files. Gather and delete older "
            "futures, or allow more files: import resource; resource.setrlimit("
            f"resource.RLIMIT_NOFILE, ({most}, {most}))"
        )

    def _reference(self, target: Target, versions: list[Version]) -> Any:
        handle = self._publish(target)
        if isinstance(handle, Inline):
            return target.target  # it is smaller than a handle
        if handle.inplace:
            raise NotShareable(
                f"{target.name!r} is shared in place, and workers of other hosts would "
                "not see its changes, so it cannot be an argument of this task. Pass "
                f"its proxy, shared.{target.name}, or share it without --inplace."
            )
        try:
            return self._reference_to(target, handle, versions)
        except BaseException:
            # Nobody will use the handle, and its version would wait for it.
            mark_arrived(encoded(handle))
            raise

    def _reference_to(
        self, target: Target, handle: Handle, versions: list[Version]
    ) -> Any:
        with self._lock:
            version = self._newest.get(target.idx)
            kept = None if version is None else self._kept.get(version.token)
            if version is not None and kept is not None and kept.nonce == handle.nonce:
                mark_arrived(encoded(handle))
                versions.append(version)
                return self._refer(version)
            version = Version(secrets.token_hex(8))
            versions.append(version)
            try:
                self._keep(version.token, handle)
                reference = self._refer(version)
            except BaseException:
                # The engine does not know it, so it cannot forget it.
                self._kept.pop(version.token, None)
                raise
            if target.idx in self._newest:
                self._dropped.append(self._newest[target.idx])
            self._newest[target.idx] = version
        self._drop()
        return reference

    def _refer(self, version: Version) -> Any:
        kept = self._kept[version.token]
        spec = Spec(__version__, version.token, encoded(kept.handle))
        return self._engine.reference(load, _encode(spec), version)

    def _publish(self, target: Target) -> Handle | Inline:
        entry = self.server.table.get(target.idx)
        return self.server.publisher.handle(entry, target.target)

    def _keep(self, token: str, handle: Handle) -> Kept:
        """
        Keep the version of a handle.
        """
        file = open_shared(handle.file)
        if file.read(NONCE_BYTES, 0) != handle.nonce:
            raise VersionGone(
                f"{handle.name!r} was unshared by another thread while it was "
                "published. Share it again and pass it again."
            )
        mark_arrived(encoded(handle))
        # The publication may close its own descriptor.
        key = FileKey(os.getpid(), file.fd, *handle.file[2:])
        held = msgspec.structs.replace(handle, file=key, ticket=NO_TICKET)
        kept = self._kept[token] = Kept(file, held, handle.nonce)
        return kept

    def settle(self) -> None:
        """
        Release the newest versions of objects that are not shared any more.
        """
        shared = {target.idx for target in self._find().values()}
        with self._lock:
            for idx in self._newest.keys() - shared:
                self._dropped.append(self._newest[idx])
                del self._newest[idx]
        self._drop()

    def _drop(self) -> None:
        """
        Drop versions in another thread, because code of the engine runs then.

        Only the main thread is interrupted; in a finalizer, the work would be lost.
        """
        if self._dropped:
            with contextlib.suppress(RuntimeError):
                _thread.start_new_thread(self._dropped.clear, ())

    @property
    def is_idle(self) -> bool:
        """
        Whether no task can ask for a version.
        """
        return not self._kept

    def answer(self, sender: str, request: bytes) -> bytes:
        """
        Answer a request of a worker.

        Args:
            sender: The engine's name for the worker.
            request: The request.
        """
        asked = _decode_request(request)
        if isinstance(asked, Fetch):
            try:
                return _encode(self._fetch(sender, asked.idx))
            except ProxyError as error:
                return _encode(Fetched(b"", fault=pickle.dumps(error)))
        if isinstance(asked, Done):
            self._release(sender, asked.token)
            return b""
        with self._lock:
            kept = self._kept.get(asked.token)
            if isinstance(asked, Part):
                self._renew(sender)
            elif kept is None:
                return _encode(Answer("gone"))
            elif isinstance(asked, Want):
                return _encode(self._place(sender, asked, kept))
            else:
                copy = self._copies[asked.token, asked.host] = HostCopy(sender)
                copy.handle = asked.handle
                return b""
        # The lock is not held while the memory is read.
        return b"" if kept is None else kept.file.read(asked.size, asked.offset)

    def _fetch(self, sender: str, idx: int) -> Fetched:
        """
        Keep the present version of an object until a worker has brought it.
        """
        lent = self.server.publisher.fetch(self.server.table.get(idx))
        handle = lent.handle
        if isinstance(handle, Inline):
            return Fetched(encoded(handle))
        if handle.inplace:
            lent.give_up()
            raise NotShareable(
                f"{handle.name!r} is shared in place, and this host would not see its "
                "changes. Share it without --inplace."
            )
        # Equal states have one token, so a host needs to bring a state once.
        token = handle.nonce.hex()
        with self._lock:
            kept = self._kept.get(token) or self._keep(token, handle)
            self._fetching[token][sender] += 1
            before, self._fetched[idx] = self._fetched.get(idx, token), token
        lent.give_up()
        if before != token:
            self._drop_copies(before)
        return Fetched(encoded(kept.handle), token)

    def _release(self, sender: str, token: str) -> None:
        """
        Note that a worker has brought a version, or has ended.
        """
        with self._lock:
            senders = self._fetching.get(token, Counter())
            senders[sender] -= 1
            if +senders:
                return
            self._fetching.pop(token, None)
            self._kept.pop(token, None)
            is_idle = not self._kept
        if is_idle and self.on_idle is not None:
            self.on_idle()

    def _renew(self, sender: str) -> None:
        for copy in self._copies.values():
            if copy.sender == sender:
                copy.asked_at = time.monotonic()

    def _place(self, sender: str, asked: Want, kept: Kept) -> Answer:
        copy = self._copies.get((asked.token, asked.host))
        if copy is None or copy.is_late or asked.alone:
            if copy is None or copy.is_late:
                self._copies[asked.token, asked.host] = HostCopy(sender)
            return Answer("bring", kept.file.identity.size)
        if copy.handle:
            return Answer("map", handle=copy.handle)
        return Answer("wait")

    def left(self, sender: str, end: End = LEFT) -> None:
        """
        Note that a worker has ended, and its copies with it.

        Args:
            sender: The engine's name for the worker.
            end: How it ended, if the engine knows.
        """
        self.members.left(sender, end)
        with self._lock:
            for key, copy in list(self._copies.items()):
                if copy.sender == sender:
                    del self._copies[key]
            brought = [
                token
                for token, senders in self._fetching.items()
                for _ in range(senders[sender])
            ]
        for token in brought:
            self._release(sender, token)

    def forgotten(self, token: str) -> None:
        """
        Release a version, here and on other hosts.
        """
        with self._lock:
            is_kept = token in self._kept
        if is_kept:
            # Before it is released: the engine is detached when nothing is kept.
            self._drop_copies(token)
        with self._lock:
            kept = self._kept.pop(token, None)
            for idx, version in list(self._newest.items()):
                if version.token == token:
                    del self._newest[idx]
            is_idle = not self._kept
        del kept
        if is_idle and self.on_idle is not None:
            self.on_idle()

    def _drop_copies(self, token: str) -> None:
        with self._lock:
            for key in [key for key in self._copies if key[0] == token]:
                del self._copies[key]
        self._engine.tell({"drop": [token]})

    def lost(self) -> None:
        """
        Release all versions, here and on other hosts, and stop listening.
        """
        self.doors.close()
        with self._lock:
            kept, self._kept = self._kept, {}
            newest, self._newest = self._newest, {}
            tokens = {*kept, *(token for token, _ in self._copies)}
            self._copies.clear()
            self._fetching.clear()
            self._fetched.clear()
        if tokens:
            self._engine.tell({"drop": sorted(tokens)})
        kept.clear()
        newest.clear()

    def after_fork(self) -> None:
        """
        In a forked child, drop the versions, which belong to the parent.
        """
        self._lock = threading.RLock()
        self.doors.after_fork()
        self.members.after_fork()
        for table in (self._kept, self._newest, self._copies, self._fetching):
            table.clear()


def _after_fork_in_child() -> None:
    for kernel in list(_kernels):
        kernel.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
