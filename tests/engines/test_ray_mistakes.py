"""
What is said where an object cannot be shared on a cluster of Ray.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import ray
from ray.util.client import ray as client

from duck_jupyter import share, shared
from duck_jupyter.errors import NotShareable
from tests.support.clusters import WAIT_S
from tests.support.processes import wait_until
from tests.support.ray_clusters import ray_cluster, submit

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_python,
    # Ray takes seconds to start, and a minute on a busy machine.
    pytest.mark.timeout(120),
]

SIZE = 10_000


@pytest.fixture
def array(session: Session) -> Any:
    """
    An array of the notebook.
    """
    return np.ones(SIZE)


def total(array: Any) -> float:
    return float(array.sum())


def test_ray_must_be_running(array: Any) -> None:
    with pytest.raises(NotShareable, match=r"Call ray\.init\(\) first") as caught:
        share(array, "array", on="ray")
    assert "\n" not in str(caught.value)
    assert not ray.is_initialized()


def test_a_client_of_ray_is_refused(
    array: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A real one needs gRPC, and a second cluster.
    monkeypatch.setattr(client, "is_connected", lambda: True)
    with pytest.raises(NotShareable, match=r"not by a Ray client \(ray://") as caught:
        share(array, "array", on=ray)
    assert "\n" not in str(caught.value)


def test_after_a_shutdown_the_object_must_be_shared_again(
    array: Any, session: Session
) -> None:
    with ray_cluster(1):
        share(array, "array", on=ray)
        assert submit(total, array).result(WAIT_S) == SIZE
    server = session.server
    assert server is not None
    idx = shared.array._duck_idx
    assert wait_until(lambda: not server.publisher.versions(idx).mapped, WAIT_S)
    with pytest.raises(NotShareable, match="Ray was shut down since") as caught:
        submit(total, array)
    assert "\n" not in str(caught.value)
    assert not ray.is_initialized()
    with ray_cluster(1):
        with pytest.raises(NotShareable, match="Ray was shut down since"):
            submit(total, array)
        share(array, "array", on=ray)
        assert submit(total, array).result(WAIT_S) == SIZE
        assert re.fullmatch("%share array --on ray", line_of(session))


def test_a_shutdown_that_was_imported_before_is_noticed(
    array: Any, session: Session
) -> None:
    imported = ray.shutdown
    with ray_cluster(1):
        share(array, "array", on=ray)
        assert submit(total, array).result(WAIT_S) == SIZE
        imported()
    with ray_cluster(1):
        with pytest.raises(NotShareable, match="Ray was shut down since"):
            submit(total, array)
        share(array, "array", on=ray)
        assert submit(total, array).result(WAIT_S) == SIZE


def line_of(session: Session) -> str:
    (name,) = session.names
    assert session.server is not None
    return name.terms.line(name.name, name.source, session.server)
