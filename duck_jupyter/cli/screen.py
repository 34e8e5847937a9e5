"""
A snapshot as tables in a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..objects.sizes import in_bytes
from ..session.overview import NOT_SERVING
from ..stats.words import serving_in_words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..session.snapshot import Snapshot
    from ..stats.rows import ErrorRow, ObjectRow, WorkerRow
    from .rates import Rates, Window

__all__ = ["screen_of"]

UNKNOWN = "–"  # noqa: RUF001 - a dash
#: Of the buffer; from here on the next frame may be too large for it.
NEAR = 0.7
BAR_CELLS = 8
#: A terminal is not long; of more objects the busiest are shown.
MOST_OBJECTS = 30
MOST_ENDED = 5
MOST_ERRORS = 5
#: A worker that waits so much of its time is held up by the kernel.
MUCH_WAITING = 0.5


def screen_of(snapshot: Snapshot, window: Window) -> RenderableType:
    """
    Draw a snapshot.

    Args:
        snapshot: What to draw, whole.
        window: The snapshots of the last seconds, this one among them.
    """
    rates = window.rates()
    parts: list[RenderableType] = [_state(snapshot), _traffic(rates)]
    if snapshot.objects:
        parts.append(_objects(snapshot, window))
    if snapshot.workers or snapshot.ended:
        parts.append(_workers(snapshot, window))
    if snapshot.errors:
        parts.append(_errors(snapshot.errors))
    parts.append(_memory(snapshot))
    return Group(*parts)


def _state(snapshot: Snapshot) -> Text:
    totals = snapshot.totals
    words = (
        NOT_SERVING
        if snapshot.state == "stopped"
        else serving_in_words(
            sum(1 for row in snapshot.objects if not row.level),
            len(snapshot.workers),
            called=totals.calls > 0,
        )
    )
    if snapshot.state != "serving":
        words += ". In the notebook: %share NAME"
    text = Text(words, style="bold")
    if snapshot.busy_delay:
        text.append(
            f"  kernel busy, up to +{_time(snapshot.busy_delay)} a call", style="yellow"
        )
    number = snapshot.cell.number
    if snapshot.cell.running:
        text.append(
            f"  cell [{number}] runs" if number else "  a cell runs", style="dim"
        )
    return text


def _traffic(rates: Rates) -> Text:
    return Text(
        f"{_rate(rates.calls)} calls/s (GET {_rate(rates.gets)}, "
        f"SET {_rate(rates.sets)}, EXECUTE {_rate(rates.executes)})   "
        f"↑ {in_bytes(int(rates.bytes_out))}/s to workers   "
        f"↓ {in_bytes(int(rates.bytes_in))}/s to the kernel   "
        f"latency p50 {_time(rates.p50)}, p99 {_time(rates.p99)}"
    )


def _table(*headings: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading in right else "left",
            no_wrap=heading != "Last error",
        )
    return table


def _objects(snapshot: Snapshot, window: Window) -> Table:
    table = _table(
        *("Object", "Type", "Mode", "Level", "Calls/s", "Calls", "Buffer fill"),
        *("Versions", "Last error"),
        right=("Level", "Calls/s", "Calls"),
    )
    children: dict[int | None, list[ObjectRow]] = {}
    rows = _busiest(snapshot.objects, window)
    known = {row.idx for row in rows}
    for row in rows:
        parent = row.parent if row.parent in known else None
        children.setdefault(parent, []).append(row)

    def add(row: ObjectRow, depth: int) -> None:
        kept = f"{row.versions} in {in_bytes(row.version_bytes)}"
        table.add_row(
            Text("  " * depth + row.path),
            Text(f"{row.type} {row.size}".rstrip()),
            row.mode,
            Text(str(row.level), style="yellow" if row.level == row.max_level else ""),
            _rate(window.calls_of(row.idx)),
            f"{row.calls:,}",
            _fill(row),
            kept if row.versions else UNKNOWN,
            Text(row.last_error or "", style="red"),
        )
        for child in children.get(row.idx, []):
            add(child, depth + 1)

    for row in children.get(None, []):
        add(row, 0)
    if len(rows) < len(snapshot.objects):
        table.add_row(f"and {len(snapshot.objects) - len(rows):,} more")
    for chain in (snapshot.chains or [])[:MOST_OBJECTS]:
        table.add_row(
            Text(f"✂ {chain.path}", style="red"),
            Text(chain.type),
            "cut",
            str(chain.level),
            *("", f"{chain.cuts:,}", "", ""),
            Text(f"LimitedProxyChaining: the limit is {chain.max_level}", style="red"),
        )
    return table


def _busiest(rows: list[ObjectRow], window: Window) -> list[ObjectRow]:
    def busy(row: ObjectRow) -> tuple[float, int]:
        return -window.calls_of(row.idx), -row.calls

    kept = {row.idx for row in sorted(rows, key=busy)[:MOST_OBJECTS]}
    return [row for row in rows if row.idx in kept]


def _fill(row: ObjectRow) -> Text:
    last, peak = row.last / row.bufsize, row.peak / row.bufsize
    cells = round(min(last, 1.0) * BAR_CELLS)
    style = "yellow" if last >= NEAR else "blue"
    text = Text("█" * cells, style=style)
    text.append("░" * (BAR_CELLS - cells), style="dim")
    text.append(f" {last:.0%}, peak {peak:.0%} of {in_bytes(row.bufsize)}")
    return text


def _workers(snapshot: Snapshot, window: Window) -> Table:
    table = _table(
        *("Worker", "Process", "Calls", "Waiting", "Memory", "Calling"),
        right=("Calls", "Waiting", "Memory"),
    )
    for row in snapshot.workers:
        table.add_row(*_worker(row, window.waiting_of(row.pid)))
    for end in snapshot.ended[: -MOST_ENDED - 1 : -1]:
        style = "red" if end.how in ("failed", "killed") else "dim"
        table.add_row(
            Text(str(end.pid), style=style),
            Text(end.name, style=style),
            *(f"{end.calls:,}", "", ""),
            Text(end.words, style=style),
        )
    return table


def _worker(row: WorkerRow, waiting: float | None) -> list[str | Text]:
    much = waiting is not None and waiting >= MUCH_WAITING
    return [
        str(row.pid),
        Text(row.name),
        f"{row.calls:,}",
        Text(
            UNKNOWN if waiting is None else f"{waiting:.0%}",
            style="yellow" if much else "",
        ),
        UNKNOWN if row.pss is None else in_bytes(row.pss),
        Text(", ".join(row.calling)),
    ]


def _errors(errors: list[ErrorRow]) -> Table:
    table = _table("Errors", "Object", "What to do next")
    for row in errors[:MOST_ERRORS]:
        times = f" ×{row.count}" if row.count > 1 else ""  # noqa: RUF001
        ways = "\n".join(
            f"{sentence} {line}".rstrip() for sentence, line in row.ways_out
        )
        table.add_row(
            Text(f"{row.type}{times}: {row.message}", style="red", overflow="fold"),
            Text(row.object),
            Text(ways),
        )
    if len(errors) > MOST_ERRORS:
        table.add_row(f"and {len(errors) - MOST_ERRORS:,} more", "", "")
    return table


def _memory(snapshot: Snapshot) -> Text:
    memory = snapshot.memory
    words = f"Shared memory: {in_bytes(memory.ours)} held"
    if memory.capacity is not None and memory.free is not None:
        words += f", {in_bytes(memory.free)} of {in_bytes(memory.capacity)} free"
    if memory.spooled:
        words += f"; {in_bytes(memory.spooled)} spooled to {memory.spool_dir}"
    return Text(words, style="dim")


def _rate(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.1f}M"
    if value >= 1e3:
        return f"{value / 1e3:.1f}k"
    return f"{value:.0f}" if value >= 10 or not value else f"{value:.1f}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    if seconds < 1e-3:
        return f"{_two_digits(seconds * 1e6)} µs"
    if seconds < 1:
        return f"{_two_digits(seconds * 1e3)} ms"
    return f"{_two_digits(seconds)} s"


def _two_digits(value: float) -> str:
    # Rounded first: of 263.1 the format alone would make 2.6e+02.
    return f"{float(f'{value:.2g}'):g}"
