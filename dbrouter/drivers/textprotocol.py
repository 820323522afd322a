"""
Decode a reply of MySQL's text protocol straight from the receive buffer, without any I/O.

aiomysql awaits twice for every packet of a reply: a one-row answer costs it a dozen awaits. Nearly every reply is complete
when its first byte is seen, so `Incoming.feed` takes all whole packets that are there and says how many bytes must be there
before it can go on. Column descriptions, which are the same bytes every time a statement is run, are parsed once and
remembered by `Columns`.

Guarantees: a reply that is `done` left nothing of itself in the buffer; packets out of order raise `OutOfOrderError` and
never become rows. Left to the driver: what an error packet means (`Incoming.error` is its payload), how a column's bytes become
a value, and waiting.

Source: the protocol reference of MySQL ("Text Resultset", "OK_Packet", "ERR_Packet"), without DEPRECATE_EOF.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbrouter.drivers.rows import Row, row_class

Converter = Callable[[bytes], Any]
Column = tuple[str, Converter | None, Any]
"""(name, what makes a value of the column's bytes or None for bytes as they are, the same for a library's own row parser)."""

Table = tuple[type[Row], tuple[Converter | None, ...], tuple[Any, ...]]
"""What a list of columns makes of a row: row class, converters, and the library's own."""

MORE_RESULTS = 0x0008
"""Status bit: another result follows (CALL)."""

_LONGEST_REMEMBERED = 8192
"""Characters of a text, and bytes of a reply's beginning, that are worth remembering."""
_SHORT = 2048
"""Bytes of a reply up to which `Incoming` tries to take it in one go."""
_LONGEST = 0xFFFFFF
"""A packet of this length is continued by the next one."""


class OutOfOrderError(Exception):
    """The buffer does not hold the reply to the last command; `payload` is the error packet where the server sent one unasked."""

    def __init__(self, message: str, payload: bytes | None = None) -> None:
        super().__init__(message)
        self.payload = payload


class Head:
    """
    How the reply to a text began the last time: the bytes up to the end of the column descriptions, and what they mean.

    Nearly always it begins so again, and comparing is faster than taking apart.
    """

    __slots__ = ("length", "sequence", "start", "table")

    def __init__(self, start: bytes, sequence: int, table: Table) -> None:
        self.start = start
        self.length = len(start)
        self.sequence = sequence
        """Number of the packet that ends the descriptions."""
        self.table = table


class Columns:
    """
    Column lists seen so far, by the very bytes that describe them, and how replies begin, by the text of the statement.

    Args:
        parse: (payload of one column description) → (name, converter).
        limit: how many lists to remember; the oldest goes first.
    """

    __slots__ = ("_known", "_limit", "_parse", "heads")

    def __init__(self, parse: Callable[[bytes], Column], limit: int = 512) -> None:
        self._parse = parse
        self._limit = limit
        self._known: dict[bytes, Table] = {}
        self.heads: dict[str, Head] = {}

    def find(self, packets: bytes) -> Table:
        """The table for *packets*, the column descriptions with their headers."""
        found = self._known.get(packets)
        if found is None:
            columns = [self._parse(payload) for payload in _payloads(packets)]
            names, converters, compiled = zip(*columns, strict=True)
            found = row_class(names), converters, compiled
            if len(self._known) >= self._limit:
                del self._known[next(iter(self._known))]
            self._known[packets] = found
        return found

    def remember(self, text: str, head: Head) -> None:
        """Expect the next reply to *text* to begin with *head*."""
        if len(text) > _LONGEST_REMEMBERED or head.length > _LONGEST_REMEMBERED:
            return
        if len(self.heads) >= self._limit:
            del self.heads[next(iter(self.heads))]
        self.heads[text] = head


def _payloads(packets: bytes) -> list[bytes]:
    found = []
    position = 0
    while position < len(packets):
        length = packets[position] | packets[position + 1] << 8 | packets[position + 2] << 16
        found.append(packets[position + 4 : position + 4 + length])
        position += 4 + length
    return found


class Incoming:
    """
    The reply to one command, while it comes in.

    Args:
        columns: column lists seen so far.
        sequence: number of the reply's first packet: how many packets the command had.
        text: of the statement, where it may have been replied to before.

    Attributes:
        done: the last packet was taken.
        rows: rows of the first result that had columns; a reader may take rows out at any time.
        has_columns: whether there was such a result (rows may still be empty).
        error: payload of the error packet that ended the reply, or None.
        affected, insert_id, warnings: of the last OK packet.
        status: server status flags of the last packet that had them; None if there was none.
        info: payload behind the warnings of the last OK packet (message and, with SESSION_TRACK, the session's changes).
    """

    __slots__ = (
        "_columns",
        "_keep",
        "_sequence",
        "_table",
        "_text",
        "affected",
        "done",
        "error",
        "has_columns",
        "info",
        "insert_id",
        "rows",
        "status",
        "warnings",
    )

    def __init__(self, columns: Columns, sequence: int = 1, text: str | None = None) -> None:
        self._columns = columns
        self._table: Table | None = None
        self._text = text
        self._keep = True
        self._sequence = sequence & 0xFF
        self.rows: list[Row] = []
        self.done = False
        self.has_columns = False
        self.error: bytes | None = None
        self.affected = 0
        self.insert_id = 0
        self.warnings = 0
        self.status: int | None = None
        self.info = b""

    def feed(self, data: bytes | bytearray, position: int, end: int) -> tuple[int, int]:
        """
        Take the whole packets in ``data[position:end]``.

        Returns:
            (position behind what was taken, 0 when the reply is `done`, else how many bytes must follow that position before the
            next call can get further).

        Raises:
            OutOfOrderError: the packets are not the reply to our command.
        """
        text = self._text
        if text is not None and (head := self._columns.heads.get(text)) is not None:
            if end - position <= _SHORT and self._take_at_once(data, position, end, head):
                return end, 0
            position = self._take_known_head(data, position, end, head)
        need = 0
        while not need and not self.done:
            if self._table is not None:
                position, need = self._take_rows(data, position, end, self._table)
            else:
                position, need = self._take_head(data, position, end)
        return position, need

    def _take_at_once(self, data: bytes | bytearray, start: int, end: int, head: Head) -> bool:
        """
        Take a reply that is all there and begins as the last time, as nearly every reply of a few rows does.

        Returns:
            False where it is anything else; then nothing was taken, and the other ways say what it is.
        """
        at = start + head.length + 9
        last = end - 9
        if at > last or data[last + 4] != 0xFE or not data.startswith(head.start, start):
            return False
        if data[at - 5] != 0xFE or data[at - 6] != head.sequence:
            return False
        rows, at, sequence = self._take_short_rows(data, at, last, head)
        if at != last or data[at] != 5 or data[at + 3] != sequence or data[end - 2] & MORE_RESULTS:
            return False
        self.rows = rows
        self.has_columns = self.done = True
        self.warnings = data[end - 4] | data[end - 3] << 8
        self.status = data[end - 2] | data[end - 1] << 8
        return True

    def _take_short_rows(self, data: bytes | bytearray, at: int, last: int, head: Head) -> tuple[list[Row], int, int]:
        """The rows in ``data[at:last]`` up to the first that is not plain, the position behind them, the packet number there."""
        make, converters, _ = head.table
        rows: list[Row] = []
        sequence = head.sequence + 1 & 0xFF
        while at < last:
            stop = at + 4 + (data[at] | data[at + 1] << 8 | data[at + 2] << 16)
            if stop > last or data[at + 3] != sequence or data[at + 4] == 0xFF:
                break
            next_at = at + 4
            values: list[Any] = []
            for converter in converters:
                size = data[next_at]
                next_at += 1
                if size > 250:
                    if size > 251:
                        return rows, at, sequence
                    values.append(None)
                    continue
                piece: Any = data[next_at : next_at + size]
                next_at += size
                values.append(piece if converter is None else converter(piece))
            if next_at != stop:
                break
            rows.append(make(values))
            at = stop
            sequence = sequence + 1 & 0xFF
        return rows, at, sequence

    def _take_known_head(self, data: bytes | bytearray, start: int, size: int, head: Head) -> int:
        """What `_take_head` does, where all of it is there and as the last time; nothing where it is not."""
        if size - start < head.length + 9 or not data.startswith(head.start, start):
            return start
        mark = start + head.length
        if data[mark + 4] != 0xFE or data[mark + 3] != head.sequence:
            return start
        self._text = None
        self._table = head.table
        self.has_columns = True
        self._sequence = (head.sequence + 1) & 0xFF
        return mark + 9

    def _take_head(self, data: bytes | bytearray, start: int, size: int) -> tuple[int, int]:
        """The first packet of a result, and the column descriptions where it has columns: all of them or nothing."""
        if size - start < 5:
            return start, 5
        length = data[start] | data[start + 1] << 8 | data[start + 2] << 16
        position = start + 4 + length
        if size < position:
            return start, 4 + length
        text, self._text = self._text, None
        lead = data[start + 4]
        if lead == 0xFF and 0 < data[start + 3] < self._sequence:
            # The server refused a command of several packets before it had read them all: larger than max_allowed_packet.
            self.error = bytes(data[start + 4 : position])
            self.done = True
            return position, 0
        if data[start + 3] != self._sequence:
            payload = bytes(data[start + 4 : position]) if lead == 0xFF and data[start + 3] == 0 else None
            raise OutOfOrderError(f"packet number {data[start + 3]} instead of {self._sequence}", payload)
        if lead == 0x00:
            self._sequence = self._sequence + 1 & 0xFF
            self._end_with_ok(data, start + 5, position)
            return position, 0
        if lead == 0xFF:
            self.error = bytes(data[start + 4 : position])
            self.done = True
            return position, 0
        if lead == 0xFB:
            raise OutOfOrderError("the server asks for a local file, which is never given")
        count, _ = _length_encoded(data, start + 4)
        first = position
        for _ in range(count):
            if size - position < 4:
                self._text = text
                return start, position + 4 - start
            position += 4 + (data[position] | data[position + 1] << 8 | data[position + 2] << 16)
        if size - position < 9:
            self._text = text
            return start, position + 9 - start
        if data[position + 4] != 0xFE or data[position + 3] != (self._sequence + count + 1) & 0xFF:
            raise OutOfOrderError("no end of the column descriptions where it belongs")
        self._table = self._columns.find(bytes(data[first:position]))
        if text is not None and self._sequence == 1:
            self._columns.remember(text, Head(bytes(data[start:position]), data[position + 3], self._table))
        self._keep = not self.has_columns
        self.has_columns = True
        self._sequence = (self._sequence + count + 2) & 0xFF
        return position + 9, 0

    def _take_rows(self, data: bytes | bytearray, position: int, size: int, table: Table) -> tuple[int, int]:
        """Every whole row of *data* from *position* on, and the end of the result where it is there."""
        make, converters, _ = table
        rows = self.rows
        sequence = self._sequence
        need = 0
        while True:
            if size - position < 5:
                need = 5
                break
            length = data[position] | data[position + 1] << 8 | data[position + 2] << 16
            at = position + 4
            end = at + length
            if size < end:
                need = 4 + length
                break
            if data[position + 3] != sequence:
                raise OutOfOrderError(f"packet number {data[position + 3]} instead of {sequence}")
            lead = data[at]
            if lead == 0xFE and length < 9:
                position = end
                sequence = sequence + 1 & 0xFF
                self.warnings = data[at + 1] | data[at + 2] << 8
                self._end_result(data[at + 3] | data[at + 4] << 8)
                break
            if lead == 0xFF:
                self.error = bytes(data[at:end])
                self.done = True
                position = end
                break
            source: bytes | bytearray = data
            if length == _LONGEST:
                whole = _join(data, position, size)
                if isinstance(whole, int):
                    need = whole
                    break
                source, end, at, sequence = whole
            position = end
            sequence = sequence + 1 & 0xFF
            values: list[Any] = []
            for converter in converters:
                size_of = source[at]
                at += 1
                if size_of > 250:
                    if size_of == 251:
                        values.append(None)
                        continue
                    if size_of == 252:
                        size_of = source[at] | source[at + 1] << 8
                        at += 2
                    elif size_of == 253:
                        size_of = source[at] | source[at + 1] << 8 | source[at + 2] << 16
                        at += 3
                    else:
                        size_of = int.from_bytes(source[at : at + 8], "little")
                        at += 8
                piece: Any = source[at : at + size_of]
                at += size_of
                values.append(piece if converter is None else converter(piece))
            if self._keep:
                rows.append(make(values))
        self._sequence = sequence
        return position, need

    def _end_with_ok(self, data: bytes | bytearray, position: int, end: int) -> None:
        self.affected, position = _length_encoded(data, position)
        self.insert_id, position = _length_encoded(data, position)
        self.warnings = data[position + 2] | data[position + 3] << 8
        self.info = bytes(data[position + 4 : end])
        self._end_result(data[position] | data[position + 1] << 8)

    def _end_result(self, status: int) -> None:
        self.status = status
        self._table = None
        self.done = not status & MORE_RESULTS


def _join(data: bytes | bytearray, position: int, size: int) -> int | tuple[bytes, int, int, int]:
    """
    A row of 16 MB or more: (payload, where its last packet ends, 0, number of its last packet), or the bytes needed to have
    it.
    """
    spans: list[tuple[int, int]] = []
    start = position
    first = data[position + 3]
    while True:
        if size - position < 4:
            return position + 4 - start
        length = data[position] | data[position + 1] << 8 | data[position + 2] << 16
        end = position + 4 + length
        if size < end:
            return end - start
        if data[position + 3] != (first + len(spans)) & 0xFF:
            raise OutOfOrderError(f"packet number {data[position + 3]} in the middle of a row that began with {first}")
        spans.append((position + 4, end))
        if length < _LONGEST:
            # Nothing is copied before all of it is there: a row of 1 GB is asked for 64 times.
            return b"".join([data[at:until] for at, until in spans]), end, 0, data[position + 3]
        position = end


def _length_encoded(data: bytes | bytearray, position: int) -> tuple[int, int]:
    """(number, position behind it)."""
    lead = data[position]
    if lead < 251:
        return lead, position + 1
    if lead == 252:
        return data[position + 1] | data[position + 2] << 8, position + 3
    if lead == 253:
        return data[position + 1] | data[position + 2] << 8 | data[position + 3] << 16, position + 4
    return int.from_bytes(data[position + 1 : position + 9], "little"), position + 9
