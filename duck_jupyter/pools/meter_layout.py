"""
The layout of a meter: what a worker counts of its tasks, in words of 8 bytes.

    header    the words below, up to `KINDS_AT`
    kinds     `KINDS` times `KIND_WORDS`: errors by function, type and message
    long      `LONGS` times `LONG_WORDS`: a ring of the last long tasks
    cells     `CELLS` times `CELL_WORDS`: a ring of counters, one cell for each run

Each word has one writer, the worker, except `COLLECTED`. All times are seconds of
``time.monotonic``, which all processes share. A text is bytes that zeros fill up.
"""

from __future__ import annotations

from math import log2

__all__ = ["BUCKETS", "METER", "bucket_of"]

#: Bytes of a meter. Pages that a worker does not write to take no memory.
METER = 1 << 16
WORDS = METER // 8

# The header. ID is not 0 once the worker counts, and differs from worker to worker.
# COLLECTED is written by the notebook: the ID of a worker that has ended and whose
# numbers were taken. ARRIVED: when the first task came out of the pool's queue. HAND:
# the cell of the task in hand, counted from 1; 0 if there is none. SINCE and WAITED_AT:
# when the item in hand began, and what the thread had waited by then. UNTIL: the count
# of DONE at which the task has ended. ARGS: 1 if the text is of the item in hand. CELL,
# LONG, KIND: how many were used. PAST: sums of the cells that were used again.
(ID, COLLECTED, POOL, STARTED, READY, ARRIVED, FIRST, CELL, LONG, KIND) = range(10)
(HAND, SINCE, WAITED_AT, UNTIL, ARGS) = range(10, 15)
PAST = 16
TEXT_AT, TEXT_WORDS = 24, 12
HEADER_WORDS = 48

KINDS, KIND_WORDS, KINDS_AT = 16, 36, HEADER_WORDS
KIND_RUN, KIND_COUNT, KIND_FIRST, KIND_LAST = range(4)
#: Where the texts of a kind are, and their words: arguments, type, message.
KIND_TEXTS = ((4, TEXT_WORDS), (16, 4), (20, 16))

LONGS, LONG_WORDS, LONGS_AT = 16, 36, KINDS_AT + KINDS * KIND_WORDS
LONG_RUN, LONG_BEGAN, LONG_ENDED, LONG_WAITED = range(4)
LONG_TEXTS = KIND_TEXTS

# Of a cell. DONE, FAILED, COMPUTING, WAITING are the `SUMS`, which PAST has in the same
# order. BEGUN: items of tasks that have begun. CUT: items that were not begun, as
# an item before them in their chunk raised. BEGAN: when the last task began.
CELL_WORDS, CELLS_AT = 216, LONGS_AT + LONGS * LONG_WORDS
CELLS = (WORDS - CELLS_AT) // CELL_WORDS
(RUN, DONE, FAILED, COMPUTING, WAITING, BEGUN, CUT, FROM, BEGAN, ENDED) = range(10)
SUMS = (DONE, FAILED, COMPUTING, WAITING)
#: The slowest tasks: seconds, when it ended, arguments.
SLOWEST, SLOW_WORDS, SLOW_AT = 5, 2 + TEXT_WORDS, 16
#: How many tasks took how long.
BUCKETS, BUCKETS_AT = 128, SLOW_AT + SLOWEST * SLOW_WORDS
#: Buckets for each doubling, and the end of the first one in seconds.
PER_OCTAVE, FINEST_S = 4, 1e-6

assert BUCKETS_AT + BUCKETS <= CELL_WORDS


def bucket_of(seconds: float) -> int:
    """
    Give the bucket of a duration: bucket i ends at ``2 ** (i / 4)`` microseconds.
    """
    micros = seconds / FINEST_S
    if micros < 1.0:
        return 0
    found = int(log2(micros) * PER_OCTAVE) + 1
    return found if found < BUCKETS else BUCKETS - 1
