"""
Session and the functions of scripts: share, unshare, shared.
"""

from __future__ import annotations

import copy
import json
import pickle
import threading
from typing import TYPE_CHECKING, Any

import pytest

import duck_jupyter
from duck_jupyter import (
    KernelGone,
    NotShareable,
    NotShared,
    locked,
    share,
    shared,
    statistics,
    unshare,
)
from duck_jupyter.proxy import ProxyServer
from tests.support.processes import run_python

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session

MISTAKES: list[tuple[Any, str, dict[str, Any]]] = [
    (json, "json", {}),
    (shared, "all", {}),
    ([], "_hidden", {}),
    ([], "", {}),
    ([], "two\nlines", {}),
    ([], "x", {"bufsize": 3}),
    ([], "x", {"max_chain": -1}),
    ([], "x", {"allow": ["no name"]}),
]


def test_a_shared_object_is_reached_by_its_name(session: Session) -> None:
    numbers = [1, 2]
    proxy = share(numbers, name="numbers")
    shared.numbers.append(3)
    assert numbers == [1, 2, 3]
    assert shared.numbers is proxy
    assert shared["numbers"] is proxy


def test_names_need_be_no_identifiers(session: Session) -> None:
    share([1], name="my name")
    assert shared["my name"][0] == 1
    assert list(shared) == ["my name"]
    assert dir(shared) == []


def test_shared_says_what_is_in_it(session: Session) -> None:
    assert repr(shared) == "<shared: nothing yet>"
    assert not shared
    share([1], name="numbers")
    share({}, name="cfg")
    assert repr(shared) == "<shared: numbers (list), cfg (dict)>"
    assert dir(shared) == ["cfg", "numbers"]
    assert (len(shared), "cfg" in shared, "x" in shared) == (2, True, False)


@pytest.mark.parametrize(("obj", "name", "terms"), MISTAKES)
def test_a_mistake_changes_nothing(
    session: Session, obj: Any, name: str, terms: dict[str, Any]
) -> None:
    with pytest.raises(NotShareable):
        share(obj, name, **terms)
    assert session.server is None
    assert not shared


def test_a_proxy_is_not_shared_again(session: Session) -> None:
    proxy = share([1], name="numbers")
    with pytest.raises(NotShareable, match="is already a proxy"):
        share(proxy, name="again")


def test_a_name_that_is_not_shared_is_no_attribute(session: Session) -> None:
    share([1], name="numbers")
    with pytest.raises(NotShared, match="Did you mean numbers"):
        _ = shared.nubers
    with pytest.raises(NotShared):
        _ = shared["nubers"]
    assert not hasattr(shared, "nubers")


def test_shared_names_cannot_be_set(session: Session) -> None:
    share([1], name="numbers")
    with pytest.raises(NotShareable, match="assign"):
        shared.numbers = [2]
    with pytest.raises(NotShareable):
        shared["other"] = [2]
    assert list(shared.numbers) == [1]


def test_an_in_place_operator_changes_the_object(session: Session) -> None:
    numbers = [1]
    share(numbers, name="numbers")
    shared.numbers += [2]
    assert numbers == [1, 2]


def test_sharing_again_on_the_same_terms_goes_on_with_the_new_object(
    session: Session,
) -> None:
    before: Any = share([1], name="numbers")
    after: Any = share([1, 2], name="numbers", bufsize=4096)
    assert list(before) == list(after) == [1, 2]


def test_sharing_again_on_other_terms_replaces_the_old_proxy(session: Session) -> None:
    numbers = [1]
    before = share(numbers, name="numbers")
    share(numbers, name="numbers", readonly=True)
    with pytest.raises(duck_jupyter.ProxyObjectNotFound):
        len(before)
    with pytest.raises(duck_jupyter.AccessDenied):
        shared.numbers.append(2)
    assert [known.name for known in session.names] == ["numbers"]


def test_allowed_names_may_be_given_as_one_word(session: Session) -> None:
    share([1], name="numbers", allow="append, pop")
    shared.numbers.append(2)
    with pytest.raises(duck_jupyter.AccessDenied):
        shared.numbers.clear()


def test_unshare_takes_names_and_proxies(session: Session) -> None:
    first = share([1], name="first")
    share([2], name="second")
    unshare(first, "second")
    assert not shared


def test_unshare_of_an_object_asks_for_a_name_or_a_proxy(session: Session) -> None:
    numbers = [1]
    share(numbers, name="numbers")
    own_name = r"not an object of type list.* Write unshare\('numbers'\)\.$"
    with pytest.raises(NotShared, match=own_name):
        unshare(numbers)  # type: ignore[arg-type]
    any_name = r"not an object of type dict.* Write unshare\('NAME'\)\.$"
    with pytest.raises(NotShared, match=any_name):
        unshare({})  # type: ignore[arg-type]
    assert list(shared) == ["numbers"]


def test_statistics_are_those_of_the_server_of_this_process(session: Session) -> None:
    with pytest.raises(NotShared, match=r"Share an object first: %share NAME"):
        statistics()
    share([1], name="numbers")
    (counted,) = statistics().proxies
    assert counted.path == "numbers"
    session.stop()
    with pytest.raises(NotShared):
        statistics()


def test_locked_with_the_object_itself_says_which_proxy_is_meant(
    session: Session,
) -> None:
    numbers = [1]
    with pytest.raises(NotShareable, match=r"first with %share NAME"):
        locked(numbers)  # type: ignore[type-var]
    share(numbers, name="numbers")
    with pytest.raises(NotShareable, match=r"Write locked\(shared\.numbers\)\.$"):
        locked(numbers)  # type: ignore[type-var]
    with pytest.raises(NotShareable, match=r"first with %share NAME"):
        locked([1])  # type: ignore[type-var]


def test_a_proxy_of_a_stopped_server_says_that_it_ended_and_nothing_else(
    session: Session,
) -> None:
    proxy: Any = share([1], name="numbers")
    session.stop()
    with pytest.raises(KernelGone, match="Share the object again") as caught:
        len(proxy)
    assert caught.value.__context__ is None


def test_unshare_takes_all_or_nothing(session: Session) -> None:
    share([1], name="first")
    with pytest.raises(NotShared, match="nothing to unshare"):
        unshare("first", "second")
    with ProxyServer() as other, pytest.raises(NotShared):
        unshare(other.create_proxy([1]))
    assert list(shared) == ["first"]


def test_what_is_unshared_is_let_go(session: Session) -> None:
    gone = threading.Event()

    class Told:
        def __del__(self) -> None:
            gone.set()

    share(Told(), name="told")
    assert not gone.is_set()
    del shared.told
    assert gone.wait(5)


def test_a_stopped_session_starts_again(session: Session) -> None:
    share([1], name="numbers")
    first = session.server
    session.stop()
    session.stop()
    assert repr(session) == "<Session without a server>"
    share([1], name="numbers")
    assert session.server is not first
    assert repr(session) == "<Session sharing numbers>"


def test_a_server_that_somebody_closed_takes_its_names_along(session: Session) -> None:
    share([1], name="numbers")
    assert session.server is not None
    session.server.close()
    assert not shared
    share([2], name="numbers")
    assert shared.numbers[0] == 2


def test_threads_share_at_the_same_time(session: Session) -> None:
    def work(number: int) -> None:
        for _ in range(50):
            share([number], name=f"n{number}")
            assert shared[f"n{number}"][0] == number

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shared) == 8


def test_shared_pickles_and_copies_as_the_one_of_its_process(session: Session) -> None:
    assert pickle.loads(pickle.dumps(shared)) is shared
    assert copy.copy(shared) is shared
    assert copy.deepcopy(shared) is shared


@pytest.mark.slow
def test_a_script_needs_no_notebook() -> None:
    """
    Sharing works without IPython, and the end of the script ends the server.
    """
    code = (
        "import sys, threading\n"
        "from duck_jupyter import share, shared\n"
        "share({'n': 1}, name='cfg')\n"
        "print(shared.cfg['n'], 'IPython' in sys.modules)\n"
    )
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("1 False\n", "")


def test_every_public_name_is_there_and_no_other() -> None:
    for name in duck_jupyter.__all__:
        assert getattr(duck_jupyter, name) is not None
    assert set(duck_jupyter.__all__) <= set(dir(duck_jupyter))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = duck_jupyter.nonsense


@pytest.mark.parametrize("how", ["retarget", "replace", "unshare", "stop"])
def test_nothing_is_locked_while_an_object_goes(session: Session, how: str) -> None:
    """
    Its ``__del__`` may wait for another thread that uses shared names.
    """
    done: list[bool] = []

    class Waits:
        def __del__(self) -> None:
            thread = threading.Thread(target=lambda: share([0], name="other"))
            thread.start()
            thread.join(5)
            done.append(not thread.is_alive())

    share(Waits(), name="waits")
    if how == "retarget":
        share([1], name="waits")
    elif how == "replace":
        share([1], name="waits", readonly=True)
    elif how == "unshare":
        unshare("waits")
    else:
        session.stop()
    assert done == [True]
