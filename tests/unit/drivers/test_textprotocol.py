"""Replies of the text protocol, decoded from whatever pieces they arrive in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.drivers.asyncmy import _CompiledIncoming
from dbrouter.drivers.textprotocol import Column, Columns, Incoming, OutOfOrderError


def packet(number: int, payload: bytes) -> bytes:
    """*payload* as packets, 16 MB and more continued as the protocol wants it."""
    out = b""
    while True:
        piece, payload = payload[:0xFFFFFF], payload[0xFFFFFF:]
        out += len(piece).to_bytes(3, "little") + bytes([number & 0xFF]) + piece
        number += 1
        if len(piece) < 0xFFFFFF:
            return out


def text(value: bytes | None) -> bytes:
    if value is None:
        return b"\xfb"
    size = len(value)
    if size < 251:
        return bytes([size]) + value
    if size < 1 << 16:
        return b"\xfc" + size.to_bytes(2, "little") + value
    if size < 1 << 24:
        return b"\xfd" + size.to_bytes(3, "little") + value
    return b"\xfe" + size.to_bytes(8, "little") + value


def eof(number: int, status: int = 2, warnings: int = 0) -> bytes:
    return packet(number, b"\xfe" + warnings.to_bytes(2, "little") + status.to_bytes(2, "little"))


def ok(number: int, affected: bytes = b"\x01", insert_id: bytes = b"\x00", status: int = 2) -> bytes:
    return packet(number, b"\x00" + affected + insert_id + status.to_bytes(2, "little") + b"\x00\x00info")


def result(names: list[bytes], rows: list[list[bytes | None]], *, first: int = 1, status: int = 2) -> bytes:
    out = packet(first, bytes([len(names)]))
    number = first + 1
    for name in names:
        out += packet(number, name)
        number += 1
    out += eof(number)
    number += 1
    for row in rows:
        out += packet(number, b"".join(text(value) for value in row))
        number += 1
    return out + eof(number, status)


def columns() -> Columns:
    def parse(payload: bytes) -> Column:
        raw = payload == b"raw"
        return payload.decode(), None if raw else bytes.decode, (0, None, None) if raw else (1, "utf8", None)

    return Columns(parse)


def feed_all(
    data: bytes,
    sizes: list[int] | None = None,
    known: Columns | None = None,
    statement: str | None = None,
    make: Callable[[], Incoming] | None = None,
) -> Incoming:
    """Feed *data* in pieces, as a connection does: never again before what was needed is there."""
    incoming = make() if make is not None else Incoming(known or columns(), 1, statement)
    buffer_of = bytearray if isinstance(incoming, _CompiledIncoming) else bytes
    buffer = b""
    need = 5
    for size in [*(sizes or []), len(data)]:
        buffer, data = buffer + data[:size], data[size:]
        if len(buffer) >= need and not incoming.done:
            position, need = incoming.feed(buffer_of(buffer), 0, len(buffer))
            buffer = buffer[position:]
    assert incoming.done and not buffer
    return incoming


def test_rows_and_status() -> None:
    """A result set becomes rows with names; NULL is None, a column without converter stays bytes."""
    incoming = feed_all(result([b"a", b"raw"], [[b"x", b"\xff"], [None, None]], status=0x23))

    assert incoming.rows == [("x", b"\xff"), (None, None)]
    assert incoming.rows[0]["raw"] == b"\xff"
    assert (incoming.has_columns, incoming.status, incoming.error) == (True, 0x23, None)


def test_an_ok_packet() -> None:
    """A statement without columns says how many rows it changed and which id it made, also in long numbers."""
    incoming = feed_all(ok(1, b"\xfc\x10\x27", b"\xfe" + (1 << 40).to_bytes(8, "little"), status=3))

    assert (incoming.affected, incoming.insert_id, incoming.status, incoming.info) == (10_000, 1 << 40, 3, b"info")
    assert not incoming.has_columns


def test_an_error_at_once_and_behind_rows() -> None:
    """An error packet ends the reply wherever it stands, and is handed over unread."""
    error = b"\xff\x28\x04#42000nope"
    rows = result([b"a"], [[b"x"]])

    assert feed_all(packet(1, error)).error == error
    late = feed_all(rows[:-9] + packet(5, error))
    assert (late.error, late.rows) == (error, [("x",)])


def test_a_command_of_many_packets_refused_before_its_end() -> None:
    """The server counts only the packets it has read when it says that the statement is too large."""
    error = b"\xff\x81\x04#08S01Got a packet bigger than 'max_allowed_packet' bytes"
    incoming = Incoming(columns(), 3)

    incoming.feed(packet(1, error), 0, len(packet(1, error)))

    assert incoming.done and incoming.error == error


def test_several_results() -> None:
    """Of a CALL's results the first that has columns is kept, the rest is read away."""
    data = result([b"a"], [[b"1"]], status=2 | 8) + result([b"b"], [[b"2"]], first=6, status=2 | 8) + ok(11)

    incoming = feed_all(data)

    assert [dict(row) for row in incoming.rows] == [{"a": "1"}]
    assert incoming.affected == 1


@given(st.lists(st.integers(1, 40), max_size=60), st.lists(st.binary(max_size=600), max_size=30))
def test_any_cut_gives_the_same_rows(sizes: list[int], values: list[bytes]) -> None:
    """Where the network cuts a reply makes no difference."""
    data = result([b"raw", b"a"], [[value, b"y"] for value in values])

    assert feed_all(data, sizes).rows == [(value, "y") for value in values]


@given(
    kind=st.sampled_from([Incoming, _CompiledIncoming]),
    values=st.lists(st.tuples(st.none() | st.binary(max_size=400), st.none() | st.text(max_size=5)), max_size=6),
    end=st.sampled_from([eof, partial(eof, status=2 | 8), partial(packet, payload=b"\xff\x28\x04#42000nope")]),
    seen_before=st.booleans(),
    sizes=st.lists(st.integers(1, 300), max_size=6),
)
def test_a_reply_that_begins_as_the_last_time_is_read_as_ever(
    kind: type[Incoming],
    values: list[tuple[bytes | None, str | None]],
    end: Callable[[int], bytes],
    seen_before: bool,
    sizes: list[int],
) -> None:
    """Whoever takes a reply, in one go or piece by piece, by our parser or by asyncmy's, finds the same in it."""
    known = columns()
    names = [b"raw", b"a"]
    if seen_before:
        first = result(names, [[b"1", b"2"]])
        feed_all(first, make=lambda: kind(known, 1, "SELECT"))
    rows = [[value, None if other is None else other.encode()] for value, other in values]
    data = result(names, rows)[:-9] + end(5 + len(rows))
    if end(0)[-2] & 8:
        data += ok(6 + len(rows))

    incoming = feed_all(data, sizes, make=lambda: kind(known, 1, "SELECT"))

    plain = feed_all(data)
    assert incoming.rows == plain.rows == values[: len(incoming.rows)] and len(incoming.rows) == len(values)
    for fact in ("has_columns", "error", "affected", "insert_id", "warnings", "status", "info"):
        assert getattr(incoming, fact) == getattr(plain, fact)


@pytest.mark.parametrize("kind", [Incoming, _CompiledIncoming])
def test_a_value_that_looks_like_the_end_of_a_reply_is_no_end(kind: type[Incoming]) -> None:
    """Only a packet ends a reply: bytes in the middle of a value never do, wherever the network cuts them."""
    value = eof(5) * 20
    data = result([b"raw"], [[value], [b"last"]])
    known = columns()
    feed_all(data, make=lambda: kind(known, 1, "SELECT"))

    for cut in range(5, len(data)):
        assert feed_all(data, [cut], make=lambda: kind(known, 1, "SELECT")).rows == [(value,), (b"last",)]


@pytest.mark.parametrize("kind", [Incoming, _CompiledIncoming])
def test_a_known_reply_out_of_order_is_refused(kind: type[Incoming]) -> None:
    """That a reply begins as the last time does not excuse what follows."""
    data = result([b"a"], [[b"x"]])
    known = columns()
    feed_all(data, make=lambda: kind(known, 1, "SELECT"))

    for broken in (data[:-9] + eof(9), data[:-9] + packet(7, b"\x01y") + eof(6)):
        with pytest.raises(OutOfOrderError):
            feed_all(broken, make=lambda: kind(known, 1, "SELECT"))


def test_rows_of_sixteen_megabytes() -> None:
    """A row that needs several packets is one row, also where its length ends exactly at a packet."""
    for size in (0xFFFFFF - 9, 0xFFFFFF - 8, 0x1000010):
        big = b"z" * size
        row = text(big)
        extra = len(row) // 0xFFFFFF
        data = packet(1, b"\x01") + packet(2, b"raw") + eof(3) + packet(4, row) + packet(5 + extra, text(b"end")) + eof(6 + extra)

        assert feed_all(data, [100, 5_000_000, 5_000_000]).rows == [(big,), (b"end",)]


def test_a_row_of_sixteen_megabytes_that_goes_on_out_of_order_is_refused() -> None:
    """What follows a whole packet belongs to its row only with the next number."""
    data = packet(1, b"\x01") + packet(2, b"raw") + eof(3) + packet(4, text(b"z" * 0x1000010))
    following = data.index(b"\x05", len(data) - 100)

    with pytest.raises(OutOfOrderError, match="in the middle of a row"):
        feed_all(data[:following] + b"\x06" + data[following + 1 :])


def test_a_row_that_starts_like_an_end() -> None:
    """A first column longer than 16 MB starts with the byte of an EOF packet and is no end."""
    big = b"z" * (1 << 24)
    data = packet(1, b"\x01") + packet(2, b"raw") + eof(3) + packet(4, text(big)) + eof(6)

    assert feed_all(data).rows == [(big,)]


def test_more_than_255_packets() -> None:
    """Packet numbers wrap around."""
    incoming = feed_all(result([b"a"], [[str(number).encode()] for number in range(1000)]))

    assert incoming.rows[-1] == ("999",)


@pytest.mark.parametrize(
    "data",
    [
        ok(2),
        packet(1, b"\xfb/etc/passwd"),
        result([b"a"], [[b"x"]])[:-9] + eof(9),
        packet(1, b"\x01") + packet(2, b"a") + packet(3, b"\x01a") + eof(4),
        packet(1, b"\x01") + packet(2, b"a") + eof(7),
    ],
)
def test_what_is_not_our_reply_is_refused(data: bytes) -> None:
    """Packets out of order, a request for a local file, a missing end of columns: never rows."""
    with pytest.raises(OutOfOrderError):
        feed_all(data)


def test_last_words_of_the_server_are_kept() -> None:
    """An error that the server sent before it read the command comes with the number 0."""
    with pytest.raises(OutOfOrderError) as caught:
        feed_all(packet(0, b"\xff\xbf\x0f#HY000bye"))

    assert caught.value.payload == b"\xff\xbf\x0f#HY000bye"


def test_column_lists_are_parsed_once_and_forgotten_in_time() -> None:
    """The same columns give the same row class; the memory is bounded."""
    parsed = []

    def parse(payload: bytes) -> Column:
        parsed.append(payload)
        return payload.decode(), bytes.decode, None

    known = Columns(parse, limit=2)
    rows = [feed_all(result([name], [[b"1"]]), known=known).rows[0] for name in (b"a", b"a", b"b", b"c", b"a")]

    assert type(rows[0]) is type(rows[1]) is not type(rows[4])
    assert parsed == [b"a", b"b", b"c", b"a"]


REPLIES = [
    result([b"a", b"b"], [[b"1", b"2"]]),
    result([b"a", b"b"], [[b"3", None], [b"4", b"5"]], status=0x23),
    result([b"a", b"b"], []),
    result([b"a", b"c"], [[b"1", b"2"]]),
    result([b"a"], [[b"1"]]),
    result([b"a", b"b", b"c"], [[b"1", b"2", b"3"]]),
    result([b"x" * 300], [[b"1"]]),
    result([b"a", b"b"], [[b"1", b"2"]], status=0x0A) + result([b"z"], [[b"9"]], first=7),
    ok(1),
    packet(1, b"\xff\x28\x04#42000nope"),
    result([b"a", b"b"], [[b"1", b"2"]])[:-9] + packet(6, b"\xff\x28\x04#42000nope"),
]
"""What a server may answer to one and the same text, from one time to the next."""


@pytest.mark.parametrize("first", range(len(REPLIES)))
def test_a_remembered_beginning_changes_nothing(first: int) -> None:
    """Whatever came the last time, and wherever the next reply is cut, it means what it means without a memory."""
    for second in REPLIES:
        plain = feed_all(second)
        for cut in range(len(second) + 1):
            known = columns()
            feed_all(REPLIES[first], known=known, statement="SELECT")
            again = feed_all(second, [cut], known, "SELECT")
            for name in ("rows", "has_columns", "error", "affected", "insert_id", "status", "warnings", "info"):
                assert getattr(again, name) == getattr(plain, name), (name, cut)
            assert [tuple(row.keys()) for row in again.rows] == [tuple(row.keys()) for row in plain.rows]


def test_beginnings_are_remembered_in_bounded_number_and_length() -> None:
    """By text; the oldest goes first, and long texts or lists are not worth it."""
    known = columns()
    for number in range(600):
        feed_all(REPLIES[0], known=known, statement=f"SELECT {number}")
    assert len(known.heads) == 512 and "SELECT 0" not in known.heads and "SELECT 599" in known.heads
    feed_all(REPLIES[0], known=known, statement="x" * 9000)
    feed_all(result([b"n" * 200] * 60, []), known=known, statement="wide")
    assert "x" * 9000 not in known.heads and "wide" not in known.heads


def test_a_packet_out_of_order_is_refused_behind_a_known_beginning_too() -> None:
    """The numbers of the packets are part of what is compared."""
    known = columns()
    feed_all(REPLIES[0], known=known, statement="SELECT")
    wrong = bytearray(REPLIES[0])
    wrong[len(REPLIES[0]) - 9 - 4 - 4 + 3] ^= 0x40  # the row's number

    with pytest.raises(OutOfOrderError):
        feed_all(bytes(wrong), known=known, statement="SELECT")
