"""
The stepper: what a step is, which steps an operation has, and acting at one of them.

A step is one bytecode instruction of the code below a folder, executed for the n-th
time by one run of an operation. Only the first `VISITS` executions of an instruction
count: a loop that waits would else have another number of steps in every run. An
instruction is identified by its place in its code object, and not by the number of
events before it, so a step means the same in every run and in every process.

The steps of an operation are those that any of `SURVEYS` runs executed. Where a run
takes another path than these did, a step may not be reached.

Only the thread that runs the operation is traced. Code that runs at import is not: the
caller runs the operation once before.
"""

from __future__ import annotations

import dis
import functools
import linecache
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType, FrameType

    Watcher = Callable[[FrameType, str, Any], Any]

    Result = TypeVar("Result")

PACKAGE = Path(__file__).resolve().parents[2] / "duck_jupyter"
#: How many executions of one instruction in one run are steps of their own.
VISITS = 2
#: What stands for the instruction before, at the entry of a function and after the
#: call of one whose steps were traced.
ENTRY, BACK = "entry", "return from "
#: Instructions after which Python runs the handlers of signals, so that they may raise
#: there; elsewhere hardly anything but a trace function raises, though a destructor may
#: run at most of them. Before Python 3.11 the call of a function in Python counted too.
SIGNAL_CHECKS: tuple[str, ...] = (
    *("CALL", "JUMP_BACKWARD", "JUMP_ABSOLUTE", "RESUME"),
    ENTRY,
)
if sys.version_info < (3, 11):
    SIGNAL_CHECKS = (*SIGNAL_CHECKS, f"{BACK}CALL")
#: Where the handling of an error begins and ends. Nothing but a trace function raises
#: there, and Python then loses a reference to the error and never frees its frames.
UNREACHABLE = frozenset({"PUSH_EXC_INFO", "POP_EXCEPT"})


class Cut(BaseException):
    """
    What is raised at a step.
    """


@dataclass(frozen=True)
class Step:
    """
    One instruction, executed for the n-th time.

    Attributes:
        file: The source file, below the folder that is stepped through.
        function: The name of the code object.
        first_line: The first line of the code object, which tells it from others.
        offset: The instruction's offset, in bytes.
        visit: It is executed for the n-th time, from 1.
        line: The line of the instruction.
        instruction: What is about to be executed.
        previous: The name of the instruction that this frame executed before.
        source: The text of the line.
    """

    file: str
    function: str
    first_line: int
    offset: int
    visit: int
    line: int = field(compare=False)
    instruction: str = field(compare=False)
    previous: str = field(compare=False)
    source: str = field(compare=False)

    @property
    def place(self) -> str:
        """
        The line, as ``FILE:LINE``.
        """
        return f"{self.file}:{self.line}"

    @property
    def signals(self) -> bool:
        """
        Python may run a signal handler here.
        """
        return self.previous.startswith(SIGNAL_CHECKS)

    def __str__(self) -> str:
        again = f", visit {self.visit}" if self.visit > 1 else ""
        who = (
            "signal handlers run here"
            if self.signals
            else "no signal handler runs here"
        )
        return (
            f"{self.place} in {self.function}(), before {self.instruction} after "
            f"{self.previous}{again} [{who}]: {self.source}"
        )


class Tracing:
    """
    Watches the instructions that one thread executes below a folder.

    Args:
        folder: The code that counts.
    """

    def __init__(self, folder: Path) -> None:
        self._prefix = f"{folder}/"

    def run(self, body: Callable[[], Result]) -> Result:
        """
        Run a function under the trace function of this object.
        """
        before = sys.gettrace()
        # Python 3.12 sends these events only where some frame wanted them already.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self._on_call)
        try:
            return body()
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, _event: str, _arg: Any) -> Watcher | None:
        if not self._wants(frame.f_code):
            return None
        # Python 3.13 ignores f_trace_opcodes of a frame that has no trace function yet.
        frame.f_trace = watcher = self._watcher()
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return watcher

    def _wants(self, code: CodeType) -> bool:
        return code.co_filename.startswith(self._prefix)

    def _watcher(self) -> Watcher:
        """
        Make the trace function of one frame; it must not keep the frame alive.
        """
        raise NotImplementedError


class Survey(Tracing):
    """
    Notes the steps of a run.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._visits: dict[tuple[CodeType, int], int] = {}
        self._seen: list[tuple[CodeType, int, int, int, str]] = []
        self._latest: Watcher | None = None

    def _watcher(self) -> Watcher:
        last: int | None = None

        def watch(frame: FrameType, event: str, _arg: Any) -> Any:
            nonlocal last
            if event == "opcode":
                self._note(frame, last, came_back=self._latest is not watch)
                self._latest = watch
                last = frame.f_lasti
            return watch

        return watch

    def _note(self, frame: FrameType, last: int | None, *, came_back: bool) -> None:
        code, offset = frame.f_code, frame.f_lasti
        visit = self._visits.get((code, offset), 0) + 1
        self._visits[code, offset] = visit
        if visit <= VISITS:
            # What the compiler added has no line.
            line = frame.f_lineno or code.co_firstlineno
            previous = ENTRY if last is None else instructions_of(code)[last].split()[0]
            if came_back and last is not None:
                previous = f"{BACK}{previous}"
            self._seen.append((code, offset, visit, line, previous))

    def steps(self) -> list[Step]:
        """
        Give the steps in the order of their execution.
        """
        steps = [self._describe(*seen) for seen in self._seen]
        return [step for step in steps if step.instruction not in UNREACHABLE]

    def _describe(
        self, code: CodeType, offset: int, visit: int, line: int, previous: str
    ) -> Step:
        return Step(
            code.co_filename.removeprefix(self._prefix),
            code.co_name,
            code.co_firstlineno,
            offset,
            visit,
            line,
            instructions_of(code)[offset],
            previous,
            linecache.getline(code.co_filename, line).strip(),
        )


@functools.cache
def instructions_of(code: CodeType) -> dict[int, str]:
    """
    Give the instructions of a code object by offset, as text.
    """
    return {
        one.offset: f"{one.opname} {one.argrepr}".strip()
        for one in dis.get_instructions(code)
    }


class At(Tracing):
    """
    Does something at one step of a run, once, and traces no further.

    Args:
        folder: The code that counts.
        step: Where.
        action: What is done inside the trace function, which is not traced itself; what
            it raises is raised at the step.
    """

    def __init__(self, folder: Path, step: Step, action: Callable[[], None]) -> None:
        super().__init__(folder)
        self._step = step
        self._action = action
        self._visits = 0
        self._codes: dict[CodeType, bool] = {}
        #: The step was reached.
        self.reached = False
        #: The functions that were being executed then, outermost first.
        self.chain: list[str] = []
        #: One of them was a destructor.
        self.in_destructor = False

    def _wants(self, code: CodeType) -> bool:
        if self.reached:
            return False
        found = self._codes.get(code)
        if found is None:
            step = self._step
            found = self._codes[code] = (
                code.co_name == step.function
                and code.co_firstlineno == step.first_line
                and code.co_filename == self._prefix + step.file
            )
        return found

    def _watcher(self) -> Watcher:
        return self._watch

    def _watch(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "opcode":
            self._on_instruction(frame)
        return self._watch

    def _on_instruction(self, frame: FrameType) -> None:
        if self.reached or frame.f_lasti != self._step.offset:
            return
        self._visits += 1
        if self._visits < self._step.visit:
            return
        self.reached = True
        self._note(frame)
        sys.settrace(None)
        self._action()

    def _note(self, frame: FrameType) -> None:
        at: FrameType | None = frame
        while at is not None:
            if at.f_code.co_filename.startswith(self._prefix):
                self.chain.insert(0, at.f_code.co_name)
                self.in_destructor |= at.f_code.co_name == "__del__"
            at = at.f_back


def merge(surveys: Iterable[Iterable[Step]]) -> list[Step]:
    """
    Give the steps that any run had, each once.
    """
    return list(dict.fromkeys(step for survey in surveys for step in survey))
