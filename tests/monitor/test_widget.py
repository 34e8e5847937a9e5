"""
The live view as a widget, in a real kernel: what its front end hears and says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from duck_jupyter.monitor._widget import state_to_save
from duck_jupyter.session.snapshot import as_plain
from tests.support.processes import wait_until
from tests.support.snapshots import golden

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workers import Worker

    from .fronts import Front

pytestmark = pytest.mark.slow

VIEW = "application/vnd.jupyter.widget-view+json"
READ = """
import pickle
proxy = pickle.loads(bytes.fromhex(data))
for _ in range(times):
    proxy["depth"]
"""


class Widget:
    """
    The model of a shown monitor, as a front end has it.
    """

    def __init__(self, front: Front) -> None:
        self.front = front
        key = front.begin("%duck monitor")
        opened = front.hear(lambda m: is_opening(m, "snapshot"))
        self.comm = opened["content"]["comm_id"]
        self.state: dict[str, Any] = opened["content"]["data"]["state"]
        shown = front.hear(lambda m: m["msg_type"] == "execute_result")
        self.bundle: dict[str, Any] = shown["content"]["data"]
        front.end(key)

    def say(self, subshell: str | None = None, **content: Any) -> None:
        """
        Send what a view says.
        """
        client = self.front.client
        data = {"method": "custom", "content": content}
        message = client.session.msg("comm_msg", {"comm_id": self.comm, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        client.shell_channel.send(message)

    def hear(self, kind: str) -> Any:
        """
        Wait for the next message to the views of a kind.
        """
        found = self.front.hear(lambda m: self.is_ours(m, "custom", kind))
        return found["content"]["data"]["content"][kind]

    def is_ours(self, message: dict[str, Any], method: str, kind: str = "") -> bool:
        """
        Tell whether a message goes to this widget.
        """
        if message["msg_type"] != "comm_msg":
            return False
        content = message["content"]
        if content["comm_id"] != self.comm or content["data"]["method"] != method:
            return False
        return not kind or content["data"]["content"]["kind"] == kind

    def tick(self) -> dict[str, Any]:
        """
        Wait for the next snapshot.
        """
        tick: dict[str, Any] = self.hear("snapshot")
        return tick

    def close(self) -> None:
        """
        End it, and wait until nothing of it runs.
        """
        self.front.kernel.run("import ipywidgets; ipywidgets.Widget.close_all()")
        assert wait_until(lambda: not self.front.is_ticking)


def is_opening(message: dict[str, Any], trait: str) -> bool:
    """
    Tell whether a message opens a widget that has a trait.
    """
    if message["msg_type"] != "comm_open":
        return False
    return trait in message["content"]["data"].get("state", {})


def test_it_is_shown_with_text_and_html_beside_it(front: Front) -> None:
    widget = Widget(front)
    assert widget.bundle[VIEW]["model_id"] == widget.comm
    assert widget.bundle["text/plain"].startswith("Serving 1 object")
    assert "<table" in widget.bundle["text/html"]
    assert widget.state["snapshot"]["whole"]
    assert widget.state["snapshot"]["objects"][0]["path"] == "config"
    assert not front.is_ticking
    widget.close()


def test_it_ticks_while_a_view_is_visible(front: Front) -> None:
    widget = Widget(front)
    widget.say(kind="ready", view="a")
    assert widget.tick()["whole"]
    assert not widget.tick()["whole"]
    widget.say(kind="hidden", view="a")
    assert wait_until(lambda: not front.is_ticking)
    front.drain()
    front.kernel.run("pass")
    assert not [m for m in front.drain() if widget.is_ours(m, "custom")]
    widget.say(kind="visible", view="a")
    assert widget.tick()["whole"]
    widget.close()


def test_it_ticks_as_long_as_one_of_two_views_is_visible(front: Front) -> None:
    widget = Widget(front)
    widget.say(kind="ready", view="a")
    widget.say(kind="ready", view="b")
    assert widget.tick()["whole"]
    widget.say(kind="hidden", view="a")
    front.drain()
    assert widget.tick()
    widget.say(kind="hidden", view="b")
    assert wait_until(lambda: not front.is_ticking)
    widget.close()


def test_two_widgets_are_two_viewers(front: Front) -> None:
    one, two = Widget(front), Widget(front)
    assert one.comm != two.comm
    one.say(kind="ready", view="a")
    two.say(kind="ready", view="b")
    assert one.tick()
    assert two.tick()
    one.say(kind="hidden", view="a")
    front.drain()
    assert two.tick()
    two.close()


def test_it_ticks_and_obeys_while_a_cell_runs(
    front: Front, worker: Worker, tmp_path: Path
) -> None:
    """
    Answers come from a subshell, also after ticks that were sent by another thread.
    """
    data = front.kernel.value("__import__('pickle').dumps(shared.config).hex()")
    widget = Widget(front)
    subshell = front.ask("create_subshell")["subshell_id"]
    with front.busy(tmp_path) as number:
        widget.say(subshell, kind="ready", view="a")
        first = widget.tick()
        assert (first["cell"]["running"], first["cell"]["number"]) == (True, number)
        worker.exec(READ, data=data, times=10)
        while not (tick := widget.tick())["objects"]:
            pass
        assert tick["objects"][0]["path"] == "config"
        for i in range(2):
            command = {"id": f"c{i}", "name": "reset_peaks", "args": {}}
            widget.say(subshell, kind="command", command=command)
            assert widget.hear("answer") == {"id": f"c{i}", "status": "ok"}
            assert f"c{i}" in widget.tick()["done"]
        widget.say(subshell, kind="hidden", view="a")
    assert wait_until(lambda: not front.is_ticking)
    front.ask("delete_subshell", subshell_id=subshell)
    widget.close()


def test_a_view_is_asked_for_on_control_and_no_status_tells_of_an_idle_kernel(
    front: Front, tmp_path: Path
) -> None:
    """
    As JupyterLab's extension does: only the control channel has a status meanwhile.
    """
    widget = Widget(front)

    def look(word: str) -> None:
        about = {"comm_id": widget.state["comm_id"], "view": "a", "look": word}
        assert front.ask("duck_look", **about)["status"] == "ok"

    assert widget.state["comm_id"] == widget.comm
    with front.busy(tmp_path):
        front.drain()
        look("ready")
        assert widget.tick()["cell"]["running"]
        look("hidden")
        look("visible")
        assert widget.tick()["whole"]
        heard = front.drain()
        look("hidden")
        statuses = {
            message["parent_header"]["msg_type"]
            for message in heard
            if message["msg_type"] == "status"
        }
        assert statuses <= {"duck_look_request"}
    assert wait_until(lambda: not front.is_ticking)
    widget.close()
    look("visible")
    assert not front.is_ticking


def test_where_messages_wait_for_the_cell_a_command_is_done_after_it(
    front: Front, tmp_path: Path
) -> None:
    """
    As in kernels without subshells, before ipykernel 7: it waits, and is not lost.
    """
    widget = Widget(front)
    widget.say(kind="ready", view="a")
    widget.tick()
    command = {"id": "later", "name": "unshare", "args": {"object": "config"}}
    with front.busy(tmp_path):
        widget.say(kind="command", command=command)
        running = [tick for _ in range(8) if (tick := widget.tick())["cell"]["running"]]
        assert len(running) >= 2
        assert all("later" not in tick["done"] for tick in running)
    assert widget.hear("answer") == {"id": "later", "status": "ok"}
    while "later" not in (tick := widget.tick())["done"]:
        pass
    assert tick["state"] == "empty"
    widget.close()


def test_a_name_is_unshared_from_it(front: Front) -> None:
    widget = Widget(front)
    widget.say(kind="ready", view="a")
    widget.tick()
    command = {"id": "c", "name": "unshare", "args": {"object": "config"}}
    widget.say(kind="command", command=command)
    assert widget.hear("answer") == {"id": "c", "status": "ok"}
    while "c" not in (tick := widget.tick())["done"]:
        pass
    assert (tick["state"], tick["objects"]) == ("empty", [])
    widget.close()


@pytest.mark.parametrize(
    "content", [{}, {"kind": "x"}, {"kind": ["ready"]}, {"kind": "command"}], ids=repr
)
def test_what_it_does_not_understand_it_leaves(
    front: Front, content: dict[str, Any]
) -> None:
    widget = Widget(front)
    widget.say(**content)
    widget.say(kind="ready", view="a")
    assert widget.tick()["whole"]
    widget.close()


def test_a_saved_notebook_links_to_no_cluster() -> None:
    assert golden().clusters
    assert state_to_save(golden()) == as_plain(replace(golden(), clusters=[]))


def test_the_last_state_is_kept_for_a_saved_notebook(
    front: Front, worker: Worker
) -> None:
    """
    It is that after the last call, and whole, though the views were sent ticks.
    """
    data = front.kernel.value("__import__('pickle').dumps(shared.config).hex()")
    widget = Widget(front)
    widget.say(kind="ready", view="a")
    widget.tick()
    worker.exec(READ, data=data, times=25)

    def is_kept(message: dict[str, Any]) -> bool:
        if not widget.is_ours(message, "update"):
            return False
        found = message["content"]["data"]["state"]["snapshot"]
        calls = found["totals"]["gets"] + found["totals"]["executes"]
        return bool(calls >= 25 and found["whole"] and found["objects"])

    assert front.hear(is_kept)
    widget.close()


def test_who_looks_sees_the_extension_leave_and_come_back(front: Front) -> None:
    widget = Widget(front)
    widget.say(kind="ready", view="a")
    widget.tick()
    key = front.begin("%unload_ext duck_jupyter")
    while (tick := widget.tick())["state"] != "stopped":
        pass
    assert tick["whole"]
    front.end(key)
    assert not front.is_ticking
    widget.say(kind="visible", view="a")
    front.kernel.run("pass")
    assert not front.is_ticking

    front.kernel.run("%load_ext duck_jupyter\nagain = [1]\n%share again")
    widget.say(kind="visible", view="a")
    while not (tick := widget.tick())["objects"]:
        pass
    assert tick["objects"][0]["path"] == "again"
    widget.close()


def test_a_closed_one_sends_nothing(front: Front) -> None:
    widget = Widget(front)
    widget.say(kind="ready", view="a")
    widget.tick()
    widget.close()
    front.drain()
    widget.say(kind="ready", view="a")
    front.kernel.run("pass")
    assert not front.is_ticking
