"""
What a viewer may ask to be done.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import share, shared
from duck_jupyter.monitor.commands import MOST_DONE, Commands
from duck_jupyter.session.observe import snapshot_of
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session
    from tests.support.workers import Worker


@pytest.fixture
def commands(session: Session) -> Commands:
    """
    The commands of this process's session.
    """
    return Commands(session)


def command(key: str, name: str, **args: Any) -> dict[str, Any]:
    """
    Make a command as a front end does.
    """
    return {"id": key, "name": name, "args": args}


def test_a_name_is_unshared(commands: Commands) -> None:
    share([1], name="one")
    share([2], name="two")
    assert commands.do(command("a", "unshare", object="one")) == {
        "id": "a",
        "status": "ok",
    }
    assert list(shared) == ["two"]
    assert commands.done() == ["a"]


def test_what_is_gone_already_was_to_be_gone(commands: Commands) -> None:
    assert commands.do(command("a", "unshare", object="one"))["status"] == "ok"


def test_all_is_unshared(commands: Commands) -> None:
    for name in ("one", "two", "three"):
        share([1], name=name)
    assert commands.do(command("a", "unshare_all"))["status"] == "ok"
    assert list(shared) == []
    assert commands.do(command("b", "unshare_all"))["status"] == "ok"


def test_a_command_that_comes_twice_is_done_once(commands: Commands) -> None:
    share([1], name="one")
    first = commands.do(command("a", "unshare", object="one"))
    share([1], name="one")
    assert commands.do(command("a", "unshare", object="one")) == first
    assert list(shared) == ["one"]
    assert commands.done() == ["a"]


def test_the_same_command_in_many_threads_is_done_once(
    commands: Commands, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(session, "unshare", calls.append)
    barrier = threading.Barrier(8)

    def send() -> None:
        barrier.wait(10)
        commands.do(command("a", "unshare", object="one"))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert calls == [["one"]]


def test_the_largest_frame_is_forgotten(
    commands: Commands, session: Session, worker: Worker
) -> None:
    one, two = share({"a": "x" * 3_500}, name="one"), share({}, name="two")
    worker.exec(
        "one['a']; len(one); two['b'] = 'y' * 3_000; len(two)", one=one, two=two
    )

    def peaks() -> list[int]:
        return [row.peak for row in snapshot_of(session).objects]

    assert wait_until(lambda: snapshot_of(session).totals.executes == 4)
    assert [peak > 1_000 for peak in peaks()] == [True, True]
    idx = one._duck_idx
    assert commands.do(command("a", "reset_peaks", idx=idx))["status"] == "ok"
    assert [peak > 1_000 for peak in peaks()] == [False, True]
    assert commands.do(command("b", "reset_peaks"))["status"] == "ok"
    assert [peak > 1_000 for peak in peaks()] == [False, False]


def test_the_largest_frames_of_one_row_are_forgotten_together(
    commands: Commands, session: Session, worker: Worker
) -> None:
    """
    A row of the view stands for all objects of one path.
    """
    proxies = [share({"a": "x" * 3_500}, name=name) for name in ("one", "two", "three")]
    for proxy in proxies:
        worker.exec("p['a']; len(p)", p=proxy)

    def peaks() -> list[bool]:
        return [row.peak > 1_000 for row in snapshot_of(session).objects]

    assert wait_until(lambda: snapshot_of(session).totals.executes == 6)
    row = [proxy._duck_idx for proxy in proxies[:2]]
    assert commands.do(command("a", "reset_peaks", idx=row))["status"] == "ok"
    assert peaks() == [False, False, True]


def test_without_a_server_there_is_nothing_to_do(commands: Commands) -> None:
    assert commands.do(command("a", "reset_peaks"))["status"] == "ok"
    assert commands.do(command("b", "unshare_all"))["status"] == "ok"


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "unshare",
        [],
        {},
        {"id": "a"},
        {"name": "unshare"},
        command("a", "shutdown"),
        {"id": 1, "name": "unshare", "args": {"object": "one"}},
        {"id": "a", "name": {}, "args": {}},
        {"id": "a", "name": "unshare", "args": "one"},
    ],
    ids=repr,
)
def test_what_is_no_command_is_refused(commands: Commands, wrong: Any) -> None:
    answer = commands.do(wrong)
    assert (answer["id"], answer["status"]) == (None, "error")
    assert answer["message"].endswith("is not a command of the monitor.")
    assert commands.done() == []


def test_a_command_that_fails_is_answered_and_not_done_again(
    commands: Commands,
) -> None:
    answer = commands.do(command("a", "unshare"))
    assert (answer["id"], answer["status"]) == ("a", "error")
    assert "object" in answer["message"]
    assert commands.do(command("a", "unshare", object="x")) == answer


def test_an_error_of_the_object_is_no_error_of_the_monitor(
    commands: Commands, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(names: Any) -> None:
        raise RuntimeError("on fire")

    monkeypatch.setattr(session, "unshare", fail)
    answer = commands.do(command("a", "unshare", object="one"))
    assert answer["message"] == "RuntimeError: on fire"


def test_so_many_ids_are_kept(commands: Commands) -> None:
    for i in range(MOST_DONE + 10):
        commands.do(command(str(i), "unshare_all"))
    assert commands.done() == [str(i) for i in range(10, MOST_DONE + 10)]
