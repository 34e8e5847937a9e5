"""
Publication: an object's versions, as its state goes on.

A handle stands for the object as it is when the handle is made. So each time the
object is pickled, without its buffers, and compared with the version that was
published last; only where it differs there is a new one. Where the system can tell
what was written to since, no more than that is compared.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ..memory.dirty_tracker import Watcher, notes
from .consistency import MOST_TRIES, is_steady, still_changing, take_apart
from .handles import Inline
from .part_lookup import PublishedLook
from .versions import Layout, Version, Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..memory.dirty_tracker import Part
    from ..memory.files import FileKey
    from .handles import Handle, Lent
    from .pickling import Dumped
    from .store import Store

__all__ = ["Publication"]

_T = TypeVar("_T")

#: Bytes of an object that goes in the handle itself, where a file would be a waste.
INLINE_BYTES = 1024
#: An object of so many bytes is published for any part of it.
QUICK_BYTES = 4 << 20
#: Of a larger object so much has to go by value before it is published for its parts.
WORTH_SHARE = 1 / 64


class Publication:
    """
    The versions of one object. Any thread may call it.

    Args:
        store: Keeps the memory of all publications.
        name: What messages call the object.
        frozen: The object will not change, so it is never compared.
    """

    def __init__(self, store: Store, name: str, *, frozen: bool = False) -> None:
        self.name = name
        self._store = store
        self._frozen = frozen
        # All below is used only while the lock is held. Pickling runs the object's own
        # code, which may come back here.
        self._lock = threading.RLock()
        self._current: Version | None = None
        self._older: list[Version] = []
        # The frozen object that is published, and will not change.
        self._promised: Any = None
        self._watcher = Watcher(notes)
        self._counted = Versions()
        #: How many calls of `handle` are under way, one in another.
        self._working = 0
        #: Bytes of parts that went by value since the object was published.
        self._by_value = 0
        #: Its pickle differed each time, though nobody changed it.
        self._unsteady = False
        #: Nobody asks for handles any more, but for who had begun before.
        self._ended = False

    def handle(self, target: Any) -> Handle | Inline:
        """
        Give what stands for the object as it is now.

        Raises:
            DataEncodeError: Something in it cannot be pickled.
            ObjectChanged: It goes on changing.
            DataTooBigError: There is no room for it.
        """
        return self.at_work(lambda: self._state(target).handle())

    def lend(self, target: Any) -> Lent[Handle | Inline]:
        """
        Give what stands for the object as it is now, until it is given up.

        Raises:
            ProxyError: As `handle`.
        """
        return self.at_work(lambda: self._state(target).lend())

    def at_work(self, work: Callable[[], _T]) -> _T:
        """
        Do some work under the lock; what it finds or publishes is kept meanwhile.
        """
        with self._lock:
            depth = self._working
            try:
                self._working = depth + 1
                result = work()
            finally:
                self._working = depth
        if self._ended:  # meanwhile; what was published now is to be kept all the same
            self._store.retire(self)
        return result

    def look(self, target: Any) -> PublishedLook:
        """
        Find parts of the object in one pickle.
        """
        return PublishedLook(self, target)

    def find(self, nonce: bytes) -> Version | None:
        """
        Give a version that is kept; within `at_work`.
        """
        return next((kept for kept in self._kept() if kept.nonce == nonce), None)

    def part(
        self, target: Any, dumped: Dumped, part: Part, data: int
    ) -> Version | None:
        """
        Give a version that holds a part of the object as it is now; within `at_work`.

        Args:
            target: The object.
            dumped: The object as it is now.
            part: What of it is to be handed over.
            data: Bytes of data in the part, which may have gaps.

        Returns:
            None where it is quicker to pickle the part than to publish the object.

        Raises:
            ProxyError: As `handle`.
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
        Tell whether a version holds a part of a state of the same shape.
        """
        parts = self._suspects(dumped)
        if parts is None:
            return version.holds(dumped, [part])
        inside = [both for other in parts if (both := other.within(part))]
        if _size(inside) < _size(parts) * WORTH_SHARE:
            return version.holds(dumped, inside)
        # All of it, so that it need not be compared the next time.
        same = version.holds(dumped, parts)
        if same:
            self._watcher.found(dumped.spans, same=True)
        return same

    def _suspects(self, dumped: Dumped) -> list[Part] | None:
        """
        List what may differ from what was compared or published last; None for all.
        """
        return None if self._frozen else self._watcher.suspects(dumped.spans)

    def _state(self, target: Any) -> Version | Inline:
        if self._promised is target and self._current is not None:
            return self._current
        if self._working > 1:  # for a signal handler, in the middle of our own work
            return Inline(take_apart(target, self.name, out_of_band=False).head, [])
        dumped = take_apart(target, self.name)
        if self._unsteady:
            self._unsteady = not is_steady(target, self.name, dumped)
            if self._unsteady:
                return self._publish_at_once(target)
        if len(dumped.head) + sum(map(len, dumped.buffers)) <= INLINE_BYTES:
            return Inline(dumped.head, [bytes(part) for part in dumped.buffers])
        current, spans = self._current, dumped.spans
        # Before anything is copied, since it may begin to watch.
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
            # While the memory was copied another thread may have been at work.
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
        Publish one pickle of an object, as it is, with all its memory in it.
        """
        return self._write(take_apart(target, self.name, out_of_band=False), None)

    def _write(self, dumped: Dumped, parts: Sequence[Part] | None) -> Version:
        """
        Make a state the current version, in memory that nobody uses, if there is.

        Args:
            dumped: The state.
            parts: What of it may differ from the version that is current; None for all.
        """
        # Each is in a list or current at any moment: someone may press Ctrl-C.
        before = self._current
        if before is not None:
            self._older, self._current = [*self._older, before], None
        layout = Layout(dumped)
        # Newest first: it differs least from what comes now.
        for version in reversed(self._older):
            if not version.fits(layout):
                continue
            try:
                differing = parts if version is before else None
                replaced = version.replace(dumped, layout, differing)
            except BaseException:
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
        Give up older versions that nobody uses, but for some to be used again.
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
        More is kept than the newest version and one to be used again.
        """
        return len(self._older) > 1

    def renew(self) -> None:
        """
        Note that the name stands for another object now.
        """
        # Do not take the lock here: the object's own code runs under it, and may wait
        # for our caller.
        self._promised = None
        self._unsteady = False

    def awaited(self) -> list[Version]:
        """
        List the older versions that handles on their way stand for, oldest first.

        Those of a publication that is at work are left out: the caller holds the lock
        of another one, and must not wait for this one.
        """
        with self._unless_busy() as free:
            return [old for old in self._older if old.on_its_way] if free else []

    def give_up(self, version: Version) -> None:
        """
        Keep an older version no longer, though its handles have not arrived.
        """
        with self._unless_busy() as free:
            if free and version in self._older:
                self._older.remove(version)
                version.close()

    def drop_spares(self) -> None:
        """
        Keep no memory that nobody uses, but for the current version.
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
        Tell what is kept; while a version is being published, what was before.
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
        Tell which processes took what is kept, by file.
        """
        with self._unless_busy() as free:
            return dict(version.takers() for version in self._kept()) if free else {}

    def _kept(self) -> list[Version]:
        return [*self._older, *([] if self._current is None else [self._current])]

    def retire(self) -> bool:
        """
        Keep only what handles on their way stand for.

        Returns:
            Whether nothing is left.
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
        In a child, give up what belongs to the parent.
        """
        self._lock = threading.RLock()
        self.close()

    def __repr__(self) -> str:
        found = self.versions()
        return f"<Publication of {self.name}: {found.kept} versions>"


def _size(parts: Sequence[Part]) -> int:
    return sum(part.size for part in parts)
