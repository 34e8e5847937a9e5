"""
Workers that end with their test, however it ends.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client import channel
from tests.processes.answers import Answers
from tests.support.pools import POOLS, open_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess

    Run = Callable[[Callable[..., Any], list[Any]], list[Any]]

JOIN_S = 20.0


class Crew:
    """
    The worker processes of one test.
    """

    def __init__(self, method: str) -> None:
        self.context: Any = multiprocessing.get_context(method)
        self.workers: list[BaseProcess] = []

    def start(self, job: Callable[..., Any], *args: Any) -> BaseProcess:
        """
        Start a worker.
        """
        worker: BaseProcess = self.context.Process(target=job, args=args)
        worker.start()
        self.workers.append(worker)
        return worker

    def join(self) -> None:
        """
        Wait until all have ended, each of them well.
        """
        for worker in self.workers:
            worker.join(JOIN_S)
        assert [worker.exitcode for worker in self.workers] == [0] * len(self.workers)

    def end(self) -> None:
        """
        End those that are still there.
        """
        for worker in self.workers:
            worker.kill()
            worker.join(JOIN_S)


@pytest.fixture(autouse=True)
def no_second_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let a lost bell cost so much, in forked workers too, that no test can miss it.
    """
    monkeypatch.setattr(channel, "RECHECK_S", 30.0)


@pytest.fixture
def crew() -> Iterator[Crew]:
    """
    Forked workers: they start at once, and inherit whatever is there.
    """
    crew = Crew("fork")
    yield crew
    crew.end()


@pytest.fixture
def spawned() -> Iterator[Crew]:
    """
    Workers that start with nothing.
    """
    crew = Crew("spawn")
    yield crew
    crew.end()


@pytest.fixture
def answers(crew: Crew) -> Answers:
    """
    Give what a worker of this test says.
    """
    return Answers(crew)


@pytest.fixture(scope="module", params=POOLS)
def run(request: pytest.FixtureRequest, own_folders: None) -> Iterator[Run]:
    """
    A pool of each kind, which was there before anything was shared.
    """
    with open_pool(request.param) as run:
        run(abs, [1, 2])
        yield run
