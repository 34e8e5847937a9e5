"""
The walk through a table: each method is called, and its object compared.
"""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from duck_jupyter.objects.harmless.registry import TABLES, is_harmless
from duck_jupyter.objects.operations import SPECIAL_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Sample", "call", "walk"]

#: Operators that take a number, unless a sample says otherwise.
NUMBER = "2"
OPERATORS = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "xor", "or"),
)


class Sample(NamedTuple):
    """
    An object of a type.

    Args:
        make: Makes what is shared.
        calls: Methods and their arguments, such as ``count(1)``, one a line or with
            semicolons between them. What is not listed is called without arguments.
        reach: Leads from what is shared to what is called.
    """

    make: Callable[[], Any]
    calls: str = ""
    reach: Callable[[Any], Any] = lambda whole: whole

    def arguments(self) -> dict[str, str]:
        """
        Give the arguments of each method that is listed, as code.
        """
        found = {}
        for call in self.calls.replace("\n", ";").split(";"):
            name, bracket, arguments = call.strip().partition("(")
            if bracket:
                found[name] = arguments.removesuffix(")")
        return found


def walk(
    library: str,
    kind: str,
    samples: list[Sample],
    state: Callable[[Any], Any],
    names: Mapping[str, Any],
) -> None:
    """
    Call each method in the table of a type, and see that nothing has changed.

    Args:
        library: Whose table.
        kind: The type in it.
        samples: Objects of the type. A method is called on the last one that lists
            it, else on the first one.
        state: Gives all that can be seen of what is shared.
        names: What the arguments may use.
    """
    wrong = {}
    walked = 0
    for name in sorted(TABLES[library][kind]):
        listing = [sample for sample in samples if name in sample.arguments()]
        sample = [*samples[:1], *listing][-1]
        try:
            walked += call(sample, name, state, names)
        except Exception as error:  # the others are walked all the same
            wrong[name] = error
    assert not wrong, wrong
    assert walked


def call(
    sample: Sample, name: str, state: Callable[[Any], Any], names: Mapping[str, Any]
) -> bool:
    """
    Call a method on the object itself, and see that nothing of it has changed.

    Returns:
        False where this version of the library has no such method.
    """
    whole = sample.make()
    target = sample.reach(whole)
    if not any(name in vars(base) for base in type(target).__mro__):
        return False
    before = state(whole)
    default = NUMBER if name.strip("_") in OPERATORS else ""
    code = f"_both({sample.arguments().get(name, default)})"
    args, kwargs = eval(code, {"_both": _both, **names})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = _call(target, name, args, kwargs)
        if hasattr(type(result), "__next__"):
            list(itertools.islice(result, 9))
    assert is_harmless(target, name)
    assert state(whole) == before
    return True


def _both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    return args, kwargs


def _call(target: Any, name: str, args: Any, kwargs: Any) -> Any:
    if name[:2] != "__":
        return getattr(target, name)(*args, **kwargs)
    function = SPECIAL_CALLS.get(name)
    if function is not None:
        return function(target, *args)
    return getattr(type(target), name)(target, *args, **kwargs)
