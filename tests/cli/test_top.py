"""
``jupyter duck top`` in a real terminal, beside real kernels.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.cli.screen import KEYS, PAGE_KEYS
from tests.magics.kernels import Kernel
from tests.support.processes import wait_until

from .commands import duck, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.monitor.fronts import Front
    from tests.support.workers import Worker

    from .commands import Terminal

pytestmark = pytest.mark.slow

CALL = """
import pickle
proxy = pickle.loads(bytes.fromhex(data))
for _ in range(times):
    proxy["depth"]
for key in lost:
    try:
        proxy[key]
    except KeyError:
        pass
"""
#: Codes that would name the window and clear the screen, and what is shown of them.
CODE = "\x1b]0;owned\x07\x1b[2J\x9b31m"
SHOWN = r"\x1b]0;owned\x07\x1b[2J\x9b31m"
HOSTILE = f"""
class Victim:
    def boom(self):
        raise ValueError({CODE!r})
Victim.__name__ = {CODE!r}
victim = Victim()
%share victim
"""
BOOM = """
import pickle
proxy = pickle.loads(bytes.fromhex(data))
try:
    proxy.boom()
except ValueError:
    pass
"""
NOTEBOOK = "/home/someone/notebooks/analysis.ipynb"


@pytest.fixture
def calls(front: Front, worker: Worker) -> Worker:
    """
    A worker that has called and has met an error, of one kernel.
    """
    data = front.kernel.value("__import__('pickle').dumps(shared.config).hex()")
    worker.exec(CALL, data=data, times=30, lost=["a", "a"])
    return worker


@pytest.fixture
def top(calls: Worker) -> Iterator[Terminal]:
    """
    The only kernel in a terminal of 80 columns and 24 lines.
    """
    with terminal("top") as shown:
        shown.frame("Serving 1 object to 1 worker", KEYS)
        yield shown


def row_of(lines: list[str], begin: str) -> str:
    """
    Give the first line that begins so, chosen or not.
    """
    return next(text for line in lines if (text := line.lstrip("> ")).startswith(begin))


def test_what_matters_of_an_object_is_on_a_small_screen(top: Terminal) -> None:
    assert top.size == (80, 24)
    lines = top.frame("config", "KeyError: 'a'")
    assert lines[-1] == KEYS
    assert lines[3].split() == [
        *("Object", "Calls/s", "Waiting", "Buffer", "fill", "Last", "error"),
    ]
    row = row_of(lines, "config ")
    name, _rate, waiting, bar, share, sign, *error = row.split()
    assert (name, waiting, sign, error) == ("config", "0", "%", ["KeyError:", "'a'"])
    assert len(bar) == 8
    assert share == "<1"
    assert "32 calls" in "\n".join(lines)


def test_workers_and_errors_are_a_key_away(top: Terminal, worker: Worker) -> None:
    top.type("\t")
    lines = top.frame("Process", "Connected for")
    assert row_of(lines, str(worker.pid))
    top.type("\t")
    lines = top.frame("Times", "KeyError: 'a'")
    assert row_of(lines, "×2").split()[1] == "config"  # noqa: RUF001 - times
    top.type("\x1b[Z")
    top.frame("Process")
    top.type("\x1b[D")
    top.frame("Buffer fill")


def test_an_error_opens_with_its_traceback_and_closes(top: Terminal) -> None:
    top.type("e\r")
    lines = top.frame("Traceback (most recent call last)", PAGE_KEYS)
    assert lines[3] == "KeyError: 'a'"
    # A lone escape is a key, though an arrow begins with one.
    top.type("\x1b")
    top.frame("Times", KEYS)


def test_the_help_says_what_keys_do_and_closes(top: Terminal) -> None:
    top.type("?")
    lines = top.frame("q, Ctrl-C      quit", PAGE_KEYS)
    assert any("objects of the same path" in line for line in lines)
    top.type("?")
    top.frame("Buffer fill", KEYS, without="quit; the kernel goes on")


def test_rows_are_chosen_with_arrows(front: Front, top: Terminal) -> None:
    front.kernel.run("others = [[n] for n in range(30)]")
    names = ", ".join(f"part_{n}" for n in range(30))
    front.kernel.run(f"{names} = others\n%share {names}")
    lines = top.frame("part_3 ", "> config")
    assert row_of(lines, "part_0 ")
    top.type("\x1b[B\x1b[B")
    top.frame("> part_1 ", "part_1: list 1 item")
    top.type("\x1b[F")
    lines = top.frame("> part_29 ", "part_29: list 1 item", without="> part_1 ")
    assert not any("config" in line for line in lines[4:])
    top.type("\x1b[H")
    top.frame("> config")


def test_it_is_live_and_follows_the_size_of_the_window(
    front: Front, top: Terminal
) -> None:
    front.kernel.run("another = [1]\n%share another")
    top.frame("another")
    top.resize(150, 40)
    lines = top.frame("Versions" if top.size[0] >= 160 else "Type", "another")
    assert len(lines) == 40
    top.resize(60, 10)
    assert len(top.frame("config", without="Type")) == 10


def test_q_ends_it_and_leaves_the_terminal_as_it_was(top: Terminal) -> None:
    assert not top.echoes
    top.type("q")
    assert top.end() == 0
    assert top.shown.count("\x1b[?1049h") == top.shown.count("\x1b[?1049l") == 1
    assert top.shown.rindex("\x1b[?25h") > top.shown.rindex("\x1b[?25l")


@pytest.mark.parametrize("page", ["", "?", "e\r"])
def test_ctrl_c_ends_it_with_status_0(front: Front, top: Terminal, page: str) -> None:
    top.type(page)
    top.type("\x03")
    assert top.end() == 0
    assert "Traceback" not in top.shown.rpartition("\x1b[?1049l")[2]
    assert wait_until(lambda: not front.is_ticking)


def test_an_interrupt_from_elsewhere_is_the_same(top: Terminal) -> None:
    top.process.send_signal(signal.SIGINT)
    assert top.end() == 0


def test_the_terminal_takes_lines_again_afterwards(top: Terminal) -> None:
    top.type("\x03")
    top.end()
    assert top.echoes


def test_ctrl_z_does_not_leave_a_broken_screen(top: Terminal) -> None:
    top.type("\x1a?")
    top.frame("q, Ctrl-C      quit")


def test_codes_of_names_types_and_errors_do_not_reach_the_terminal(
    front: Front, worker: Worker
) -> None:
    front.kernel.run(HOSTILE)
    data = front.kernel.value("__import__('pickle').dumps(shared.victim).hex()")
    worker.exec(BOOM, data=data)
    with terminal("top", size=(200, 50)) as shown:
        shown.frame("victim", SHOWN, f"ValueError: {SHOWN}")
        shown.type("e\r")
        shown.frame(f"ValueError: {SHOWN}", PAGE_KEYS)
        shown.type("q")
        assert shown.end() == 0
        assert "owned\x07" not in shown.shown
        assert "\x1b]" not in shown.shown
        assert "\x9b" not in shown.shown
    once = duck("top", "--once").stdout
    assert once.replace("\n", "").isprintable()
    assert f"ValueError: {SHOWN}" in once
    text = duck("top", "--json", "--once").stdout
    assert text.rstrip("\n").isprintable()
    found = json.loads(text)
    assert found["errors"][0]["message"] == CODE


def test_without_keys_it_is_shown_all_the_same(calls: Worker) -> None:
    with terminal("top", keys=False) as shown:
        shown.frame("config", "Ctrl-C quits")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 0


def test_of_several_kernels_one_is_chosen_by_its_notebook(front: Front) -> None:
    with Kernel(env={"JPY_SESSION_NAME": NOTEBOOK}) as other:
        other.run("%load_ext duck_jupyter\nsecond = 'two'\n%share second")
        with terminal("top") as shown:
            shown.until("Which kernel")
            assert "1  analysis.ipynb  second; 0 workers" in shown.shown
            shown.type("1\n")
            lines = shown.frame("second")
            assert lines[2].endswith("analysis.ipynb")
            shown.type("q")
            assert shown.end() == 0
        for quits in ("\x03", "\x04"):
            with terminal("top") as shown:
                shown.until("Which kernel")
                shown.rest()
                shown.type(quits)
                assert shown.end() == 0
                assert "Traceback" not in shown.shown


@pytest.mark.parametrize("columns", [40, 80])
def test_a_path_is_never_broken_in_a_list(front: Front, columns: int) -> None:
    file = front.kernel.manager.connection_file
    assert len(file) > columns
    with terminal("list", size=(columns, 24)) as shown:
        assert shown.end() == 0
        lines = shown.shown.split("\r\n")
    assert lines[1].strip() == file
    assert lines[0].split()[0] == Path(file).stem.removeprefix("kernel-")
    assert Path(lines[1].strip()).exists()
