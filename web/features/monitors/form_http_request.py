"""The inputs of an HTTP request monitor; `website` has most of them as well."""

from typing import Any

from web.ui.fields import Choice, Exact, LongText, Number, Switch, Text
from web.ui.structured_fields import Headers, JsonValue

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
AUTH = (("none", "None"), ("basic", "User name and password"), ("bearer", "Bearer token"))
IP_VERSIONS = (("auto", "Automatic"), ("4", "IPv4 only"), ("6", "IPv6 only"))

#: What both kinds of HTTP monitors share.
ANSWER: dict[str, Any] = {
    "config.expectedStatusCodes": Text(
        "Expected status codes", description="Codes, ranges and classes: 200-299, 2xx, or 200,204,301-302."
    ),
    "config.keywordInBody": Exact(
        "Keyword", description="A text that the answer is searched for; empty: not searched."
    ),
    "config.keywordInBodyShouldBePresent": Choice(
        "The keyword", choices=(("true", "must be there"), ("false", "must not be there"))
    ),
    "config.jsonPath": Text("JSON path", description="Such as $.status or $.checks[0].ok; empty: not looked at."),
    "config.jsonPathExpected": JsonValue(
        "Expected value",
        description='A JSON value, such as "ok", 3, true or null; or {"op": "gte", "value": 3}. Empty: any value.',
    ),
    "config.maxResponseTimeMs": Number("Slowest answer in ms", description="A slower one counts as down; empty: any."),
    "config.auth.type": Choice("Authentication", choices=AUTH),
    "config.auth.username": Exact("User name"),
    "config.auth.password": Exact("Password"),
    "config.auth.token": Exact("Token"),
    "config.followRedirects": Switch("Follow redirects"),
    "config.maxRedirects": Number("Redirects at most"),
    "config.verifyTls": Switch("Verify the certificate", description="A certificate that does not fit is then down."),
    "config.enableSslCheck": Switch("Watch the certificate's expiry"),
    "config.sslDaysUntilExpirationWarning": Number("Days before expiry to warn"),
    "config.reuseConnection": Switch(
        "Keep the connection",
        description="Check over one that is kept open; not where the certificate is watched.",
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
FIELDS: dict[str, Any] = {
    "config.method": Choice("Method", choices=[(word, word) for word in METHODS]),
    "config.headers": Headers("Headers", description="One a line: Name: value. Credentials are stored encrypted."),
    "config.body": LongText("Body", description="JSON, XML and forms are recognised; set Content-Type for others."),
    **ANSWER,
}
