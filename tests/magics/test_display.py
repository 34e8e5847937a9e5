"""
What a shell shows of a proxy, of its object's help, and of cells in tracebacks.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from IPython.utils.capture import capture_output

from duck_jupyter.errors import RemoteTraceback
from duck_jupyter.magics.display import with_title
from duck_jupyter.magics.messages import Proxies
from tests.support.raw import far

from .cells import uncoloured

if TYPE_CHECKING:
    from .cells import Cells

SHOWN = '''
class Shown:
    """Shows itself."""
    def _repr_html_(self):
        return "<b>rich</b>"
    def _repr_png_(self):
        return b"png"
    def __repr__(self):
        return "Shown()"

class Latex:
    def _repr_latex_(self):
        return "$x^2$"

class Widget:
    def _repr_mimebundle_(self, **_):
        return {"application/x-view": {"id": 1}, "text/plain": "a widget"}

class Displays:
    def _ipython_display_(self):
        print("displayed")

class Fails:
    def _repr_html_(self):
        raise ValueError("no html")

class Model:
    """Predicts."""
    def predict(self, x):
        """Predict one value."""
        return 1 / x
'''


@pytest.fixture
def notebook(cells: Cells) -> Cells:
    """
    A notebook with objects that are shown in many ways.
    """
    cells.run(SHOWN)
    return cells


def share(cells: Cells, name: str, expression: str) -> Any:
    """
    Share the value of an expression.
    """
    cells.run(f"{name} = {expression}\n%share {name};")
    return cells.shell.ev(f"shared.{name}")


def test_a_proxy_shows_its_objects_display_with_a_line_on_top(
    notebook: Cells,
) -> None:
    proxy = share(notebook, "it", "Shown()")
    data, _ = notebook.shell.display_formatter.format(proxy)
    title, html = data["text/html"].split("</div>")
    assert "&lt;proxy&gt;-1 Shown(): shared.it of this notebook" in title
    assert html == "<b>rich</b>"
    assert data["text/plain"] == (
        "<proxy>-1 Shown(): shared.it of this notebook\nShown()"
    )


def test_what_is_reached_through_a_proxy_says_the_way(notebook: Cells) -> None:
    proxy = share(notebook, "model", "Model()")
    notebook.run("model.part = Shown()")
    with far(proxy) as remote:
        text = notebook.shell.display_formatter.format(remote.part)[0]["text/plain"]
    # A worker has no object to show.
    assert text == "<proxy>-2 Shown(), level 1"


def test_an_object_of_one_line_is_that_line(notebook: Cells) -> None:
    proxy = share(notebook, "results", "{'a': 3, 'duck': 2}")
    data, _ = notebook.shell.display_formatter.format(proxy)
    assert data == {"text/plain": "<proxy>-1 dict {'a': 3, 'duck': 2}"}


def test_a_long_object_has_its_lines_below(notebook: Cells) -> None:
    proxy = share(notebook, "rows", "list(range(200))")
    data, _ = notebook.shell.display_formatter.format(proxy)
    title, *lines = data["text/plain"].splitlines()
    assert title == "<proxy>-1 list [0, 1, 2, 3, …]: shared.rows of this notebook"
    assert (
        "\n".join(lines)
        == notebook.shell.display_formatter.format(list(range(200)))[0]["text/plain"]
    )


def test_a_display_without_room_for_a_line_has_it_before(notebook: Cells) -> None:
    proxy = share(notebook, "widget", "Widget()")
    with capture_output() as captured:
        data, _ = notebook.shell.display_formatter.format(proxy)
    assert data["application/x-view"] == {"id": 1}
    assert data["text/plain"] == "a widget"
    (before,) = captured.outputs
    assert "shared.widget of this notebook" in before.data["text/plain"]


def test_an_object_that_displays_itself_does_so_below_the_line(
    notebook: Cells,
) -> None:
    proxy = share(notebook, "it", "Displays()")
    with capture_output() as captured:
        assert notebook.shell.display_formatter.format(proxy) == ({}, {})
    assert captured.stdout == "displayed\n"
    (before,) = captured.outputs
    assert "shared.it of this notebook" in before.data["text/html"]


def test_a_display_that_fails_leaves_the_line(
    notebook: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = share(notebook, "it", "Fails()")
    data, _ = notebook.shell.display_formatter.format(proxy)
    assert data == {"text/plain": "<proxy>-1 Fails"}
    assert "no html" in "".join(capsys.readouterr())


PNG = base64.b64encode(b"png").decode()
DISPLAYS: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"text/html": "<b>"}, {}, "text/html", "<b>"),
    ({"image/svg+xml": "<svg/>"}, {}, "text/html", "<svg/>"),
    (
        {"image/png": b"png"},
        {"image/png": {"width": 40, "height": 30}},
        "text/html",
        f'<img src="data:image/png;base64,{PNG}" width="40" height="30">',
    ),
    (
        {"image/jpeg": PNG + "\n"},
        {},
        "text/html",
        f'<img src="data:image/jpeg;base64,{PNG}">',
    ),
    ({"text/markdown": "*a*"}, {}, "text/markdown", "`<it>`\n\n*a*"),
    ({"text/latex": "$x$"}, {}, "text/markdown", "`<it>`\n\n$x$"),
    ({"text/plain": "a\nb"}, {}, "text/plain", "<it>\na\nb"),
]


@pytest.mark.parametrize(("data", "metadata", "kind", "end"), DISPLAYS)
def test_every_kind_of_display_gets_the_line(
    data: dict[str, Any], metadata: dict[str, Any], kind: str, end: str
) -> None:
    found = with_title("<it>", data, metadata)[kind]
    assert found.endswith(end)
    assert "<it>" in found or "&lt;it&gt;" in found


def test_help_is_that_of_the_object(notebook: Cells) -> None:
    share(notebook, "model", "Model()")
    shell = notebook.shell
    for name, words in (
        ("shared.model", ["Predicts.", "Model", "__main__.Model object"]),
        ("shared.model.predict", ["Predict one value.", "predict(x)"]),
    ):
        text = uncoloured(shell.object_inspect_mime(name)["text/plain"])
        for word in words:
            assert word in text, text
        assert "Proxy" not in text
    with capture_output() as captured:
        shell.run_line_magic("pdoc", "shared.model")
        shell.run_line_magic("psource", "shared.model.predict")
        shell.run_line_magic("pdef", "shared.model.predict")
    assert "Predicts." in captured.stdout
    assert "predict(x)" in uncoloured(captured.stdout)


def test_a_traceback_of_the_kernel_names_the_cell(notebook: Cells) -> None:
    proxy = share(notebook, "model", "Model()")
    number = notebook.shell.execution_count
    notebook.shell.run_cell(
        "class Other:\n    def divide(self, x):\n        return 1 / x\n\n"
        "model = Other()",
        store_history=True,
    )
    with far(proxy) as remote, pytest.raises(ZeroDivisionError) as caught:
        remote.divide(0)
    cause = caught.value.__cause__
    assert type(cause) is RemoteTraceback
    assert f"  Cell In[{number}], line 3, in divide\n    return 1 / x" in cause.text
    assert "duck_jupyter" not in cause.text
    assert ".py" not in cause.text


def test_without_the_extension_all_is_as_before(notebook: Cells) -> None:
    formatter = notebook.shell.display_formatter
    proxy = share(notebook, "it", "Shown()")
    inspector = notebook.shell.inspector
    notebook.run("%unload_ext duck_jupyter")
    assert not formatter.mimebundle_formatter.type_printers
    assert not formatter.ipython_display_formatter.type_printers
    assert Proxies not in formatter.formatters["text/plain"].type_printers
    assert "info" not in vars(inspector)
    assert list(formatter.format(proxy)[0]) == ["text/plain"]
