"""
The settings in the IPython configuration.
"""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Enum, Float, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from ..errors import NotShareable
from ..memory.spool import check_spool, use_spool
from ..objects.policy import (
    DEFAULT_BUFSIZE,
    DEFAULT_MAX_CHAIN,
    DEFAULT_MAX_MESSAGE,
    check_bufsize,
    check_max_chain,
)
from ..proxy import ProxyServer

__all__ = ["OF_SERVER", "DuckJupyter"]

#: The settings that a server has as long as it runs.
OF_SERVER = ["bufsize", "max_chain", "max_message", "spool_dir"]


class DuckJupyter(Configurable):
    """
    The settings for a server and for pools.

    A change of those of a server takes effect when the next server starts.

    In ``ipython_config.py``, or with ``%config`` in a notebook::

        c.DuckJupyter.bufsize = 4096
    """

    bufsize: Int[int, int] = Int(
        DEFAULT_BUFSIZE,
        help=(
            "Size in bytes of the buffer of one worker thread. A larger frame is sent "
            "outside the buffer, which is slower."
        ),
    ).tag(config=True)

    max_chain: Int[int, int] = Int(
        DEFAULT_MAX_CHAIN,
        help="The highest level of a proxy that is reached through other proxies.",
    ).tag(config=True)

    max_message: Int[int, int] = Int(
        DEFAULT_MAX_MESSAGE,
        min=1,
        help="Size in bytes of the largest message, inside or outside a buffer.",
    ).tag(config=True)

    spool_dir: Unicode[str, str | bytes] = Unicode(
        "",
        help=(
            "A folder for blocks that do not fit in /dev/shm, used by this process "
            "and its workers; the temporary folder by default."
        ),
    ).tag(config=True)

    pools: Bool[bool, bool | int] = Bool(
        True,
        help="Let the pools of multiprocessing, concurrent.futures, loky and joblib "
        "run what cells define.",
    ).tag(config=True)

    progress: Enum[Any] = Enum(
        [True, False, "summary"],
        default_value=True,
        help="Show under a cell how far its pools are, once one has been at work for "
        'two seconds; "summary" shows only the end.',
    ).tag(config=True)

    task_arguments: Bool[bool, bool | int] = Bool(
        True,
        help="Write down the arguments of the slowest and of failed tasks in short. It "
        "counts for pools that are made from then on.",
    ).tag(config=True)

    interrupt_grace: Float[float, int | float] = Float(
        1.0,
        min=0.0,
        help="Seconds that a pool's task has to end when its cell was interrupted. "
        "Then its worker is killed.",
    ).tag(config=True)

    @validate("spool_dir")
    def _check_spool(self, proposal: Any) -> str:
        folder: str = proposal.value
        try:
            check_spool(folder)
        except NotShareable as error:
            raise TraitError(str(error)) from None
        return folder

    @validate("bufsize", "max_chain")
    def _check(self, proposal: Any) -> int:
        check = check_bufsize if proposal.trait.name == "bufsize" else check_max_chain
        value: int = proposal.value
        try:
            check(value)
        except NotShareable as error:
            raise TraitError(str(error)) from None
        return value

    def make_server(self) -> ProxyServer:
        """
        Make a server with these settings. The caller runs and closes it.

        Raises:
            NotShareable: The spool folder cannot be written to any more.
        """
        use_spool(self.spool_dir)
        return ProxyServer(
            self.bufsize, max_chain=self.max_chain, max_message=self.max_message
        )
