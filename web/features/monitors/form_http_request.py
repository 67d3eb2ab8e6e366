"""The inputs of an HTTP request monitor. Website monitors share most of them."""

from typing import Any

from web.ui.fields import Choice, Exact, LongText, Number, Switch, Text
from web.ui.structured_fields import Headers, JsonValue

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
AUTH = (("none", "None"), ("basic", "User name and password"), ("bearer", "Bearer token"))
IP_VERSIONS = (("auto", "Automatic"), ("4", "IPv4 only"), ("6", "IPv6 only"))

#: Inputs that HTTP request and website monitors share.
ANSWER: dict[str, Any] = {
    "config.expectedStatusCodes": Text(
        "Expected status codes", description="Codes, ranges or classes, such as 200-299, 2xx or 200,204,301-302."
    ),
    "config.keywordInBody": Exact("Keyword", description="Optional. Text to search for in the response."),
    "config.keywordInBodyShouldBePresent": Choice(
        "Keyword must be", choices=(("true", "present"), ("false", "absent"))
    ),
    "config.jsonPath": Text("JSON path", description="Optional. Such as $.status or $.checks[0].ok."),
    "config.jsonPathExpected": JsonValue(
        "Expected value",
        description='Optional. A JSON value, such as "ok", 3, true or null; or {"op": "gte", "value": 3}.',
    ),
    "config.maxResponseTimeMs": Number(
        "Maximum response time (ms)", description="Optional. A slower response counts as down."
    ),
    "config.auth.type": Choice("Authentication", choices=AUTH),
    "config.auth.username": Exact("User name"),
    "config.auth.password": Exact("Password"),
    "config.auth.token": Exact("Token"),
    "config.followRedirects": Switch("Follow redirects"),
    "config.maxRedirects": Number("Maximum redirects"),
    "config.verifyTls": Switch("Verify the certificate", description="An invalid certificate counts as down."),
    "config.enableSslCheck": Switch("Check the certificate's expiry date"),
    "config.sslDaysUntilExpirationWarning": Number("Warn this many days before expiry"),
    "config.reuseConnection": Switch(
        "Reuse the connection",
        description="Keep one connection open for all checks. Has no effect while the certificate's expiry date is checked.",
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
FIELDS: dict[str, Any] = {
    "config.method": Choice("Method", choices=[(word, word) for word in METHODS]),
    "config.headers": Headers("Headers", description="One per line, as Name: value. Credentials are stored encrypted."),
    "config.body": LongText(
        "Body", description="JSON, XML and form data are detected. Set a Content-Type header for other formats."
    ),
    **ANSWER,
}
