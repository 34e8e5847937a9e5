"""
Ways out of an error are pasted into a cell as they are, and lead out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import AccessDenied, DataTooBigError, LimitedProxyChaining
from duck_jupyter.session.api import own_session

if TYPE_CHECKING:
    from tests.support.workers import Worker

    from .cells import Cells

CHAIN = "from tests.support.objects import Chain\nchain = Chain()\n%share chain"


def newest_ways_out() -> list[tuple[str, str]]:
    """
    Give what the last error advises.
    """
    server = own_session().server
    assert server is not None
    return list(server.statistics().error_groups[0].ways_out)


def lines_of(ways: list[tuple[str, str]]) -> list[str]:
    """
    Give what there is to paste.
    """
    assert all(sentence.endswith(".") for sentence, _ in ways), ways
    return [line for _, line in ways if line]


def paste(cells: Cells, line: str) -> Any:
    """
    Run what was copied, and give what it shares or fetches.
    """
    value = cells.run(line)
    assert value is not None, line
    return value


def test_the_first_way_out_of_read_only_opens_one_name_and_keeps_the_rest(
    cells: Cells, worker: Worker
) -> None:
    cells.run("results = {'b': 2}")
    proxy = cells.run("%share results --readonly --max-chain 3")
    with pytest.raises(AccessDenied):
        worker.exec("p.update(a=1)", p=proxy)
    one, every = lines_of(newest_ways_out())
    opened = paste(cells, one)
    worker.exec("p.update(a=1)", p=opened)
    assert worker.eval("p.get('b')", p=opened) == 2
    with pytest.raises(AccessDenied):
        worker.exec("p.clear()", p=opened)
    assert lines_of(newest_ways_out())[0] == (
        "%share results --max-chain 3 --readonly --allow clear,update"
    )
    worker.exec("p.clear()", p=paste(cells, every))
    assert cells["results"] == {}


@pytest.mark.parametrize("options", ["", "--readonly --allow append"])
def test_each_way_out_of_a_cut_chain_leads_past_the_cut(
    cells: Cells, worker: Worker, options: str
) -> None:
    proxy = cells.run(f"{CHAIN} --max-chain 2 {options}")
    deep = "p.next.next.next.next.depth"
    with pytest.raises(LimitedProxyChaining) as caught:
        worker.eval(deep, p=proxy)
    fetched, function, limit = lines_of(newest_ways_out())
    assert fetched == "fetch(shared.chain)"
    assert function == (
        "def chain_steps():\n    return shared.chain.next.next.next\n%share chain_steps"
    )
    assert limit == f"%share chain --max-chain 5 {options}".rstrip()
    # The message gives the same line: another one would drop --readonly.
    assert f"raise the limit: {limit}, or" in str(caught.value)
    assert paste(cells, fetched).next.next.next.next.depth == 4
    assert worker.eval("p().next.depth", p=paste(cells, function)) == 4
    assert worker.eval(deep, p=paste(cells, limit)) == 4


def test_steps_that_are_not_told_whole_are_left_to_be_written(
    cells: Cells, worker: Worker
) -> None:
    proxy = cells.run(f"{CHAIN} --as links --max-chain 0")
    with pytest.raises(LimitedProxyChaining):
        worker.eval("p.step()", p=proxy)
    fetched, function, limit = lines_of(newest_ways_out())
    assert paste(cells, fetched).step().depth == 1
    assert function.splitlines()[1] == (
        "    return shared.links  # and the steps: .step()"
    )
    assert worker.eval("p().depth", p=paste(cells, function)) == 0
    assert limit == "%share links --max-chain 1"
    assert worker.eval("p.step().depth", p=paste(cells, limit)) == 1


def test_the_longest_chain_that_may_be_has_no_longer_one_for_a_way_out(
    cells: Cells, worker: Worker
) -> None:
    code = """
p = shared
for _ in range(1001):
    p = p.next
"""
    proxy = cells.run(f"{CHAIN} --max-chain 1000")
    with pytest.raises(LimitedProxyChaining):
        worker.exec(code, shared=proxy)
    assert not any("--max-chain" in line for line in lines_of(newest_ways_out()))


def test_each_way_out_of_an_answer_that_is_too_big_lets_it_pass(
    cells: Cells, worker: Worker
) -> None:
    cells.run("%config DuckJupyter.max_message = 100_000\nrows = [bytes(300_000)]")
    proxy = cells.run("%share rows")
    with pytest.raises(DataTooBigError):
        worker.eval("p[0]", p=proxy)
    fetched, limit = lines_of(newest_ways_out())
    assert fetched == "fetch(shared.rows)"
    assert paste(cells, fetched) == [bytes(300_000)]
    assert limit == "%config DuckJupyter.max_message = 524288\n%duck stop"
    cells.run(limit)
    assert worker.eval("len(p[0])", p=cells.run("%share rows")) == 300_000
