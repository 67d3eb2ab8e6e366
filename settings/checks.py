"""Processes, locations, limits of checks, alerts."""

from dataclasses import dataclass

from settings import values
from settings.setting import Section, setting
from settings.values import PROTOCOLS, TLS_VERSIONS, LocationSpec

BUILT_IN_LOCATIONS = (
    LocationSpec("us-east", "Ashburn"),
    LocationSpec("eu-central", "Falkenstein"),
    LocationSpec("asia-pacific", "Singapore"),
)


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """Processes, locations, limits of checks, alerts."""

    process: str = setting(
        Section.PROCESSES_AND_LOCATIONS,
        "SUPERCHECK_PROCESS",
        values.choice("web", "scheduler", "worker", "check_worker"),
        "",
        "Role of this process: `web`, `scheduler`, `worker` or `check_worker`.",
        shown="set by Supercheck",
    )
    locations: tuple[LocationSpec, ...] = setting(
        Section.PROCESSES_AND_LOCATIONS,
        "LOCATIONS",
        values.location_list,
        BUILT_IN_LOCATIONS,
        "Locations that the first start creates: codes, or `code=Name`, at most 200; the first one is the default "
        "location. Later starts append missing ones. Other changes are made on *Locations* or with "
        "`supercheck locations`.",
        shown="`us-east`, `eu-central`, `asia-pacific`",
    )
    worker_location: str = setting(
        Section.PROCESSES_AND_LOCATIONS,
        "WORKER_LOCATION",
        values.location,
        "",
        "The only location that this check worker serves. If it is unset, the worker serves every location, "
        "including those added while it runs.",
        shown="all",
    )
    multi_location_distributed: bool = setting(
        Section.PROCESSES_AND_LOCATIONS,
        "MULTI_LOCATION_DISTRIBUTED",
        values.boolean,
        True,
        "Whether locations have their own workers.",
        unused=True,
    )
    parallel_threads: int = setting(
        Section.PROCESSES_AND_LOCATIONS,
        "PARALLEL_THREADS",
        values.integer(1, 256),
        8,
        "Messages that a worker handles at once: batches of checks, rounds to decide, alerts to plan.",
    )
    delivery_threads: int = setting(
        Section.PROCESSES_AND_LOCATIONS,
        "DELIVERY_THREADS",
        values.integer(4, 256),
        24,
        "Messages that a worker sends at once, on their own threads: at most two for one provider, and a third of them "
        "for one project.",
    )
    disable_monitor_scheduler: bool = setting(
        Section.PROCESSES_AND_LOCATIONS,
        "DISABLE_MONITOR_SCHEDULER",
        values.boolean,
        False,
        "Starts no checks; everything else keeps running.",
    )
    disable_job_scheduler: bool = setting(
        Section.PROCESSES_AND_LOCATIONS, "DISABLE_JOB_SCHEDULER", values.boolean, False, "Starts no jobs.", unused=True
    )
    min_check_interval_seconds: int = setting(
        Section.CHECKS,
        "MIN_CHECK_INTERVAL_SECONDS",
        values.integer(5, 86_400),
        60,
        "Shortest interval of a monitor; at least 5.",
    )
    allow_internal_targets: bool = setting(
        Section.CHECKS,
        "ALLOW_INTERNAL_TARGETS",
        values.boolean,
        False,
        "Allows targets and webhooks in internal networks. Leave it off if you do not trust every user.",
    )
    allowed_internal_targets: tuple[str, ...] = setting(
        Section.CHECKS,
        "ALLOWED_INTERNAL_TARGETS",
        values.internal_targets,
        (),
        "Internal targets that are allowed: CIDRs and host names, such as `10.0.0.0/8,db.internal`.",
        shown="none",
    )
    max_response_size_mb: int = setting(
        Section.CHECKS,
        "MAX_RESPONSE_SIZE_MB",
        values.integer(1, 1024),
        10,
        "Largest decoded response; a larger one fails the check.",
    )
    max_concurrent_connections: int = setting(
        Section.CHECKS,
        "MAX_CONCURRENT_CONNECTIONS",
        values.integer(1, 100_000),
        2000,
        "Open connections of one check worker.",
    )
    max_connections_per_host: int = setting(
        Section.CHECKS,
        "MAX_CONNECTIONS_PER_HOST",
        values.integer(1, 100_000),
        500,
        "Checks of one host at the same time. Further checks wait; the wait does not count as the target's "
        "response time.",
    )
    allowed_protocols: tuple[str, ...] = setting(
        Section.CHECKS,
        "ALLOWED_PROTOCOLS",
        values.protocols,
        PROTOCOLS,
        "Protocols of HTTP checks, redirects included. `https` alone refuses unencrypted targets when they "
        "are saved, and shows existing ones as blocked.",
        shown="`http,https`",
    )
    min_tls_version: str = setting(
        Section.CHECKS,
        "MIN_TLS_VERSION",
        values.choice(*TLS_VERSIONS),
        "1.2",
        "Lowest TLS version that a check accepts: `1.0`, `1.1`, `1.2` or `1.3`. Below 1.2, the ciphers of "
        "that version are accepted as well.",
    )
    dns_cache_seconds: int = setting(
        Section.CHECKS,
        "DNS_CACHE_SECONDS",
        values.integer(0, 30),
        30,
        "How long a check worker caches the addresses of a name; 0 to 30.",
    )
    max_string_length: int = setting(
        Section.CHECKS,
        "MAX_STRING_LENGTH",
        values.integer(256, 10_000_000),
        10_000,
        "Longest text, in characters, of any field of the API or of a form. Fields with a lower limit keep it.",
    )
    max_request_body_length: int = setting(
        Section.CHECKS,
        "MAX_REQUEST_BODY_LENGTH",
        values.integer(0, 262_144),
        262_144,
        "Longest body, in characters, that an HTTP check sends.",
    )
    max_memory_usage_mb: int = setting(
        Section.CHECKS,
        "MAX_MEMORY_USAGE_MB",
        values.integer(128, 1_048_576),
        1024,
        "Private memory of one worker process (`worker`, `check_worker`, `scheduler`); at least 128. Above "
        "it, the process finishes its current work and exits; its supervisor restarts it.",
    )
    max_execution_time_ms: int = setting(
        Section.CHECKS,
        "MAX_EXECUTION_TIME_MS",
        values.integer(1000, 86_400_000),
        300_000,
        "Longest time of one try of a check, whatever its own timeout. A longer try is stopped and recorded "
        "as an error of Supercheck.",
    )
    storm_threshold: int = setting(
        Section.ALERTS,
        "STORM_THRESHOLD",
        values.integer(0, 1_000_000),
        10,
        "If more monitors of one project than this change within 30 s, human channels receive one summary of "
        "the further changes instead of one message each; webhooks receive every event. `0` disables "
        "grouping.",
    )
    fallback_after_minutes: int = setting(
        Section.ALERTS,
        "FALLBACK_AFTER_MINUTES",
        values.integer(1, 1440),
        15,
        "After this time without success, a message is also sent to the fallback of its provider, if it has "
        "one; 1 to 1440. Retries continue.",
    )
