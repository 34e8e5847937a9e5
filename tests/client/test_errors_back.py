"""
What the object raises arrives as itself.
"""

from __future__ import annotations

import pickle
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import (
    DataEncodeError,
    ProxyClosed,
    ProxyError,
    ProxyObjectNotFound,
    RemoteError,
    RemoteTraceback,
)
from tests.support.objects import AwkwardError, CustomError, Plain, Room, Tally

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


def test_an_exception_brings_the_kernels_traceback_as_its_cause(
    server: ProxyServer, worker: Worker
) -> None:
    with pytest.raises(CustomError, match="bad") as caught:
        worker.eval("p.fail(CustomError, 'bad', 7)", p=server.create_proxy(Tally()))

    error = caught.value
    assert error.code == 7
    assert type(error.__cause__) is RemoteTraceback
    assert "raise kind(*args)" in str(error.__cause__)
    assert "duck_jupyter" not in str(error.__cause__)


@pytest.mark.parametrize(
    ("make", "call", "kind"),
    [
        (queue.Queue, "p.get(block=False)", queue.Empty),
        (threading.RLock, "p.acquire(timeout=-5)", ValueError),
    ],
)
def test_an_exception_of_what_may_block_has_no_other_as_its_context(
    server: ProxyServer,
    worker: Worker,
    make: Any,
    call: str,
    kind: type[BaseException],
) -> None:
    with pytest.raises(kind) as caught:
        worker.eval(call, p=server.create_proxy(make()))

    assert kind.__name__ in str(caught.value.__cause__)
    assert "another exception occurred" not in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "kind", [KeyError, StopIteration, GeneratorExit, KeyboardInterrupt, SystemExit]
)
def test_exceptions_that_python_itself_uses_arrive(
    server: ProxyServer, worker: Worker, kind: type[BaseException]
) -> None:
    proxy = server.create_proxy(Tally())
    with pytest.raises(kind) as caught:
        worker.eval("p.fail(kind, 3)", p=proxy, kind=kind)

    assert caught.value.args == (3,)
    assert worker.eval("p.add(1)", p=proxy) == 2


def test_an_exception_arrives_without_its_init(
    server: ProxyServer, worker: Worker
) -> None:
    def fail() -> None:
        try:
            raise KeyError("before")
        except KeyError as error:
            error.__cause__ = LookupError("first")
            raise AwkwardError("the first", two="the second") from error

    code = """
try:
    p()
except AwkwardError as error:
    cause = error.__cause__
    result = [
        error.args, error.two, error.__context__ is cause, repr(cause),
        repr(cause.__cause__), type(cause.__cause__.__cause__).__name__,
        "in fail" in str(cause.__cause__.__cause__),
    ]
"""
    found = worker.exec(code, p=server.create_proxy(fail))

    assert found == [
        *(("the first",), "the second", True, "KeyError('before')"),
        *("LookupError('first')", "RemoteTraceback", True),
    ]


def test_an_exception_arrives_in_the_kernel_without_its_init(
    server: ProxyServer, worker: Worker
) -> None:
    kept: list[Any] = []
    room = Room()
    code = """
error = AwkwardError("the first", two="the second")
error.__cause__ = KeyError("before")
p.append(error)
p.append([{"k": error}])
try:
    with q:
        raise error
except AwkwardError:
    pass
"""
    names = {"p": server.create_proxy(kept), "q": server.create_proxy(room)}
    worker.exec(code, **names)

    for error in (kept[0], kept[1][0]["k"]):
        assert (type(error), error.args, error.two) == (
            AwkwardError,
            ("the first",),
            "the second",
        )
        assert repr(error.__cause__) == "KeyError('before')"
    assert room.seen == ["in", "out: AwkwardError('the first')"]


def test_an_exception_is_a_value_with_all_it_has(
    server: ProxyServer, worker: Worker
) -> None:
    error: Any = AwkwardError("the first", two="")
    error.two = [Tally(3)]
    error.__cause__ = KeyError("before")
    code = """
error = p[0]["k"]
result = error.args, error.two[0].count(), repr(error.__cause__)
"""
    found = worker.exec(code, p=server.create_proxy([{"k": error}]))

    assert found == (("the first",), 4, "KeyError('before')")
    assert error.two[0].value == 4


def test_what_cannot_be_rebuilt_arrives_as_its_text(
    server: ProxyServer, worker: Worker
) -> None:
    def fail() -> None:
        error: Any = AwkwardError("the first", two="the second")
        error.part = Unloadable()
        raise error

    with pytest.raises(RemoteError, match="AwkwardError: the first") as caught:
        worker.eval("p()", p=server.create_proxy(fail))

    assert isinstance(caught.value, ProxyError)
    assert "AwkwardError" in str(caught.value.__cause__)


class Unloadable:
    """
    It can be pickled, and not rebuilt.
    """

    def __reduce__(self) -> Any:
        return int, ("not a number",)


def test_of_an_exception_what_cannot_be_pickled_is_left_out_and_named(
    server: ProxyServer, worker: Worker
) -> None:
    def fail() -> None:
        error: Any = AwkwardError("the first", two="the second")
        error.args = "with a lock", threading.Lock()
        error.lock = threading.Lock()
        raise error

    code = """
try:
    p()
except AwkwardError as error:
    text = error.args[1]
    result = error.args[0], "lock object" in text, vars(error)
"""
    note = "These attributes of the exception could not be pickled: args, lock."
    found = worker.exec(code, p=server.create_proxy(fail))

    assert found == ("with a lock", True, {"two": "the second", "__notes__": [note]})


class Silent(Exception):
    """
    An exception whose text cannot be made.
    """

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_exception_without_a_text_arrives(
    server: ProxyServer, worker: Worker
) -> None:
    def fail() -> None:
        raise Silent

    with pytest.raises(Silent):
        worker.eval("p()", p=server.create_proxy(fail))


class Hostile:
    """
    Whatever is asked of it, it raises.
    """

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no eq")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")


def test_a_hostile_object_disturbs_nobody(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Hostile())
    for code in ("p.name", "p == 1", "hash(p)", "p != p"):
        with pytest.raises(RuntimeError, match="no "):
            worker.eval(code, p=proxy)
    found = worker.eval(
        "repr(p.me), p.add(1)", p=server.create_proxy(holder(Hostile()))
    )

    assert found == ("<proxy>-3 Hostile, level 1", 2)
    assert server.statistics().proxies[0].type == "Hostile"


def holder(target: object) -> Tally:
    """
    Make something that has a target.
    """
    tally = Tally()
    tally.me = target  # type: ignore[attr-defined]
    return tally


def test_arguments_that_cannot_be_sent_are_refused_before_they_are(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally())
    code = "p.echo(threading.Lock())"
    with pytest.raises(DataEncodeError, match="lock"):
        worker.eval(code, p=proxy)

    assert worker.eval("p.add(1)", p=proxy) == 2


def test_a_connection_of_another_thread_says_what_to_do(
    server: ProxyServer, worker: Worker
) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        with pytest.raises(sqlite3.ProgrammingError, match="check_same_thread=False"):
            worker.eval("p.execute('select 1')", p=server.create_proxy(connection))
    finally:
        connection.close()


def test_a_connection_for_all_threads_works(
    server: ProxyServer, worker: Worker
) -> None:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    code = """
p.execute("create table t (n)")
p.executemany("insert into t values (?)", [(1,), (2,)])
result = p.execute("select * from t").fetchall(), p.total_changes
"""
    try:
        assert worker.exec(code, p=server.create_proxy(connection)) == ([(1,), (2,)], 2)
    finally:
        connection.close()


def test_a_closed_proxy_says_so(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally())
    with pytest.raises(ProxyClosed, match="Use a new proxy"):
        worker.exec("detach(p); p.value", p=proxy)

    code = "detach(p); detach(p); result = repr(p)"
    assert worker.exec(code, p=proxy) == "<closed proxy>"
    assert worker.eval("p.value", p=proxy) == 0


def test_an_unshared_object_is_not_found(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally())
    data = pickle.dumps(proxy)
    server.remove_proxy(proxy)

    for code in ("p.value", "p.add(1)", "len(p.x)", "p[0]"):
        with pytest.raises(ProxyObjectNotFound, match="unshared"):
            worker.eval(code, p=pickle.loads(data))
    with pytest.raises(ProxyObjectNotFound):
        _ = proxy.value


def test_a_retargeted_proxy_is_the_new_object_for_all(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Plain(value=1), name="x")
    new = server.retarget(proxy, [5, 6])

    assert worker.eval("p.index(6)", p=proxy) == 1
    assert worker.eval("len(p), list(p)", p=new) == (2, [5, 6])
    assert worker.eval("repr(p)", p=new) == "<proxy>-1 list [5, 6]"
