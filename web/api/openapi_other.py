"""The routes outside of the JSON API, described for the OpenAPI document: pings, streams, health."""

from typing import Any

_TOKEN = {
    "name": "token",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The heartbeat's secret token.",
}
_RUN = {
    "name": "rid",
    "in": "query",
    "required": False,
    "schema": {"type": "string", "format": "uuid"},
    "description": "Connects the start and the end of a run if runs overlap.",
}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}


def _ping(suffix: str, summary: str, extra: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"parameters": [_TOKEN, *(extra or []), _RUN]}
    for method in ("get", "post", "head"):
        described: dict[str, Any] = {
            "operationId": f"{method}Heartbeat{suffix}",
            "summary": summary,
            "tags": ["Heartbeats"],
            "security": [],
            "responses": {
                "200": {"description": "Recorded.", "content": _TEXT},
                "401": {"description": "This heartbeat also requires an API key.", "content": _TEXT},
                "404": {"description": "The token is unknown or malformed.", "content": _TEXT},
                "503": {"description": "The database is not reachable. Send the ping again.", "content": _TEXT},
            },
        }
        if method == "post":
            described["requestBody"] = {
                "required": False,
                "description": "The first 8 kB and the last 2 kB are stored.",
                "content": {"*/*": {"schema": {"type": "string"}}},
            }
        item[method] = described
    return item


def _stream(name: str, summary: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    answer = {
        "description": "Events until the client disconnects.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": ["Live"],
            "parameters": parameters or [],
            "responses": {
                "200": answer,
                "401": {"$ref": "#/components/responses/NoCredentials"},
                "404": {"$ref": "#/components/responses/NotThere"},
                "503": {"$ref": "#/components/responses/DependencyDown"},
            },
        }
    }


def _health(
    name: str, summary: str, kind: str, *, security: list[dict[str, list[str]]] | None = None
) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "object" if kind == "application/json" else "string"}}}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": ["Health"],
            "security": security or [],
            "responses": {
                "200": {"description": "Fine.", "content": content},
                "503": {"description": "Not fine.", "content": content},
            },
        }
    }


_CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 0, "maximum": 255},
}
_MONITOR = {"name": "monitor_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}

OTHER_PATHS: dict[str, dict[str, Any]] = {
    "/api/heartbeat/{token}": _ping("", "Success"),
    "/api/heartbeat/{token}/pass": _ping("Pass", "Success"),
    "/api/heartbeat/{token}/fail": _ping("Fail", "Failure; the body is the error message"),
    "/api/heartbeat/{token}/start": _ping("Start", "A run has started"),
    "/api/heartbeat/{token}/log": _ping("Log", "Recorded; changes no state"),
    "/api/heartbeat/{token}/{code}": _ping("Code", "Exit code: 0 is success, anything else failure", [_CODE]),
    "/api/monitor-status/sse": _stream("streamProject", "Live states of the project's monitors (event: status)"),
    "/api/monitor-status/sse/{monitor_id}": _stream(
        "streamMonitor", "Live state of a monitor (event: status)", [_MONITOR]
    ),
    "/api/queue-stats/sse": _stream("streamQueues", "Live figures of the queues (event: queues)"),
    "/healthz": _health("healthz", "The process is alive", "text/plain"),
    "/readyz": _health("readyz", "Database, broker, migrations and processes are ready", "application/json"),
    "/metrics": _health("metrics", "Figures for Prometheus", "text/plain", security=[{"apiKey": []}]),
    "/api/openapi.json": {
        "get": {
            "operationId": "openapi",
            "summary": "This document",
            "tags": ["Health"],
            "security": [],
            "responses": {
                "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}
            },
        }
    },
}
