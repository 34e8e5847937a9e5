"""
The interface of a server in the same process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..protocol.references import ObjectRef

__all__ = ["LocalServer"]


class LocalServer(Protocol):
    """
    The methods that a link needs of a server in its own process.
    """

    def local_call(self, idx: int, method: str, args: Any, kwargs: Any) -> Any:
        """
        Execute in this process what an EXECUTE frame requests.
        """

    def local_get(self, idx: int, name: str) -> Any:
        """
        Execute in this process what a GET frame requests.
        """

    def local_frame(self, opcode: int, payload: Sequence[Any]) -> Any:
        """
        Execute in this process what any request frame requests.
        """

    def local_set(self, idx: int, name: str, value: Any) -> None:
        """
        Execute in this process what a SET frame requests.
        """

    def local_desk(self, word: str, args: Sequence[Any]) -> Any:
        """
        Execute in this process a request to the server itself.
        """

    def local_reference(
        self, idx: int, how: str, name: str, args: Any, kwargs: Any
    ) -> ObjectRef:
        """
        Execute in this process a call of `ref`.
        """

    def local_claim(self, idx: int) -> Any:
        """
        Make a claim of this thread to the lock of an object.
        """

    def local_lock(self, claim: Any, timeout: float | None) -> None:
        """
        Wait until a claim holds its lock.
        """

    def local_end(self, claim: Any) -> None:
        """
        Release a claim, whether it waits or holds its lock. Repeated calls do nothing.
        """

    def local_expression(self, target: Any) -> str:
        """
        Return the expression for the proxy of an object; "" if it is not shared.
        """

    def local_context(self, idx: int) -> tuple[Any, Any, Any]:
        """
        Return an object, and the functions that enter and leave it.
        """

    def local_type(self, idx: int) -> type:
        """
        Return the type of an object.
        """

    def target_of(self, value: Any) -> Any:
        """
        Return the object for a proxy of this server, and any other value as it is.
        """

    def local_drop(self, idx: int) -> None:
        """
        Note that a proxy of a chained object was dropped; safe in ``__del__``.
        """
