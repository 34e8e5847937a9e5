"""
Every exception survives the way to another process, and says what to do.
"""

from __future__ import annotations

import copy
import pickle
import re
import threading
from typing import Any

import pytest

import duck_jupyter
from duck_jupyter import detach, errors
from duck_jupyter.errors import (
    LimitedProxyChaining,
    ProxyError,
    RemoteTraceback,
    TaskInterrupted,
    WorkerDied,
)
from duck_jupyter.proxy import Frame, ProxyServer
from tests.support.raw import far

KINDS = [getattr(errors, name) for name in errors.__all__]
ALSO = {
    "AccessDenied": AttributeError,
    "DataDecodeError": ValueError,
    "DataEncodeError": TypeError,
    "HandshakeError": PermissionError,
    "KernelGone": ConnectionError,
    "NoBuffer": BufferError,
    "NotShareable": TypeError,
    "NotShared": LookupError,
    "ObjectNeeded": TypeError,
    "ProxyObjectNotFound": LookupError,
    "ProxyTimeout": TimeoutError,
}
#: Words of a sentence that asks its reader to do something.
ADVICE = re.compile(
    r"\b(share|give|pass|make|open it|call|take|send|raise|use|install|set)\b",
    re.IGNORECASE,
)


def make(kind: Any) -> Any:
    return kind(3, "Rolling") if kind is LimitedProxyChaining else kind("what happened")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_an_exception_keeps_its_type_arguments_and_attributes(
    kind: Any, protocol: int
) -> None:
    error = make(kind)
    error.hint = {"try": "this"}

    again = pickle.loads(pickle.dumps(error, protocol))

    assert type(again) is kind
    assert again.args == error.args
    assert again.__dict__ == error.__dict__
    assert str(again) == str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_can_be_copied(kind: Any) -> None:
    error = make(kind)
    for again in (copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert again.args == error.args


@pytest.mark.parametrize("kind", [k for k in KINDS if issubclass(k, ProxyError)])
@pytest.mark.parametrize("args", [(), ("one",), (1, "two")])
def test_an_exception_keeps_any_number_of_arguments(kind: Any, args: Any) -> None:
    if kind is LimitedProxyChaining:
        args = (2, *args[:1])
    error = kind(*args)
    again = pickle.loads(pickle.dumps(error))
    assert (again.args, str(again)) == (error.args, str(error))


def test_the_tree_has_one_root_and_everything_is_listed() -> None:
    kinds = {k for k in vars(errors).values() if isinstance(k, type)}
    assert kinds == set(KINDS)
    others = {k for k in kinds if not issubclass(k, ProxyError)}
    # Those of pools have nothing to do with a proxy.
    assert others == {RemoteTraceback, TaskInterrupted, WorkerDied}


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_is_imported_from_the_package(kind: Any) -> None:
    assert getattr(duck_jupyter, kind.__name__) is kind
    assert kind.__name__ in duck_jupyter.__all__


@pytest.mark.parametrize(("name", "base"), ALSO.items())
def test_an_exception_is_also_what_python_calls_it(name: str, base: Any) -> None:
    assert issubclass(getattr(errors, name), base)
    assert issubclass(getattr(errors, name), ProxyError)


def test_limited_proxy_chaining_is_made_of_facts() -> None:
    error = LimitedProxyChaining(7, "Rolling at df.groupby().rolling()")
    assert error.max_level == 7
    assert error.target_obj == "Rolling at df.groupby().rolling()"
    assert "df.groupby().rolling()" in str(error)
    assert "--max-chain 8" in str(error)
    assert LimitedProxyChaining(max_level=2).target_obj is None


class Model:
    """
    An object that goes by reference.
    """

    def __init__(self) -> None:
        self.inner: Model | None = None


def provoke(name: str) -> None:
    """
    Do what raises an exception of a kind.
    """
    model = Model()
    model.inner = Model()
    with ProxyServer(max_chain=0, max_message=100_000) as server:
        near = server.create_proxy(model, name="model", readonly=name == "read-only")
        with far(near) as proxy:
            if name == "AccessDenied":
                proxy.__secret__  # noqa: B018
            elif name == "LimitedProxyChaining":
                proxy.inner  # noqa: B018
            elif name == "DataEncodeError":
                proxy.x = threading.Lock()
            elif name == "DataTooBigError":
                proxy.x = b"x" * 200_000
            elif name == "DataDecodeError":
                proxy.get_response(Frame(9, [1]))
            elif name == "NotShareable":
                ProxyServer(bufsize=3)
            elif name == "ProxyObjectNotFound":
                server.remove_proxy(near)
            elif name == "ProxyClosed":
                detach(proxy)
            elif name == "KernelGone":
                server.close()
            proxy.x = 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("AccessDenied", errors.AccessDenied),
        ("read-only", errors.AccessDenied),
        ("LimitedProxyChaining", errors.LimitedProxyChaining),
        ("ProxyObjectNotFound", errors.ProxyObjectNotFound),
        ("DataEncodeError", errors.DataEncodeError),
        ("DataTooBigError", errors.DataTooBigError),
        ("ProxyClosed", errors.ProxyClosed),
        ("KernelGone", errors.KernelGone),
        ("NotShareable", errors.NotShareable),
    ],
)
def test_a_message_says_what_to_do(name: str, kind: Any) -> None:
    with pytest.raises(kind) as caught:
        provoke(name)
    assert ADVICE.search(str(caught.value)) or "must be" in str(caught.value)


@pytest.mark.parametrize("opcode", [-2, -1, 3, 99])
def test_only_requests_can_be_asked(server: ProxyServer, opcode: int) -> None:
    near = server.create_proxy(Model())
    with far(near) as proxy, pytest.raises(errors.DataDecodeError, match=str(opcode)):
        proxy.get_response(Frame(opcode, [1, 2, None]))
    if opcode > 0:
        with pytest.raises(errors.DataDecodeError, match=str(opcode)):
            server.handle_frame(near.get_shared_memory(), Frame(opcode, []))
