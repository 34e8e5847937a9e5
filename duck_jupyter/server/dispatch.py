"""
A request frame in, an answer frame out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta
from msgspec.msgpack import Decoder, Ext

from ..errors import DataDecodeError, LimitedProxyChaining
from ..protocol.faults import (
    FAULT,
    pack_fault,
    parse_fault,
    short_fault,
)
from ..protocol.opcodes import ProxyOpCode
from ..protocol.refs import (
    DESK,
    METHOD,
    OF_OBJECT,
    OF_TYPE,
    REF,
    SELF,
    TYPE_NAME_CHARS,
    resolving,
)
from ..protocol.special import FIRST_BATCH, INPLACE
from ..protocol.tracebacks import describe, traceback_text
from ..protocol.values import (
    MUTABLE_TYPES,
    PLAIN_TYPES,
    encode,
    load_extension,
    reduce_main_only,
    wrap,
)
from .blocking import BLOCKING, AsEver, block
from .contexts import enter, leave
from .desk import LATER
from .exports import is_stored_as_proxy, stored_argument
from .grants import GRANTING, undo_of
from .loops import run_awaitable
from .objects import not_found
from .operations import (
    advice_for,
    call_method,
    get_attribute,
    is_own_method,
    set_attribute,
)
from .shapes import misshapen, subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..protocol.refs import ObjectRef
    from .callers import Caller
    from .counters import ErrorLog
    from .desk import Desk
    from .exports import Exports
    from .objects import Entry, ObjectTable

__all__ = ["LOCKED", "NOT_YET", "Dispatcher"]

GET, SET, EXECUTE = map(int, (ProxyOpCode.GET, ProxyOpCode.SET, ProxyOpCode.EXECUTE))
RESULT = int(ProxyOpCode.EXECUTION_RESULT)
#: The object itself is the answer: the client goes on with the proxy that it has.
ITSELF = Ext(METHOD, SELF)
SELF_METHODS = frozenset(
    {"__enter__", "__aenter__", "__aiter__", *(f"__i{name}__" for name in INPLACE)}
)
AWAITED = frozenset({"__await__", "__anext__", "__aenter__", "__aexit__"})
#: Ends of iterations are no errors that anyone wants to read about.
UNLOGGED = (StopIteration, StopAsyncIteration)
#: What is kept of an exception's text; its worker gets all of it.
MESSAGE_CHARS = 2000

BLOCKING_OR_GRANTING = BLOCKING | GRANTING

#: Of those that a client may send.
Opcode = Annotated[int, Meta(ge=GET, le=EXECUTE)]

Answer = tuple[bytes, "Sequence[Any]"]
#: In place of an answer that comes later: see `desk.LATER`.
NOT_YET: Answer = b"", ()
#: The answer to a client whose turn at a lock has come.
LOCKED = encode((RESULT, (DESK, None, None)))


class Dispatcher:
    """
    Answers requests. Any thread of the server may call it.

    Args:
        table: The objects.
        errors: Where exceptions are noted.
        desk: What answers calls to the server itself.
        exports: What makes answers of values.
    """

    def __init__(
        self, table: ObjectTable, errors: ErrorLog, desk: Desk, exports: Exports
    ) -> None:
        self._table = table
        self._entries = table.entries
        self._errors = errors
        self._desk = desk
        self._exports = exports

    def decoder(self, caller: Caller) -> Callable[[bytes], Any]:
        """
        Make the decoder for the requests of one caller.
        """

        def resolved(token: Any) -> Any:
            entry = self._table.get(token[1])
            if token[0] != "object":
                return get_attribute(entry, token[2])
            target = entry.target
            caller.proxied[id(target)] = target, entry
            return target

        def extension(code: int, data: memoryview) -> Any:
            with resolving(resolved):
                if code == FAULT:
                    return parse_fault(data)
                return load_extension(code, data, caller.buffers)

        return Decoder(tuple[Opcode, Any], ext_hook=extension).decode

    def answer(
        self, opcode: int, payload: Any, entry: Entry | None, caller: Caller
    ) -> Answer:
        """
        Do what a request says; every failure is an answer as well.

        Args:
            opcode: GET, SET or EXECUTE.
            payload: What belongs to it.
            entry: The object it is for, where there is one.
            caller: Who asks.
        """
        try:
            if entry is None:
                if payload and payload[0] == DESK:
                    return self._at_desk(payload, caller)
                raise not_found(payload[0] if payload else None)
            # An open object's plain name needs no look at the policy.
            if opcode == GET:
                _, name = payload
                if entry.is_open and name[:2] != "__":
                    value = getattr(entry.target, name)
                else:
                    value = get_attribute(entry, name)
                if type(value) not in PLAIN_TYPES:
                    return self._attribute(entry, name, value, caller)
            elif opcode == EXECUTE:
                _, name, args, kwargs = payload
                if caller.proxied:
                    args = self._stored(entry, name, args, caller)
                if name in BLOCKING_OR_GRANTING:
                    value = self._granted(entry, name, args, kwargs, caller)
                elif entry.is_open and name[:2] != "__":
                    value = getattr(entry.target, name)(*args, **kwargs)
                else:
                    value = self._execute(entry, name, args, kwargs, caller)
                if type(value) not in PLAIN_TYPES:
                    return self._result(entry, name, value, caller)
            elif opcode == SET:
                _, name, value = payload
                if caller.proxied:
                    (value,) = self._with_proxy([value], 0, caller)
                set_attribute(entry, name, value)
                value = None
            else:
                raise DataDecodeError(f"A frame with opcode {opcode} is no request.")
            try:
                return encode((RESULT, (entry.idx, value, None))), ()
            except (OverflowError, UnicodeEncodeError):
                # A number over 64 bits, or a lone surrogate: pickle can.
                return self._value(entry.idx, wrap(value, reduce_main_only), ())
        except BaseException as error:  # everything goes to who asked
            caller.take_back()
            caller.proxied = {}
            wrong = misshapen(opcode, payload)
            return self.fault(wrong or error, payload, caller)

    def _stored(self, entry: Entry, name: str, args: Any, caller: Caller) -> Any:
        position = stored_argument(entry.target, name)
        return self._with_proxy(args, position, caller)

    def _with_proxy(self, values: Any, position: int | None, caller: Caller) -> Any:
        """
        Give arguments with the proxy that came at a position, if it is to stay one.
        """
        proxied, caller.proxied = caller.proxied, {}
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
        self, entry: Entry, name: str, args: Any, kwargs: Any, caller: Caller
    ) -> Any:
        if name[:2] != "__":
            return call_method(entry, name, args, kwargs)
        if name == "__exit__":
            return leave(entry, caller, *args)
        if name in AWAITED:
            entry.policy.check(entry.target, name)
            if name == "__await__":
                return run_awaitable(entry.target)
            return run_awaitable(getattr(type(entry.target), name), entry.target, *args)
        return call_method(entry, name, args, kwargs)

    def _granted(
        self, entry: Entry, name: str, args: Any, kwargs: Any, caller: Caller
    ) -> Any:
        """
        Call what may block for long, or grant something.
        """
        if name == "__enter__":
            return enter(entry, caller, *args)
        entry.policy.check(entry.target, name)
        is_known = True
        try:
            value = block(caller, entry.target, name, args, kwargs)
        except AsEver:
            is_known = False
        if not is_known:
            # Outside of the handler, for AsEver would be the context of its error.
            value = self._execute(entry, name, args, kwargs, caller)
        if name in GRANTING:
            undo = undo_of(entry, name, value, caller.thread)
            if undo is not None and entry.is_bound:
                undo = partial(caller.thread.run_where_it_was, undo)
            if undo is not None:
                caller.grants.append(undo)
        return value

    def _attribute(self, entry: Entry, name: str, value: Any, caller: Caller) -> Answer:
        method = is_own_method(value, entry.target, name)
        if method is not None:
            mark = Ext(METHOD, OF_TYPE if method == "type" else OF_OBJECT)
            return encode((RESULT, (entry.idx, mark, None))), ()
        return self.export(entry, f".{name}", value, caller)

    def _result(self, entry: Entry, name: str, value: Any, caller: Caller) -> Answer:
        if value is entry.target and name in SELF_METHODS:
            return encode((RESULT, (entry.idx, ITSELF, None))), ()
        if name in ("__iter__", "__reversed__"):
            return self._iteration(entry, value, caller)
        if name == "__array__":
            # numpy asks for the numbers, and could do nothing with a proxy.
            buffers: list[Any] = []
            wrapped = wrap(value, reduce_main_only, buffers)
            return self._value(entry.idx, wrapped, buffers)
        return self.export(entry, _step_of(name), value, caller)

    def _iteration(self, entry: Entry, iterator: Any, caller: Caller) -> Answer:
        if iterator is entry.target:
            return encode((RESULT, (entry.idx, ITSELF, None))), ()
        many = hasattr(type(entry.target), "__len__")
        holder = caller.hello.client
        hidden = self._table.add_iterator(iterator, entry, holder)
        caller.grants.append(partial(self._table.release, [hidden.idx], holder))
        idx, items = self._desk.batch(caller, hidden.idx, FIRST_BATCH if many else 1)
        return self.export(entry, "[]", (idx, items, many), caller)

    def _at_desk(self, payload: Any, caller: Caller) -> Answer:
        _, word, args, _ = payload
        caller.proxied = {}
        if word == "batch":
            parent = self._table.get(args[0])
            return self.export(parent, "[]", self._desk.batch(caller, *args), caller)
        if word == "reference":
            entry, step, value = self._desk.reference(caller, *args)
            if args[1] == "method" and type(value) not in MUTABLE_TYPES:
                return self.export(entry, step, value, caller)
            ref = self._exports.reference(value, entry, step, caller.hello.client)
            if ref is None:
                return self.export(entry, step, value, caller)
            self._grant(caller, ref)
            return self._value(DESK, Ext(REF, encode(ref)), ())
        value = self._desk.answer(caller, word, args)
        if value is LATER:
            return NOT_YET
        return self._value(DESK, wrap(value, reduce_main_only), ())

    def export(self, entry: Entry, step: str, value: Any, caller: Caller) -> Answer:
        """
        Answer with a value, or with a reference to what stays here.

        Args:
            entry: The object that was asked.
            step: What led from it to the value.
            value: The value.
            caller: Who asked.

        Raises:
            LimitedProxyChaining: A reference in it would have too high a level.
        """
        holder = caller.hello.client
        value, buffers, refs = self._exports.wrapped(value, entry, step, holder)
        if refs:
            self._grant(caller, *refs)
        return self._value(entry.idx, value, buffers)

    def _grant(self, caller: Caller, *refs: ObjectRef) -> None:
        """
        Let references in an answer be taken back, should it not arrive.
        """
        held = [ref.idx for ref in refs if ref.level]
        if held:
            release = self._table.release
            caller.grants.append(partial(release, held, caller.hello.client))

    @staticmethod
    def _value(idx: int, value: Any, buffers: Sequence[Any]) -> Answer:
        return encode((RESULT, (idx, value, None))), buffers

    def fault(self, error: BaseException, payload: Any, caller: Caller) -> Answer:
        """
        Answer with an exception, and note it.
        """
        try:
            return self._fault(error, payload, caller)
        except BaseException as other:  # any code of the user's may run in an exception
            kind = type(error).__name__[:TYPE_NAME_CHARS]
            line = f"{kind}, which cannot be sent ({type(other).__name__})"
            return short_fault(line.encode(errors="replace").decode()), ()

    def _fault(self, error: BaseException, payload: Any, caller: Caller) -> Answer:
        idx, asked = subject_of(payload)
        entry = self._entries.get(idx)
        if entry is not None:
            error = advice_for(error, entry)
        text = traceback_text(error)
        if not isinstance(error, UNLOGGED):
            name = f"object {idx}" if entry is None else entry.path
            worker = (caller.hello.pid, caller.hello.process_name)
            message = describe(error).partition(": ")[2][:MESSAGE_CHARS]
            self._errors.note(error, message, text, idx, name, asked, worker)
            if isinstance(error, LimitedProxyChaining):
                what, _, path = (error.target_obj or "").partition(" at ")
                shared = idx if entry is None else self._shared(entry).idx
                self._errors.note_cut(error, message, path, what, shared)
        fault = pack_fault(error, reduce_main_only, text)
        return encode((RESULT, (idx, None, fault))), ()

    def _shared(self, entry: Entry) -> Entry:
        """
        Give the object that was shared, and through which this one was reached.
        """
        parent = entry.parent
        while parent is not None and (above := self._entries.get(parent)) is not None:
            entry, parent = above, above.parent
        return entry


def _step_of(name: str) -> str:
    if name in ("__getitem__", "__next__", "__anext__"):
        return "[]"
    return "()" if name == "__call__" else f".{name}()"
