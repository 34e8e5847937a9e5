"""
Signals that arrive in the middle of an operation, and never in the harness around it.

A handler acts only while the operation is *armed*. Nothing but the operation is armed.
An interrupt that comes before its first instruction, or after its return and before the
next line of the harness, is told from one inside the product by its traceback.
"""

from __future__ import annotations

import dis
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

__all__ = ["CALL", "OFF", "RAISE", "Alarm", "Late", "Outcome"]

#: What a signal does: nothing, raise, or call the proxy (a SIGINT raises then, too).
OFF, RAISE, CALL = range(3)
#: Code that runs armed and is no part of the product.
HARNESS = frozenset(
    str(Path(__file__).with_name(name)) for name in ("alarm.py", "operations.py")
)
ERROR_CHARS = 160
#: The instruction with which a function begins; Python 3.10 has none.
RESUME = dis.opmap.get("RESUME")


class Late(Exception):
    """
    What a handler raises that sets a limit to the time of a call.
    """


class Outcome(NamedTuple):
    """
    How an operation ended.
    """

    #: ``ack``, ``cut``, ``edge`` or ``wrong``, as in a ledger.
    word: str
    #: What it returned; where it is wrong, the error in words.
    value: Any = None


class Alarm:
    """
    The signal handlers of a worker.

    Args:
        call: What a handler does that calls; may raise an interrupt of its own.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self.mode = OFF
        self._call = call

    def install(self) -> None:
        """
        Handle SIGALRM and SIGINT from now on; in the main thread.
        """
        signal.signal(signal.SIGALRM, self.on_signal)
        signal.signal(signal.SIGINT, self.on_signal)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """
        Act as armed. A second signal finds it disarmed, so one exception comes at most.
        """
        mode = self.mode
        if mode == OFF:
            return
        if number == signal.SIGINT or mode == RAISE:
            self.mode = OFF
            raise KeyboardInterrupt if number == signal.SIGINT else Late
        self._call()

    def attempt(
        self,
        action: Callable[[], Any],
        mode: int,
        delay_s: float = 0.0,
        fine: tuple[type[BaseException], ...] = (),
    ) -> Outcome:
        """
        Do an operation, armed.

        Args:
            action: The operation; nothing in it may be harmed by an interrupt.
            mode: What signals do meanwhile.
            delay_s: Seconds after which SIGALRM arrives.
            fine: Exceptions that are right answers; the outcome's value is their type.
        """
        if mode != OFF:
            # A timer that ends before the next lines does nothing.
            signal.setitimer(signal.ITIMER_REAL, delay_s)
        try:
            try:
                self.mode = mode
                value = action()
                self.mode = OFF
                return Outcome("ack", value)
            except BaseException as caught:  # whatever the product raises is judged
                # An interrupt that comes before this line is caught below.
                self.mode = OFF
                return self._judge(caught, fine)
        except BaseException as caught:  # disarmed by the handler that raised
            return self._judge(caught, fine)

    def _judge(
        self, error: BaseException, fine: tuple[type[BaseException], ...]
    ) -> Outcome:
        if isinstance(error, (Late, KeyboardInterrupt)):
            return Outcome(self._place(error.__traceback__))
        if isinstance(error, fine):
            return Outcome("ack", type(error))
        return Outcome("wrong", f"{type(error).__name__}: {error}"[:ERROR_CHARS])

    def _place(self, trace: TracebackType | None) -> str:
        """
        Say whether an interrupt came inside the product.

        At the entry of the one function that was called nothing of it has run yet.
        """
        handler = Alarm.on_signal.__code__
        places = []
        while trace is not None and trace.tb_frame.f_code is not handler:
            if trace.tb_frame.f_code.co_filename not in HARNESS:
                places.append(trace)
            trace = trace.tb_next
        if not places or (len(places) == 1 and _is_at_entry(places[0])):
            return "edge"
        return "cut"


def _is_at_entry(trace: TracebackType) -> bool:
    """
    Tell whether a function was interrupted before its first instruction.
    """
    if RESUME is None or trace.tb_lasti < 0:
        return trace.tb_lasti <= 0
    code = trace.tb_frame.f_code.co_code
    # The lowest bits say whether it begins there, or goes on after a yield.
    return code[trace.tb_lasti] == RESUME and not code[trace.tb_lasti + 1] & 3
