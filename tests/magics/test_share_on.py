"""
%share with a cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from distributed import Client, LocalCluster
from IPython.core.error import UsageError

from duck_jupyter.session.api import own_session

from .cells import uncoloured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cells import Cells

pytestmark = pytest.mark.slow

HOW: dict[str, Any] = {
    "processes": False,
    "n_workers": 1,
    "dashboard_address": ":0",
}


@pytest.fixture
def filled(cells: Cells, capsys: pytest.CaptureFixture[str]) -> Iterator[Cells]:
    """
    A notebook with a client, an array and a collection of Dask.
    """
    with LocalCluster(**HOW) as cluster, Client(cluster):
        cells.run(
            "import numpy, dask.array\n"
            "from distributed import default_client\n"
            "client = default_client()\n"
            "array = numpy.ones(10_000)\n"
            "whole = dask.array.ones(10, chunks=5)"
        )
        capsys.readouterr()
        yield cells
        own_session().stop()


@pytest.mark.parametrize("word", ["dask", "client"])
def test_tasks_get_the_variable_itself(
    filled: Cells, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    filled.run(f"%share array --on {word}\nclient.submit(numpy.sum, array).result()")
    printed = uncoloured(capsys.readouterr().out)
    assert "; tasks of the cluster get their own copy of array" in printed
    assert "10000.0" in printed
    session = own_session()
    (shared,) = session.names
    assert session.server is not None
    line = shared.terms.line("array", shared.source, session.server)
    assert line == "%share array --on dask"


def test_what_is_on_a_cluster_is_seen_and_says_when_it_leaves(
    filled: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.run("%share array --on dask")
    filled.run("%share")
    assert "live, on dask" in uncoloured(capsys.readouterr().out)
    filled.run("%share array --readonly")
    printed = uncoloured(capsys.readouterr().out)
    assert "; it is no longer on dask (to keep it there, add --on)" in printed
    filled.run("%share")
    assert "on dask" not in uncoloured(capsys.readouterr().out)


def test_a_name_follows_its_variable_on_the_cluster(
    filled: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.run("%share array --on dask")
    filled.run("array = numpy.full(10_000, 2.0)")
    filled.run("client.submit(numpy.sum, array).result()")
    assert "20000.0" in capsys.readouterr().out
    filled.run("del array")
    assert not own_session().names


def test_a_collection_is_live_only(
    filled: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    filled.run("%share whole")
    printed = uncoloured(capsys.readouterr().out)
    assert "on the cluster already, so pass whole to tasks as it is" in printed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "%share array --on far",
            "not 'far', which is no variable .* Client[(]ADDRESS",
        ),
        ("%share array --on Dask", "no variable here. Did you mean dask[?]"),
        ("share(array, name='array', on=client)", "from duck_jupyter import share$"),
        ("%share array --insecure", "insecure must be used with on"),
        ("%share array --on dask --inplace", "either on a cluster or with --inplace"),
        ("%share whole --on dask", "Pass 'whole' to tasks as it is"),
        ("%share --on dask", "must be given the name of a variable"),
    ],
)
def test_a_mistake_is_one_line(filled: Cells, line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        filled.run(line)
    assert "\n" not in str(caught.value)
