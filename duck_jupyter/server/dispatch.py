"""
From a request frame to an answer frame.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta
from msgspec.msgpack import Decoder, Ext

from ..errors import DataDecodeError, LimitedProxyChaining
from ..objects.awaitables import run_awaitable
from ..objects.exports import is_stored_as_proxy, stored_argument
from ..objects.operations import (
    advice_for,
    call_method,
    get_attribute,
    is_own_method,
    set_attribute,
)
from ..objects.table import not_found
from ..protocol.faults import (
    FAULT,
    pack_fault,
    parse_fault,
    short_fault,
)
from ..protocol.frames import FAULTED, RESULT, encode_answer, encode_fault, encode_frame
from ..protocol.opcodes import ProxyOpCode
from ..protocol.references import (
    DESK,
    METHOD,
    OF_OBJECT,
    OF_TYPE,
    REF,
    SELF,
    TYPE_NAME_CHARS,
    resolving,
)
from ..protocol.special_methods import FIRST_BATCH, INPLACE
from ..protocol.tracebacks import message_of, traceback_text
from ..protocol.values import (
    MUTABLE_TYPES,
    PLAIN_TYPES,
    encode,
    load_extension,
    reduce_main_only,
    wrap,
)
from ..stats.error_log import Subject
from .blocking_calls import BLOCKING, AsEver, block
from .context_managers import enter, leave
from .control import LATER
from .grants import GRANTING, undo_of
from .validation import is_probe, misshapen, subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..objects.exports import Exports
    from ..objects.table import Entry, ObjectTable
    from ..protocol.references import ObjectRef
    from ..stats.error_log import ErrorLog
    from .connections import Connection
    from .control import Desk

__all__ = ["LOCKED", "NOT_YET", "Dispatcher"]

GET, SET, EXECUTE = map(int, (ProxyOpCode.GET, ProxyOpCode.SET, ProxyOpCode.EXECUTE))
#: The answer is the object itself: the client keeps the proxy that it has.
ITSELF = Ext(METHOD, SELF)
SELF_METHODS = frozenset(
    {"__enter__", "__aenter__", "__aiter__", *(f"__i{name}__" for name in INPLACE)}
)
AWAITED = frozenset({"__await__", "__anext__", "__aenter__", "__aexit__"})
#: The ends of iterations are not reported as errors.
UNLOGGED = (StopIteration, StopAsyncIteration)
#: The monitor keeps this much of an exception's text; the worker gets all of it.
MESSAGE_CHARS = 2000

BLOCKING_OR_GRANTING = BLOCKING | GRANTING

#: The opcodes that a client may send.
Opcode = Annotated[int, Meta(ge=GET, le=EXECUTE)]

Answer = tuple[bytes, "Sequence[Any]"]
#: In place of an answer that is sent later: see `control.LATER`.
NOT_YET: Answer = b"", ()
#: The answer to a client that now holds a lock.
LOCKED = encode_answer(DESK, None)


class Dispatcher:
    """
    Answers requests. Any thread of the server may call it.

    Args:
        table: The objects.
        errors: The log of exceptions.
        desk: Answers requests to the server itself.
        exports: Converts values to answers.
    """

    def __init__(
        self, table: ObjectTable, errors: ErrorLog, desk: Desk, exports: Exports
    ) -> None:
        self._table = table
        self._entries = table.entries
        self._errors = errors
        self._desk = desk
        self._exports = exports

    def decoder(self, connection: Connection) -> Callable[[bytes], Any]:
        """
        Make the decoder for the requests of one connection.
        """

        def resolved(token: Any) -> Any:
            entry = self._table.get(token[1])
            if token[0] != "object":
                return get_attribute(entry, token[2])
            target = entry.target
            connection.proxied[id(target)] = target, entry
            return target

        def extension(code: int, data: memoryview) -> Any:
            with resolving(resolved):
                if code == FAULT:
                    return parse_fault(data)
                return load_extension(code, data, connection.buffers)

        return Decoder(tuple[Opcode, Any], ext_hook=extension).decode

    def answer(
        self, opcode: int, payload: Any, entry: Entry | None, connection: Connection
    ) -> Answer:
        """
        Execute a request; every failure becomes an answer as well.

        Args:
            opcode: GET, SET or EXECUTE.
            payload: The payload of the frame.
            entry: The object of the request, if there is one.
            connection: The connection that made the request.
        """
        try:
            if entry is None:
                if payload and payload[0] == DESK:
                    return self._at_desk(payload, connection)
                raise not_found(payload[0] if payload else None)
            # The plain names of an open object need no check of the policy.
            if opcode == GET:
                _, name = payload
                if entry.is_open and name[:2] != "__":
                    value = getattr(entry.target, name)
                else:
                    value = get_attribute(entry, name)
                if type(value) not in PLAIN_TYPES:
                    return self._attribute(entry, name, value, connection)
            elif opcode == EXECUTE:
                _, name, args, kwargs = payload
                if connection.proxied:
                    args = self._stored(entry, name, args, connection)
                if name in BLOCKING_OR_GRANTING:
                    value = self._granted(entry, name, args, kwargs, connection)
                elif entry.is_open and name[:2] != "__":
                    value = getattr(entry.target, name)(*args, **kwargs)
                else:
                    value = self._execute(entry, name, args, kwargs, connection)
                if type(value) not in PLAIN_TYPES:
                    return self._result(entry, name, value, connection)
            elif opcode == SET:
                _, name, value = payload
                if connection.proxied:
                    (value,) = self._with_proxy([value], 0, connection)
                set_attribute(entry, name, value)
                value = None
            else:
                raise DataDecodeError(
                    "The opcode of a request must be GET, SET or EXECUTE, not "
                    f"{opcode}."
                )
            try:
                return encode_frame((RESULT, (entry.idx, value, None))), ()
            except (OverflowError, UnicodeEncodeError):
                # An integer over 64 bits, or a lone surrogate: pickle can encode both.
                return self._value(entry.idx, wrap(value, reduce_main_only), ())
        except BaseException as error:  # the client gets every error
            connection.take_back()
            connection.proxied = {}
            wrong = misshapen(opcode, payload)
            return self.fault(wrong or error, payload, connection)[0], FAULTED

    def _stored(
        self, entry: Entry, name: str, args: Any, connection: Connection
    ) -> Any:
        position = stored_argument(entry.target, name)
        return self._with_proxy(args, position, connection)

    def _with_proxy(
        self, values: Any, position: int | None, connection: Connection
    ) -> Any:
        """
        Return the arguments, with the proxy at a position if it must stay a proxy.
        """
        proxied, connection.proxied = connection.proxied, {}
        if position is None or position >= len(values):
            return values
        values = list(values)
        found = proxied.get(id(values[position]))
        if found is None or found[0] is not values[position]:
            return values
        if is_stored_as_proxy(found[1]):
            values[position] = self._exports.proxy_of(found[1])
        return values

    def _execute(
        self, entry: Entry, name: str, args: Any, kwargs: Any, connection: Connection
    ) -> Any:
        if name[:2] != "__":
            return call_method(entry, name, args, kwargs)
        if name == "__exit__":
            return leave(entry, connection, *args)
        if name in AWAITED:
            entry.policy.check(entry.target, name)
            if name == "__await__":
                return run_awaitable(entry.target)
            return run_awaitable(getattr(type(entry.target), name), entry.target, *args)
        return call_method(entry, name, args, kwargs)

    def _granted(
        self, entry: Entry, name: str, args: Any, kwargs: Any, connection: Connection
    ) -> Any:
        """
        Make a call that may block for long, or that may grant something.
        """
        if name == "__enter__":
            return enter(entry, connection, *args)
        entry.policy.check(entry.target, name)
        is_known = True
        try:
            value = block(connection, entry.target, name, args, kwargs)
        except AsEver:
            is_known = False
        if not is_known:
            # Outside of the handler, or AsEver would be the context of the call's
            # error.
            value = self._execute(entry, name, args, kwargs, connection)
        if name in GRANTING:
            undo = undo_of(entry, name, value, connection.thread)
            if undo is not None and entry.is_bound:
                undo = partial(connection.thread.run_where_it_was, undo)
            if undo is not None:
                connection.grants.append(undo)
        return value

    def _attribute(
        self, entry: Entry, name: str, value: Any, connection: Connection
    ) -> Answer:
        method = is_own_method(value, entry.target, name)
        if method is not None:
            mark = Ext(METHOD, OF_TYPE if method == "type" else OF_OBJECT)
            return encode_answer(entry.idx, mark), ()
        return self.export(entry, f".{name}", value, connection)

    def _result(
        self, entry: Entry, name: str, value: Any, connection: Connection
    ) -> Answer:
        if value is entry.target and name in SELF_METHODS:
            return encode_answer(entry.idx, ITSELF), ()
        if name in ("__iter__", "__reversed__"):
            return self._iteration(entry, value, connection)
        if name == "__array__":
            # numpy needs the numbers; it cannot use a proxy.
            buffers: list[Any] = []
            wrapped = wrap(value, reduce_main_only, buffers)
            return self._value(entry.idx, wrapped, buffers)
        return self.export(entry, _step_of(name), value, connection)

    def _iteration(self, entry: Entry, iterator: Any, connection: Connection) -> Answer:
        if iterator is entry.target:
            return encode_answer(entry.idx, ITSELF), ()
        many = hasattr(type(entry.target), "__len__")
        holder = connection.hello.client
        hidden = self._table.add_iterator(iterator, entry, holder)
        connection.grants.append(partial(self._table.release, [hidden.idx], holder))
        idx, items = self._desk.batch(
            connection, hidden.idx, FIRST_BATCH if many else 1
        )
        return self.export(entry, "[]", (idx, items, many), connection)

    def _at_desk(self, payload: Any, connection: Connection) -> Answer:
        _, word, args, _ = payload
        connection.proxied = {}
        if word == "batch":
            parent = self._table.get(args[0])
            return self.export(
                parent, "[]", self._desk.batch(connection, *args), connection
            )
        if word == "reference":
            entry, step, value = self._desk.reference(connection, *args)
            if args[1] == "method" and type(value) not in MUTABLE_TYPES:
                return self.export(entry, step, value, connection)
            ref = self._exports.reference(value, entry, step, connection.hello.client)
            if ref is None:
                return self.export(entry, step, value, connection)
            self._grant(connection, ref)
            return self._value(DESK, Ext(REF, encode(ref)), ())
        value = self._desk.answer(connection, word, args)
        if value is LATER:
            return NOT_YET
        return self._value(DESK, wrap(value, reduce_main_only), ())

    def export(
        self, entry: Entry, step: str, value: Any, connection: Connection
    ) -> Answer:
        """
        Answer with a value, or with a reference to an object that stays here.

        Args:
            entry: The object that returned it.
            step: The step from this object to the value.
            value: The value.
            connection: The connection that made the request.

        Raises:
            LimitedProxyChaining: A reference in it would have too high a level.
        """
        holder = connection.hello.client
        value, buffers, refs = self._exports.wrapped(value, entry, step, holder)
        if refs:
            self._grant(connection, *refs)
        return self._value(entry.idx, value, buffers)

    def _grant(self, connection: Connection, *refs: ObjectRef) -> None:
        """
        Take references in an answer back if the answer does not arrive.
        """
        held = [ref.idx for ref in refs if ref.level]
        if held:
            release = self._table.release
            connection.grants.append(partial(release, held, connection.hello.client))

    @staticmethod
    def _value(idx: int, value: Any, buffers: Sequence[Any]) -> Answer:
        return encode_answer(idx, value), buffers

    def fault(
        self, error: BaseException, payload: Any, connection: Connection
    ) -> Answer:
        """
        Answer with an exception, and log it.
        """
        try:
            return self._fault(error, payload, connection)
        except BaseException as other:  # exceptions may run any code of the user
            kind = type(error).__name__[:TYPE_NAME_CHARS]
            line = f"{kind}, which cannot be sent ({type(other).__name__})"
            return encode_fault(
                DESK, short_fault(line.encode(errors="replace").decode())
            ), ()

    def _fault(
        self, error: BaseException, payload: Any, connection: Connection
    ) -> Answer:
        idx, asked = subject_of(payload)
        entry = self._entries.get(idx)
        if entry is not None:
            error = advice_for(error, entry)
        text = traceback_text(error)
        if not (isinstance(error, UNLOGGED) or is_probe(error, asked)):
            if entry is None:
                subject = Subject(idx, f"object {idx}", "", asked)
            else:
                subject = Subject(entry.row, entry.path, entry.policy.name, asked)
            worker = (connection.hello.pid, connection.hello.process_name)
            message = message_of(error)[:MESSAGE_CHARS]
            noted = self._errors.note(error, message, text, subject, worker)
            if isinstance(error, LimitedProxyChaining):
                shared = idx if entry is None else self._shared(entry).row
                self._errors.note_cut(error, shared, noted)
        fault = pack_fault(error, reduce_main_only, text)
        return encode_fault(idx, fault), ()

    def _shared(self, entry: Entry) -> Entry:
        """
        Return the shared object through which this one was reached.
        """
        parent = entry.parent
        while parent is not None and (above := self._entries.get(parent)) is not None:
            entry, parent = above, above.parent
        return entry


def _step_of(name: str) -> str:
    if name in ("__getitem__", "__next__", "__anext__"):
        return "[]"
    return "()" if name == "__call__" else f".{name}()"
