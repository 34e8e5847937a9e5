"""
How a shell shows proxies: as their objects, below a title line.

IPython asks the type printers of its formatters. If an object displays itself, or if
its display has no place for a line, the title is an output of its own before it.
"""

from __future__ import annotations

import base64
import html
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.utils.dir2 import get_real_method

from ..client.reprs import line_and_path
from ..protocol.tracebacks import cell_names
from ..proxy import Proxy
from ..session.names import is_proxy
from .installed_key import Place
from .messages import Answers, Proxies

if TYPE_CHECKING:
    from ..session.session import Session

__all__ = ["Display", "object_of"]

Bundle = tuple[dict[str, Any], dict[str, Any]]

PLAIN, HTML, MARKDOWN = "text/plain", "text/html", "text/markdown"
LATEX, SVG = "text/latex", "image/svg+xml"
IMAGES = ("image/png", "image/jpeg")
#: The methods of IPython's inspector for ``?``, ``??`` and similar requests.
INSPECTIONS = ("info", "pdoc", "pdef", "psource", "pfile")
#: The shared name at the start of a path.
ROOT = re.compile(r"\w+")


class Display:
    """
    How a shell shows proxies, the help of their objects, and cells in tracebacks.

    Args:
        shell: The shell.
        session: The session that shares its variables.
        answers: Holds the texts that are shown in place of values.
    """

    # The annotations of these attributes differ between versions of IPython.
    def __init__(self, shell: Any, session: Session, answers: Answers) -> None:
        self._shell = shell
        self._session = session
        self._answers = answers
        self._formatter = self._shell.display_formatter
        inspector = self._shell.inspector
        bundles = self._formatter.mimebundle_formatter.type_printers
        texts = self._formatter.formatters[PLAIN].type_printers
        displays = self._formatter.ipython_display_formatter.type_printers
        self._places = [
            Place(bundles, Proxy, self._bundle_of),
            Place(texts, Proxies, self._write),
            Place(displays, Proxy, self._display),
            *(
                Place(
                    vars(inspector), name, partial(_inspect, getattr(inspector, name))
                )
                for name in INSPECTIONS
            ),
        ]
        self._cell_name_of = self._name_of_cell
        cell_names.append(self._cell_name_of)

    def leave(self) -> None:
        """
        Show proxies like everything else again.
        """
        cell_names.remove(self._cell_name_of)
        for place in self._places:
            place.leave()

    def _name_of_cell(self, file: str) -> str | None:
        found = self._shell.compile.format_code_name(file)
        return None if found is None else " ".join(found)

    def _write(self, value: Any, printer: Any, _: bool) -> None:
        answer = self._answers.of(value)
        if answer:
            printer.text(answer)
        else:
            printer.pretty(tuple(value))

    def _display(self, proxy: Any) -> None:
        target = object_of(proxy)
        displays_itself = target is not proxy and not self._answers.of(proxy)
        if not displays_itself or get_real_method(target, "_ipython_display_") is None:
            raise NotImplementedError  # IPython then shows its bundle
        self._publish(self._title_of(proxy))
        self._formatter.format(target)

    def _bundle_of(self, proxy: Any) -> Bundle:
        answer = self._answers.of(proxy)
        if answer:
            return {PLAIN: answer}, {}
        target = object_of(proxy)
        if target is proxy:
            return {PLAIN: repr(proxy)}, {}
        data, metadata = self._formatter.format(target)
        if any(kind.startswith("application/") for kind in data):
            # A front end prefers these types, and they have no place for a title.
            self._publish(self._title_of(proxy))
            return data, metadata
        if set(data) == {PLAIN} and "\n" not in data[PLAIN]:
            return {PLAIN: repr(proxy)}, {}
        return with_title(self._title_of(proxy), data, metadata), metadata

    def _title_of(self, proxy: Any) -> str:
        line, path = line_and_path(proxy._duck_link, proxy._duck_ref)
        root = ROOT.match(path)
        if root and any(shared.name == root[0] for shared in self._session.names):
            path = f"shared.{path}"
        return f"{line}: {path} of this notebook" if path else line

    def _publish(self, title: str) -> None:
        self._shell.display_pub.publish({PLAIN: title, HTML: _title_as_html(title)})


def object_of(value: Any) -> Any:
    """
    Return the object, or its method, for a proxy of this process.

    Other values are returned as they are.
    """
    if getattr(type(value), "_duck_token", None) is None:
        return value
    proxy = value if is_proxy(value) else value.__self__
    try:
        server = proxy._duck_link.server
        return value if server is None else server.target_of(value)
    except Exception:  # it was closed or unshared, or its class raises
        return value


def with_title(
    title: str, data: dict[str, Any], metadata: dict[str, Any]
) -> dict[str, Any]:
    """
    Put a title line on top of a display.

    Args:
        title: The title line.
        data: The display, by its MIME types.
        metadata: The metadata of the display.
    """
    shown = dict(data)
    if PLAIN in data:
        shown[PLAIN] = f"{title}\n{data[PLAIN]}"
    picture = _picture_in(data, metadata)
    if HTML in data:
        shown[HTML] = _title_as_html(title) + data[HTML]
    elif picture:
        shown[HTML] = _title_as_html(title) + picture
    elif MARKDOWN in data or LATEX in data:
        shown[MARKDOWN] = f"`{title}`\n\n{data.get(MARKDOWN, data.get(LATEX))}"
    return shown


def _picture_in(data: dict[str, Any], metadata: dict[str, Any]) -> str:
    if SVG in data:
        return str(data[SVG])
    for kind in IMAGES:
        if kind in data:
            image = data[kind]
            text = base64.b64encode(image).decode() if type(image) is bytes else image
            sizes = "".join(
                f' {side}="{int(size)}"'
                for side, size in (metadata.get(kind) or {}).items()
                if side in ("width", "height")
            )
            return f'<img src="data:{kind};base64,{text.strip()}"{sizes}>'
    return ""


def _title_as_html(title: str) -> str:
    return (
        '<div style="opacity: 0.7; font-size: 90%"><code>'
        f"{html.escape(title)}</code></div>"
    )


def _inspect(method: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
    return method(object_of(value), *args, **kwargs)
