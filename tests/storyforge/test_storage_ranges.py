"""Byte ranges as RFC 9110 has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge.errors import RangeNotSatisfiable
from storyforge.storage import ByteRange, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-499", ByteRange(0, 499)),
        ("bytes=500-", ByteRange(500)),
        ("bytes=-500", ByteRange(None, 500)),
        ("Bytes=0-0", ByteRange(0, 0)),
    ],
)
def test_a_range_header_is_read(header: str, expected: ByteRange) -> None:
    assert parse_range(header) == expected
    assert expected.header.lower() == header.lower()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=0-1,3-4",
        "items=0-1",
        "bytes=a-b",
        "bytes=0-1;x",
        "bytes=" + "9" * 30 + "-",
        "bytes=\u0661-\u0662",
        "bytes=0-1" + ",0-1" * 10_000,
    ],
)
def test_what_is_no_single_range_is_ignored(header: str | None) -> None:
    assert parse_range(header) is None


@given(
    first=st.none() | st.integers(0, 40),
    last=st.none() | st.integers(0, 40),
    size_bytes=st.integers(0, 30),
)
def test_a_resolved_range_is_what_slicing_gives(
    first: int | None, last: int | None, size_bytes: int
) -> None:
    data = bytes(range(size_bytes))
    if first is None:
        expected = data[-last:] if last else b""
    else:
        expected = data[first:] if last is None else data[first : last + 1]
    asked = ByteRange(first, last)
    if expected:
        begin, length = asked.resolve(size_bytes)
        assert length == len(expected)
        assert data[begin : begin + length] == expected
    else:
        with pytest.raises(RangeNotSatisfiable) as caught:
            asked.resolve(size_bytes)
        assert caught.value.size_bytes == size_bytes
