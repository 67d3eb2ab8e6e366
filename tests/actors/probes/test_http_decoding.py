"""Content codings, fed in pieces of any size."""

import gzip
import itertools
import zlib
from collections.abc import Callable
from functools import partial

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.probes import http_decoding
from actors.probes.http_body import MAX_EXCERPT, Body
from actors.probes.http_decoding import Undecodable

MEGABYTE = 1024 * 1024
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=4),
}


def received(names: list[str], pieces: list[bytes], largest: int = MEGABYTE) -> Body:
    body = Body(largest, keep_all=True)
    body.begin(names)
    for piece in pieces:
        if not body.take(piece):
            return body
    body.finish()
    return body


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


cuts = st.lists(st.integers(0, 10_000), max_size=20)


@given(st.binary(max_size=5000), st.lists(st.sampled_from(sorted(PACKERS)), max_size=3), cuts)
def test_what_was_packed_is_unpacked_whatever_the_pieces(data: bytes, names: list[str], places: list[int]) -> None:
    packed = data
    for name in names:
        packed = PACKERS[name](packed)
    body = received(names, cut_up(packed, places))
    assert (body.content, body.fault, body.too_large) == (data, "", False)


@given(st.lists(st.binary(max_size=500), min_size=1, max_size=4), st.sampled_from([b"", bytes(600), b"\r\n"]), cuts)
def test_gzip_members_follow_each_other_and_padding_is_ignored(
    members: list[bytes], padding: bytes, places: list[int]
) -> None:
    packed = b"".join(gzip.compress(one) + (padding if not padding.strip(b"\0") else b"") for one in members) + padding
    body = received(["gzip"], cut_up(packed, places))
    assert (body.content, body.fault) == (b"".join(members), "")


@given(st.sampled_from(sorted(PACKERS)), st.binary(min_size=1, max_size=2000), st.integers(1, 10_000), cuts)
def test_a_stream_that_ends_in_the_middle_is_a_fault(name: str, data: bytes, less: int, places: list[int]) -> None:
    packed = PACKERS[name](data)
    short = packed[: max(1, len(packed) - less)]
    assert received([name], cut_up(short, places)).fault == "sent a compressed answer that ends in the middle"


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=300), cuts)
def test_garbage_ends_in_a_fault_or_in_bytes_and_never_in_an_exception(
    name: str, garbage: bytes, places: list[int]
) -> None:
    received([name], cut_up(garbage, places))


@pytest.mark.parametrize("name", sorted(PACKERS))
def test_a_bomb_is_given_up_at_the_limit(name: str) -> None:
    bomb = bytes(5 * MEGABYTE)
    body = received([name], [brotli.compress(bomb, quality=1) if name == "br" else PACKERS[name](bomb)])
    assert body.too_large
    assert len(body.content) <= MEGABYTE


def test_an_answer_without_a_body_is_complete_whatever_its_coding() -> None:
    body = Body(MEGABYTE, keep_all=True)
    body.finish()
    assert (body.content, body.fault) == (b"", "")


def test_only_the_beginning_is_kept_where_no_more_is_needed() -> None:
    body = Body(MEGABYTE, keep_all=False)
    body.begin([])
    for _ in range(100):
        assert body.take(b"x" * 1000)
    assert len(body.content) == len(body.excerpt) == MAX_EXCERPT
    assert body.excerpt_is_cut


def test_more_codings_than_any_server_needs_are_refused() -> None:
    with pytest.raises(Undecodable):
        http_decoding.choose(["gzip"] * 6)
    assert http_decoding.choose(["utf-8", "aws-chunked", "identity"]) == []
