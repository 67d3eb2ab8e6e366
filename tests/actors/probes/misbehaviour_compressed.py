"""Answers of the bad servers that are compressed, well or badly."""

import gzip
import zlib
from functools import cache

import brotli

from .site import Site

MEGABYTE = 1024 * 1024


@cache
def _bombs() -> dict[str, tuple[bytes, str]]:
    """What is small and becomes large, with its coding; made once for all bad servers."""
    bomb = bytes(30 * MEGABYTE)
    packed, padded = gzip.compress(bomb, 1), zlib.compressobj(1, wbits=31)
    # Its outer layer is small, its inner one is mostly padding.
    hollow = padded.compress(gzip.compress(b"all is well")) + padded.compress(bytes(60 * MEGABYTE)) + padded.flush()
    return {
        "/gzip/bomb": (packed, "gzip"),
        "/gzip/bomb/twice": (gzip.compress(packed), "gzip, gzip"),
        "/gzip/bomb/hollow": (hollow, "gzip, gzip"),
        "/deflate/bomb": (zlib.compress(bomb, 1), "deflate"),
        "/br/bomb": (brotli.compress(bomb, quality=1), "br"),
    }


def speak_compressed(site: Site) -> None:
    word = b"all is well"
    for path, (body, coding) in _bombs().items():
        site.answer(path, body, Content_Encoding=coding)
    site.answer("/gzip/good", gzip.compress(word), Content_Encoding="gzip")
    site.answer("/deflate/good", zlib.compress(word), Content_Encoding="deflate")
    site.answer("/gzip/twice", gzip.compress(gzip.compress(word)), Content_Encoding="gzip, gzip")
    site.answer("/gzip/broken", b"not gzip at all", Content_Encoding="gzip")
    site.answer("/gzip/cut", gzip.compress(b"all is well" * 9999)[:60], Content_Encoding="gzip")
    site.answer("/gzip/lie", word, Content_Encoding="klingon")
    site.answer("/gzip/trailer", gzip.compress(word)[:-4], Content_Encoding="gzip")
    site.answer("/gzip/checksum", gzip.compress(word)[:-8] + bytes(8), Content_Encoding="gzip")
    site.answer("/gzip/members", gzip.compress(b"all is") + gzip.compress(b" well"), Content_Encoding="x-gzip")
    site.answer("/gzip/padded", gzip.compress(word) + bytes(512), Content_Encoding="gzip")
    site.answer("/gzip/followed", gzip.compress(word) + b"\r\n<!-- served -->", Content_Encoding="gzip")
    site.answer("/gzip/empty", b"", Content_Encoding="gzip")
    site.answer("/gzip/many-times", word, Content_Encoding="gzip, " * 6)
    cut = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"all is well" * 9999)[:60]
    site.script("/gzip/cut/unannounced", lambda connection: connection.sendall(cut))
    site.answer("/br/good", brotli.compress(word), Content_Encoding="br")
    site.answer("/br/cut", brotli.compress(bytes(range(256)) * 99)[:60], Content_Encoding="br")
    site.answer("/br/broken", b"not brotli at all", Content_Encoding="br")
    for name in ("utf-8", "aws-chunked", "identity", "none", "gzip, aws-chunked"):
        body = gzip.compress(word) if "gzip" in name else word
        site.answer(f"/coding/{name.replace(', ', '-')}", body, Content_Encoding=name)
    site.answer("/deflate/bare", zlib.compress(word, wbits=-15), Content_Encoding="deflate")
    site.answer("/deflate/cut", zlib.compress(b"all is well" * 9999)[:60], Content_Encoding="deflate")
