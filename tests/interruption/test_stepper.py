"""
The stepper itself: it comes to every step, passes what is right and finds what is not.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import crew
from .choice import VARIABLE, Choice, read_choice
from .operation import Operation
from .runs import CUT, KILLED, NESTED
from .specimens import objects
from .specimens.objects import (
    Careless,
    Ending,
    Hanging,
    Leaking,
    Plain,
    Renaming,
    Retrying,
    Swallowing,
)
from .steps import VISITS, At, Cut, Step, Survey, merge

if TYPE_CHECKING:
    from .bench import Kit
    from .conftest import Walk

FOLDER = Path(objects.__file__).parent
TAG = "a-tag"


#: The only object of each kind that a process has.
OBJECTS: dict[type[Plain], Plain] = {}


def object_of(kind: type[Plain]) -> Plain:
    """
    Give the object of a kind.
    """
    return OBJECTS.setdefault(kind, kind())


@pytest.fixture
def choice() -> Choice:
    """
    Give the steps of a usual run, whatever the environment asks for.
    """
    return Choice(everything=False, seed=0, place="")


class OnSpecimen(Operation):
    """
    A call of a local object.
    """

    folder = FOLDER

    def __init__(self, kind: type[Plain]) -> None:
        self.kind = kind

    @property
    def name(self) -> str:
        return self.kind.__name__

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return object_of(self.kind).add(kit.desk, tag)

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        if not object_of(self.kind).is_free():
            raise AssertionError("the lock is taken")


def places_of(error: BaseException) -> set[tuple[str, int]]:
    """
    Give the functions that an exception came through, each with its instruction.
    """
    places = set()
    trace = error.__traceback__
    while trace is not None:
        places.add((trace.tb_frame.f_code.co_name, trace.tb_lasti))
        trace = trace.tb_next
    return places


def survey(target: Plain) -> list[Step]:
    found = Survey(FOLDER)
    assert found.run(lambda: target.add(None, TAG)) == TAG
    return found.steps()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [CUT, NESTED, KILLED])
def test_a_plain_object_passes_at_every_step(mode: str, walk: Walk) -> None:
    report = walk(OnSpecimen(Plain), mode)
    assert report.is_right, report.explain("")
    assert report.covered == report.chosen == report.found > 30
    assert not report.unreached


FAULTS: list[tuple[type[Plain], str, set[str]]] = [
    (Careless, "the lock is taken", {"self.latest = tag", "self.lock.release()"}),
    (Swallowing, "it returned though", {"self.latest = tag"}),
    (Renaming, "ValueError: another instead of what", {"self.latest = tag"}),
    (Retrying, "it was applied 2 times", {"self.latest = tag", "desk.add(tag)"}),
    (Leaking, "'descriptor of a file in /dev': 3}", {"self.latest = tag"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "fault", "lines"), FAULTS, ids=[kind.__name__ for kind, _, _ in FAULTS]
)
def test_what_is_wrong_is_found_where_it_is(
    kind: type[Plain], fault: str, lines: set[str], walk: Walk
) -> None:
    report = walk(OnSpecimen(kind), CUT)
    found = {
        one.step.source
        for one in report.wrong
        if any(fault in text for text in one.faults)
    }
    assert found >= lines, report.explain("")
    source = inspect.getsource(kind.add)
    assert all(one.step.source in source for one in report.wrong)
    text = report.explain("")
    assert fault in text
    assert "in add(), before " in text


@pytest.mark.slow
def test_a_step_that_hangs_is_named_with_its_stack(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "DEADLINE_S", 0.5)
    report = walk(OnSpecimen(Hanging), CUT)
    assert "it did not end within 0.5 s" in report.wrong[0].faults[0]
    assert "in wait" in report.wrong[0].faults[0]
    assert "in add" in report.wrong[0].faults[0]
    assert "steps to go" in report.stopped


@pytest.mark.slow
def test_what_a_destructor_cannot_raise_is_no_fault(walk: Walk) -> None:
    report = walk(OnSpecimen(Ending), CUT)
    assert report.is_right, report.explain("")
    assert report.covered == report.found


@pytest.mark.parametrize("kind", [Plain, Careless, Retrying])
def test_every_step_is_come_to_and_raises(kind: type[Plain]) -> None:
    target = Plain()
    steps = survey(target)
    for step in steps:
        cut = Cut()

        def act(cut: Cut = cut) -> None:
            raise cut

        at = At(FOLDER, step, act)
        with pytest.raises(Cut) as caught:
            at.run(lambda: target.add(None, TAG))
        assert caught.value is cut
        assert at.reached
        assert at.chain[0] == "add"
        assert (step.function, step.offset) in places_of(cut)
    # The stepper leaves the thread untraced, and the code as it was.
    assert sys.gettrace() is None
    assert target.add(None, TAG) == TAG


def test_a_loop_has_as_many_steps_in_every_run() -> None:
    target = Plain()
    steps = survey(target)
    assert {step.visit for step in steps} == set(range(1, VISITS + 1))
    assert merge([steps, survey(target)]) == steps
    assert len(set(steps)) == len(steps)


def test_steps_of_generators_and_of_calls_inside_are_there() -> None:
    steps = survey(Plain())
    assert {step.function for step in steps} == {"add", "twice"}
    first = steps[0]
    assert first.file == "objects.py"
    assert first.function == "add"
    assert first.source == "for letter in tag:"
    assert first.signals
    assert any(step.previous.startswith("return from") for step in steps)
    assert not any(step.function == "twice" and step.visit > 1 for step in steps)


def test_an_action_may_make_a_call_of_the_same_code() -> None:
    target = Plain()
    for step in survey(target):
        inside: list[str] = []

        def act(inside: list[str] = inside) -> None:
            inside.append(target.add(None, "another"))

        assert At(FOLDER, step, act).run(lambda: target.add(None, TAG)) == TAG
        assert inside == ["another"]


@pytest.mark.parametrize(
    ("text", "large", "count"),
    [("all", True, 25), ("4", False, 25), ("4", True, 3), ("objects.py:0", True, 0)],
)
def test_the_environment_chooses_the_steps(
    text: str, large: bool, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    steps = survey(Plain())[:25]
    assert len(read_choice().pick(steps, large=large)) == count


def test_ten_numbers_cover_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = survey(Plain())
    found: list[Step] = []
    for number in range(739_000, 739_010):
        monkeypatch.setenv(VARIABLE, str(number))
        found += read_choice().pick(steps, large=True)
    assert len(found) == len(steps)
    assert set(found) == set(steps)


@pytest.mark.parametrize("text", ["some", "channel.py", ":3", "channel.py:x"])
def test_a_choice_that_is_none_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ValueError, match="must be all, a number or FILE:LINE"):
        read_choice()
