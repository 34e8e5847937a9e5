"""
Publication: the versions of one object over time.

A handle stands for the object as it is when the handle is made. So each time the object
is pickled, without its buffers, and compared with the version that was published last.
Only if it differs, a new version is published. If the system can tell which pages were
written to since, only these are compared.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ..memory.dirty_tracker import Watcher, bytes_in, notes
from .consistency import MOST_TRIES, is_steady, still_changing, take_apart
from .handles import Inline
from .layout import Layout
from .part_lookup import PublishedLook
from .versions import Version, Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..memory.dirty_tracker import Part
    from ..memory.files import FileKey
    from .handles import Handle, Lent
    from .pickling import Dumped
    from .protocols import Keeper

__all__ = ["Publication"]

_T = TypeVar("_T")

#: An object of up to this size is in the handle itself; a file would be wasteful.
INLINE_BYTES = 1024
#: An object of up to this size is published for any part of it.
QUICK_BYTES = 4 << 20
#: A larger object is published for its parts only after this share was pickled by
#: value.
WORTH_SHARE = 1 / 64


class Publication:
    """
    The versions of one object. Any thread may call it.

    Args:
        store: Keeps the memory of all publications.
        name: The name of the object in messages.
        frozen: Whether the object will not change, so it is never compared.
    """

    def __init__(self, store: Keeper, name: str, *, frozen: bool = False) -> None:
        self.name = name
        self._store = store
        self._frozen = frozen
        # The lock guards all below. It is an RLock: pickling may call us again.
        self._lock = threading.RLock()
        self._current: Version | None = None
        self._older: list[Version] = []
        # The frozen object that is published; it will not change.
        self._promised: Any = None
        self._watcher = Watcher(notes)
        self._counted = Versions()
        #: The number of nested calls of `handle` in progress.
        self._working = 0
        #: Bytes of parts that were pickled by value since the object was published.
        self._by_value = 0
        #: Whether its pickle differed each time, although no thread changed it.
        self._unsteady = False
        #: Whether it was retired: only calls in progress still make handles.
        self._ended = False

    def handle(self, target: Any) -> Handle | Inline:
        """
        Return a handle to the present state of the object.

        Raises:
            DataEncodeError: Something in it cannot be pickled.
            ObjectChanged: It kept changing.
            DataTooBigError: There is no space for it.
        """
        return self.at_work(lambda: self._state(target).handle())

    def lend(self, target: Any) -> Lent[Handle | Inline]:
        """
        Return a handle to the present state of the object, which can be released.

        Raises:
            ProxyError: As for `handle`.
        """
        return self.at_work(lambda: self._state(target).lend())

    def at_work(self, work: Callable[[], _T]) -> _T:
        """
        Do some work under the lock; versions that it finds or publishes stay meanwhile.
        """
        with self._lock:
            depth = self._working
            try:
                self._working = depth + 1
                result = work()
            finally:
                self._working = depth
        if self._ended:  # retired meanwhile, but the new version must stay
            self._store.retire(self)
        return result

    def look(self, target: Any) -> PublishedLook:
        """
        Return an object that finds parts of the object in one pickle.
        """
        return PublishedLook(self, target)

    def find(self, nonce: bytes) -> Version | None:
        """
        Return a kept version; call it within `at_work`.
        """
        return next((kept for kept in self._kept() if kept.nonce == nonce), None)

    def part(
        self, target: Any, dumped: Dumped, part: Part, data: int
    ) -> Version | None:
        """
        Return a version that holds a part of the present object; call within `at_work`.

        Args:
            target: The object.
            dumped: The object as it is now.
            part: The part to hand over.
            data: Bytes of data in the part, which may have gaps.

        Returns:
            None if pickling the part is faster than publishing the object.

        Raises:
            ProxyError: As for `handle`.
        """
        if self._unsteady or self._working > 1:
            return None
        current = self._current
        if current is not None and current.is_shaped_as(dumped):
            if self._promised is target:
                return current
            if self._holds_part(current, dumped, part):
                return current
        whole = sum(map(len, dumped.buffers))
        self._by_value += data
        if whole > QUICK_BYTES and self._by_value < whole * WORTH_SHARE:
            return None
        self._by_value = 0
        version = self._publish(target, dumped, self._suspects(dumped))
        self._promised = target if self._frozen else None
        return version if version.is_shaped_as(dumped) else None

    def _holds_part(self, version: Version, dumped: Dumped, part: Part) -> bool:
        """
        Return whether a version of the same shape holds a part of a state.
        """
        parts = self._suspects(dumped)
        if parts is None:
            return version.holds(dumped, [part])
        inside = [both for other in parts if (both := other.within(part))]
        if bytes_in(inside) < bytes_in(parts) * WORTH_SHARE:
            return version.holds(dumped, inside)
        # Compare all of it, so that it need not be compared the next time.
        same = version.holds(dumped, parts)
        if same:
            self._watcher.found(dumped.spans, same=True)
        return same

    def _suspects(self, dumped: Dumped) -> list[Part] | None:
        """
        List the parts that may differ from the last known state; None for all.
        """
        return None if self._frozen else self._watcher.suspects(dumped.spans)

    def _state(self, target: Any) -> Version | Inline:
        if self._promised is target and self._current is not None:
            return self._current
        if self._working > 1:  # for a signal handler that interrupted our own work
            return Inline(take_apart(target, self.name, out_of_band=False).head, [])
        dumped = take_apart(target, self.name)
        if self._unsteady:
            self._unsteady = not is_steady(target, self.name, dumped)
            if self._unsteady:
                return self._publish_at_once(target)
        if len(dumped.head) + sum(map(len, dumped.buffers)) <= INLINE_BYTES:
            return Inline(dumped.head, [bytes(part) for part in dumped.buffers])
        current, spans = self._current, dumped.spans
        # Before anything is copied, because this may start the tracking of writes.
        parts = self._suspects(dumped)
        if current is not None:
            if current.holds(dumped, parts):
                self._watcher.found(spans, same=True)
            else:
                current = None
        if current is None:
            current = self._publish(target, dumped, parts)
        self._promised = target if self._frozen else None
        return current

    def _publish(
        self, target: Any, dumped: Dumped, parts: Sequence[Part] | None
    ) -> Version:
        for _ in range(MOST_TRIES):
            version = self._write(dumped, parts)
            self._watcher.found(dumped.spans, same=False)
            # Another thread may have run while the memory was copied.
            after = take_apart(target, self.name)
            if version.is_shaped_as(after):
                return version
            dumped, parts = after, None
        if is_steady(target, self.name, dumped):
            raise still_changing(self.name)
        self._unsteady = True
        return self._publish_at_once(target)

    def _publish_at_once(self, target: Any) -> Version:
        """
        Publish one pickle of an object, with all its memory in the head.
        """
        return self._write(take_apart(target, self.name, out_of_band=False), None)

    def _write(self, dumped: Dumped, parts: Sequence[Part] | None) -> Version:
        """
        Make a state the current version, in unused memory if there is any.

        Args:
            dumped: The state.
            parts: The parts that may differ from the current version; None for all.
        """
        # Each version is always in a list or current, because an interrupt may come.
        before = self._current
        if before is not None:
            self._older, self._current = [*self._older, before], None
        layout = Layout(dumped)
        # Newest first: it differs least from the new state.
        for version in reversed(self._older):
            if not version.fits(layout):
                continue
            try:
                differing = parts if version is before else None
                replaced = version.replace(dumped, layout, differing)
            except BaseException:
                if version.is_damaged:
                    self._older.remove(version)
                    version.close()
                raise
            if replaced:
                self._older.remove(version)
                self._current = version
                break
        self._drop_unused()
        if self._current is None:
            self._store.make_way(self, layout.size)
            self._current = Version(dumped, layout, self.name)
            if self.is_untidy:
                self._store.tidy_soon()
        return self._current

    def _drop_unused(self, spared: int = 1) -> None:
        """
        Release older versions that are not in use, except some to be reused.
        """
        for version in reversed(self._older.copy()):
            if version.in_use:
                continue
            if spared:
                spared -= 1
            else:
                self._older.remove(version)
                version.close()

    @property
    def is_untidy(self) -> bool:
        """
        Whether it keeps more than the newest version and one to be reused.
        """
        return len(self._older) > 1

    def renew(self) -> None:
        """
        Note that the name now has another object.
        """
        # Do not take the lock here: the object's own code runs under it, and may wait
        # for our caller.
        self._promised = None
        self._unsteady = False

    def awaited(self) -> list[Version]:
        """
        List the older versions whose handles have not arrived, oldest first.

        If the publication is at work, the list is empty: the caller holds the lock of
        another publication, and must not wait for this one.
        """
        with self._unless_busy() as free:
            return [old for old in self._older if old.on_its_way] if free else []

    def give_up(self, version: Version) -> None:
        """
        Release an older version, although its handles have not arrived.
        """
        with self._unless_busy() as free:
            if free and version in self._older:
                self._older.remove(version)
                version.close()

    def drop_spares(self) -> None:
        """
        Release all unused memory except the current version.
        """
        with self._unless_busy() as free:
            if free:
                self._drop_unused(spared=0)

    @contextmanager
    def _unless_busy(self) -> Iterator[bool]:
        free = self._lock.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._lock.release()

    def versions(self) -> Versions:
        """
        Return the counts of versions; during publishing, the counts from before.
        """
        with self._unless_busy() as free:
            if free:
                self._drop_unused()
                kept = self._kept()
                self._counted = Versions(
                    len(kept),
                    sum(version.size for version in kept),
                    sum(version.size for version in kept if version.is_mapped),
                    sum(version.on_its_way for version in self._older),
                    sum(version.size for version in kept if version.is_spooled),
                )
        return self._counted

    def takers(self) -> dict[FileKey, set[int]]:
        """
        Return the processes that took kept versions, by file.
        """
        with self._unless_busy() as free:
            return dict(version.takers() for version in self._kept()) if free else {}

    def _kept(self) -> list[Version]:
        return [*self._older, *([] if self._current is None else [self._current])]

    def retire(self) -> bool:
        """
        Release all versions except those whose handles have not arrived.

        Returns:
            Whether no version is left.
        """
        self._ended = True
        self._promised = None
        with self._unless_busy() as free:
            if not free or self._working:
                return False
            self._watcher.stop()
            if self._current is not None:
                self._older, self._current = [*self._older, self._current], None
            for version in self._older.copy():
                if not version.on_its_way:
                    self._older.remove(version)
                    version.close()
            return not self._older

    def close(self) -> None:
        """
        Release all versions. A process that maps one keeps its memory.
        """
        with self._lock:
            self._watcher.stop()
            if self._current is not None:
                self._current.close()
                self._current = None
            for version in self._older:
                version.close()
            self._older = []

    def after_fork(self) -> None:
        """
        In a forked child, drop what belongs to the parent.
        """
        self._lock = threading.RLock()
        self.close()

    def __repr__(self) -> str:
        found = self.versions()
        return f"<Publication of {self.name}: {found.kept} versions>"
