"""The rows of `test_the_table`."""

from typing import Any, NamedTuple

from actors.probes.outcome import Reason, Status


class Row(NamedTuple):
    """`address` names a bad server; `reached` the phases that took time (connect, TLS, first byte,
    download), or is `?` where that is a matter of chance."""

    address: str
    config: dict[str, Any]
    status: Status
    reason: Reason | None
    reached: str
    timeout: float

    @property
    def name(self) -> str:
        options = " ".join(f"{name}={value!r:.60}" for name, value in self.config.items())
        return f"{self.address} {options}".strip()


#: Long enough for a busy machine to get as far as the row says.
_SHORT, _LONG = 1.0, 15.0


def _up(address: str, reached: str = "cf", /, **config: Any) -> Row:
    return Row(address, config, Status.UP, None, reached, _LONG)


def _down(address: str, reason: Reason, reached: str = "cf", /, **config: Any) -> Row:
    hangs = reason in {Reason.CONNECT_TIMEOUT, Reason.READ_TIMEOUT}
    return Row(address, config, Status.DOWN, reason, reached, _SHORT if hangs else _LONG)


def _error(address: str, reason: Reason, reached: str = "", /, **config: Any) -> Row:
    return Row(address, config, Status.ERROR, reason, reached, _LONG)


def _statuses() -> list[Row]:
    wrong = Reason.UNEXPECTED_STATUS
    rows = [_up(f"{{plain}}/status/{code}") for code in (200, 201, 202, 204, 206, 299)]
    rows += [
        _down(f"{{plain}}/status/{code}", wrong)
        for code in (300, 304, 400, 401, 403, 404, 405, 408, 410, 418, 429, 500, 502, 503, 504, 511, 599)
    ]
    for code, text, good in (
        (200, "200", True),
        (204, "200", False),
        (404, "404", True),
        (404, "4xx", True),
        (404, "4XX,5xx", True),
        (503, "4xx", False),
        (503, "200, 500-503", True),
        (504, "200,500-503", False),
        (418, "200-417,419-599", False),
        (304, "2xx,3xx", True),
        (599, "599-599", True),
        (500, "1xx", False),
    ):
        address = f"{{plain}}/status/{code}"
        rows.append(_up(address, expectedStatusCodes=text) if good else _down(address, wrong, expectedStatusCodes=text))
    rows += [
        _error("{plain}/ok", Reason.INVALID_CONFIG, expectedStatusCodes=text)
        for text in ("ok", "2x", "99", "2000", ",")
    ]
    return rows


def _requests() -> list[Row]:
    rows = [_up("{plain}/ok", method=method) for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")]
    rows += [_up("{plain}/ok", method=method, body='{"a": 1}') for method in ("GET", "POST", "PUT", "DELETE", "HEAD")]
    return [
        *rows,
        _up("{plain}/ok", kind="website"),
        _up("{plain}/ok", kind="website", keywordInBody="well"),
        _down("{plain}/status/503", Reason.UNEXPECTED_STATUS, kind="website"),
        _up("{plain}/ok", headers={"X-One": "1", "X-Empty": ""}),
        _up("{plain}/ok", auth={"type": "basic", "username": "a", "password": "b"}),
        _up("{plain}/ok", auth={"type": "bearer", "token": "abc"}),
        _error("{plain}/ok", Reason.INVALID_CONFIG, method="TRACE"),
        _error("{plain}/ok", Reason.INVALID_CONFIG, auth={"type": "digest"}),
        _error("{plain}/ok", Reason.INVALID_CONFIG, auth={"type": "bearer", "token": "a\r\nX-Two: 2"}),
        _error("{plain}/ok", Reason.INVALID_CONFIG, headers={"Bad Name": "1"}),
        _error("{plain}/ok", Reason.INVALID_CONFIG, headers={"X-One": "1\nX-Two: 2"}),
        _error("ftp://127.0.0.1/", Reason.INVALID_CONFIG),
        _error("http://", Reason.INVALID_CONFIG),
        _error("http://[::1", Reason.INVALID_CONFIG),
        _error("http://127.0.0.1:banana/", Reason.INVALID_CONFIG),
        _error("{forbidden}/", Reason.BLOCKED_TARGET),
        _error("http://169.254.169.254/latest/meta-data/", Reason.BLOCKED_TARGET),
    ]


def _bodies() -> list[Row]:
    missing, mismatch, too_large = Reason.KEYWORD_MISSING, Reason.JSON_PATH_MISMATCH, Reason.RESPONSE_TOO_LARGE
    rows = [
        _up("{plain}/ok", keywordInBody="is well"),
        _down("{plain}/ok", missing, keywordInBody="Is Well"),
        _down("{plain}/status/204", missing, keywordInBody="x"),
        _down("{plain}/ok", missing, method="HEAD", keywordInBody="well"),
        _down("{plain}/ok", Reason.KEYWORD_PRESENT, keywordInBody="well", keywordInBodyShouldBePresent=False),
        _up("{plain}/ok", keywordInBody="ill", keywordInBodyShouldBePresent=False),
        _down("{plain}/status/500", Reason.UNEXPECTED_STATUS, keywordInBody="x"),
    ]
    rows += [
        _up(f"{{plain}}/charset/{charset}", keywordInBody="日本")
        for charset in (
            "utf-8",
            "utf-16",
            "utf-16-le",
            "shift_jis",
            "gb18030",
            "euc-jp",
            "unlabelled",
            "unknown",
            "codec",
        )
    ]
    rows += [
        _up(f"{{plain}}/charset/{name}", keywordInBody="grün")
        for name in ("latin-1", "meta", "unlabelled-latin-1", "xml")
    ]
    rows += [_down(f"{{plain}}/charset/{name}", missing, keywordInBody="grün") for name in ("mislabelled", "binary")]
    for name, path, expected, good in (
        ("good", "$.queue.depth", 7, True),
        ("good", "$.queue.depth", 8, False),
        ("good", "$.queue.depth", {"op": "lt", "value": 5}, False),
        ("good", "$.queue.depth", {"op": "gte", "value": 7}, True),
        ("good", "$.queue.name", {"op": "contains", "value": "ai"}, True),
        ("good", "$.queue.name", {"op": "matches", "value": "^m.*l$"}, True),
        ("good", "$.queue.name", {"op": "gt", "value": 3}, False),
        ("good", "$.list[-1]", 3, True),
        ("good", "$.none", None, True),
        ("good", "$.absent", {"op": "exists", "value": True}, False),
        ("good", "$.absent", "x", False),
        ("broken", "$.ok", True, False),
        ("empty", "$.ok", True, False),
        ("html", "$.ok", True, False),
        ("deep", "$.ok", True, False),
        ("infinite", "$.ok", True, False),
        ("huge_number", "$.ok", True, False),
        ("bom", "$.ok", True, True),
        ("sixteen", "$.ok", True, True),
        ("large", "$.ok", True, True),
        ("double", "$.ok", True, True),
    ):
        config = {"jsonPath": path, "jsonPathExpected": expected}
        address = f"{{plain}}/json/{name}"
        rows.append(_up(address, **config) if good else _down(address, mismatch, **config))
    readable = ("gzip/good", "gzip/twice", "gzip/lie", "gzip/members", "gzip/padded", "gzip/followed")
    readable += ("deflate/good", "deflate/bare", "br/good", "coding/utf-8", "coding/aws-chunked")
    readable += ("coding/identity", "coding/none", "coding/gzip-aws-chunked")
    rows += [_up(f"{{plain}}/{name}", keywordInBody="is well") for name in readable]
    rows += [_up("{plain}/gzip/empty"), _up("{plain}/gzip/broken", method="HEAD")]
    unreadable = ("broken", "cut", "cut/unannounced", "trailer", "checksum", "many-times")
    rows += [_down(f"{{plain}}/gzip/{name}", Reason.PROTOCOL_ERROR) for name in unreadable]
    rows += [_down(f"{{plain}}/{name}", Reason.PROTOCOL_ERROR) for name in ("deflate/cut", "br/cut", "br/broken")]
    bombs = ("gzip/bomb", "deflate/bomb", "br/bomb", "gzip/bomb/twice", "gzip/bomb/hollow")
    for path in (*bombs, "long/announced", "long/unannounced"):
        rows.append(_down(f"{{plain}}/{path}", too_large))
        rows.append(_down(f"{{plain}}/{path}", too_large, keywordInBody="well"))
    return [
        *rows,
        _down("{plain}/long/chunked", too_large, "cfd"),
        _down("{plain}/long/endless", too_large, "cfd"),
        _up("{plain}/long/just-allowed", "cfd"),
        _up("{plain}/long/announced", method="HEAD"),
        _up("{plain}/long/only-announced", method="HEAD"),
        _down("{plain}/long/only-announced", too_large),
        _error("{plain}/ok", Reason.INVALID_CONFIG, jsonPath="queue..["),
    ]


def _failures() -> list[Row]:
    reset, late, rules = Reason.CONNECTION_RESET, Reason.READ_TIMEOUT, Reason.PROTOCOL_ERROR
    rows = [_up(f"{{plain}}/rules/{name}", keywordInBody="well") for name in ("old", "continued", "hinted", "no-word")]
    rows += [_up(f"{{plain}}/rules/{name}", keywordInBody="well") for name in ("bare-newlines", "folded-header")]
    rows += [_down(f"{{plain}}/rules/{name}", rules, "c") for name in ("another-protocol", "binary", "no-status")]
    rows += [_down(f"{{plain}}/rules/{name}", rules) for name in ("bad-chunk", "negative-length", "no-length-number")]
    rows += [_down(f"{{plain}}/rules/{name}", rules) for name in ("nul-header", "colonless-header", "long-header")]
    return [
        *rows,
        _down("{plain}/rules/many-headers", rules),
        _down("{closed}/", Reason.CONNECTION_REFUSED, ""),
        _down("{deaf}/", Reason.CONNECT_TIMEOUT, ""),
        _down("http://no-such-host.invalid/", Reason.DNS_FAILURE, ""),
        _down("http://no-such-host.invalid/", Reason.DNS_FAILURE, "", ipVersion="6"),
        _down("{plain}/reset/at-once", reset, "c"),
        _down("{plain}/close/at-once", reset, "c"),
        _down("{plain}/close/in-headers", reset),
        _down("{plain}/close/in-body", reset),
        _down("{plain}/close/in-body", reset, expectedStatusCodes="500"),
        _down("{plain}/close/in-chunks", reset),
        _down("{plain}/silent/at-once", late, "c"),
        _down("{plain}/silent/in-headers", late),
        _down("{plain}/silent/in-body", late, "cfd"),
        _down("{plain}/drip/headers", late),
        _down("{plain}/drip/body", late, "cfd"),
        _down("{plain}/drip/hints", late),
        _up("{plain}/slow/first-byte"),
        _up("{plain}/slow/first-byte", maxResponseTimeMs=10_000),
        _down("{plain}/slow/first-byte", Reason.RESPONSE_TOO_SLOW, maxResponseTimeMs=100),
        _down("{plain}/slow/body", Reason.RESPONSE_TOO_SLOW, "cfd", maxResponseTimeMs=100),
        _up("{plain}/slow/body", "cfd", keywordInBody="well"),
        _up("{v6}/ok"),
        _up("{v6}/ok", ipVersion="6"),
        _up("{localhost}/ok", ipVersion="4"),
        _up("{localhost}/ok"),
        _up("{plain}/ok", ipVersion="4"),
        _down("{plain}/ok", Reason.DNS_FAILURE, "", ipVersion="6"),
        _down("{v6}/ok", Reason.DNS_FAILURE, "", ipVersion="4"),
    ]


def _redirects() -> list[Row]:
    many, rules, blocked = Reason.TOO_MANY_REDIRECTS, Reason.PROTOCOL_ERROR, Reason.BLOCKED_TARGET
    rows = [_up(f"{{plain}}/to/{status}", keywordInBody="well") for status in (301, 302, 303, 307, 308)]
    rows += [_up(f"{{plain}}/to/{status}", method="POST", body="a=1") for status in (301, 302, 303, 307, 308)]
    rows += [_up("{plain}/to/" + name) for name in ("relative", "no-scheme", "fragment", "slow", "other-family")]
    rows += [_down("{plain}/to/" + name, many) for name in ("loop", "ping", "hops/6")]
    rows += [_down("{plain}/to/" + name, rules) for name in ("file", "ftp", "gopher", "script", "unreadable")]
    forbidden = ("forbidden", "forbidden-decimal", "forbidden-hex", "forbidden-mapped", "forbidden-metadata")
    rows += [_error("{plain}/to/" + name, blocked, "cf") for name in (*forbidden, "forbidden-user-info")]
    return [
        *rows,
        _up("{plain}/to/hops/5"),
        _up("{plain}/to/hops/7", maxRedirects=7),
        _down("{plain}/to/hops/7", many, maxRedirects=6),
        _down("{plain}/to/302", many, maxRedirects=0),
        _down("{plain}/to/302", Reason.UNEXPECTED_STATUS, followRedirects=False),
        _up("{plain}/to/302", followRedirects=False, expectedStatusCodes="302"),
        _up("{plain}/to/forbidden", followRedirects=False, expectedStatusCodes="302"),
        _down("{plain}/to/nowhere", Reason.UNEXPECTED_STATUS),
        _down("{plain}/to/empty", Reason.UNEXPECTED_STATUS),
        _down("{plain}/to/404", Reason.UNEXPECTED_STATUS),
        _down("{plain}/to/302", Reason.UNEXPECTED_STATUS, expectedStatusCodes="302"),
        _down("{plain}/to/closed", Reason.CONNECTION_REFUSED),
        _down("{plain}/to/silent", Reason.READ_TIMEOUT),
        _down("{plain}/to/unknown-name", Reason.DNS_FAILURE),
        _up("{plain}/to/good", "ctf"),
        _down("{plain}/to/expired", Reason.TLS_ERROR),
        _up("{plain}/to/expired", "ctf", verifyTls=False),
        _down("{plain}/to/wrong_host", Reason.TLS_ERROR),
    ]


def _tls() -> list[Row]:
    bad = ("expired", "early", "wrong_host", "untrusted", "self_signed")
    rows = [_down(f"{{{name}}}/ok", Reason.TLS_ERROR, "c") for name in bad]
    rows += [_down(f"{{{name}}}/ok", Reason.TLS_ERROR, "c", kind="website") for name in bad]
    rows += [_up(f"{{{name}}}/ok", "ctf", verifyTls=False, enableSslCheck=True) for name in bad]
    rows += [
        _down(f"{{{name}}}/", Reason.TLS_ERROR, "c")
        for name in ("plain_on_tls", "garbage_on_tls", "alert_on_tls", "old_tls")
    ]
    rows += [_down(f"{{{name}}}/", Reason.CONNECTION_RESET, "?") for name in ("reset_on_tls", "close_on_tls")]
    rows += [_up("{good}/ok", "ctf", enableSslCheck=True, ipVersion="4", keywordInBody="well")]
    rows += [_up("{good}/ok", "ctf", method=method) for method in ("POST", "HEAD")]
    return [
        *rows,
        _up("{good}/ok", "ctf"),
        _up("{good}/ok", "ctf", kind="website"),
        _up("{soon}/ok", "ctf", kind="website", sslDaysUntilExpirationWarning=30),
        _up("{soon}/ok", "ctf"),
        _down("{good}/status/500", Reason.UNEXPECTED_STATUS, "ctf"),
        # TLS ends without `close_notify` here: that is the end of a body whose length was not announced, and no other.
        _up("{good}/rules/old", "ctf", keywordInBody="is well"),
        _up("{good}/rules/continued", "ctf", keywordInBody="is well"),
        _down("{good}/close/in-body", Reason.CONNECTION_RESET, "ctf"),
        _down("{good}/close/in-chunks", Reason.CONNECTION_RESET, "ctf"),
        _down("{good}/close/in-headers", Reason.CONNECTION_RESET, "ctf"),
        _down("{good}/close/at-once", Reason.CONNECTION_RESET, "ct"),
        _down("{good}/gzip/cut/unannounced", Reason.PROTOCOL_ERROR, "ctf"),
        _down("{good}/silent/at-once", Reason.READ_TIMEOUT, "ct"),
        _down("{good}/drip/body", Reason.READ_TIMEOUT, "ctfd"),
        _down("{good}/gzip/bomb", Reason.RESPONSE_TOO_LARGE, "ctf"),
        _down("{good}/long/announced", Reason.RESPONSE_TOO_LARGE, "ctf"),
        _down("{handshake_never_ends}/", Reason.CONNECT_TIMEOUT, "c"),
        _down("{handshake_never_ends}/", Reason.CONNECT_TIMEOUT, "c", verifyTls=False),
        _down("{wants_our_certificate}/ok", Reason.TLS_ERROR, "c"),
        _down("{tls_spoken_to_plainly}/ok", Reason.CONNECTION_RESET, "c"),
    ]


ROWS = [*_statuses(), *_requests(), *_bodies(), *_failures(), *_redirects(), *_tls()]
