"""
How a run under the stepper ended, as the worker saw it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Ending"]


@dataclass
class Ending:
    """
    How one run ended.

    Attributes:
        tag: The tag of the run.
        reached: The step was reached.
        returned: The operation returned.
        killed: The worker is gone.
        value: What the operation returned.
        got: What the operation received on the way.
        chain: The functions that were being executed at the step, outermost first.
        faults: What the worker saw go wrong.
        held: What the worker holds now; see `take_census`.
    """

    tag: str
    reached: bool = False
    returned: bool = False
    killed: bool = False
    value: Any = None
    got: list[Any] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
