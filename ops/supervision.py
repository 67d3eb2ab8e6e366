"""The supervisor's configuration: which programs run, and how they are started, restarted and stopped."""

import fcntl
import hashlib
import os
import shlex
import signal
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ops.embedded import foreground, place
from ops.problem import Problem

CONFIGURATION = "supervisord.conf"
APP_PROCESSES = ("web", "scheduler", "worker", "check_worker")
#: The kernel's numbers of the capabilities to bind ports below 1024, and to open raw sockets for ping checks.
CAP_NET_BIND_SERVICE, CAP_NET_RAW = 10, 13
FIRST_FREE_PORT = 1024
#: The kernel's limit on a socket's path is 107 bytes, and the supervisor adds a process id while it binds.
LONGEST_SOCKET_PATH = 95

HEAD = """\
[supervisord]
nodaemon=true
{user}logfile=/dev/null
logfile_maxbytes=0
loglevel=warn
pidfile={directory}/supervisord.pid
childlogdir={directory}
minfds=4096

[unix_http_server]
file={socket}
chmod=0700
username=supercheck
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = """
[program:{name}]
command={command}
directory={directory}
environment={environment}
redirect_stderr=true
stdout_logfile={console}
stdout_logfile_maxbytes={console_bytes}
stdout_logfile_backups=1
{behaviour}
"""

# A program that runs for a second has started. One that dies sooner is restarted after a growing pause, without limit.
ALWAYS = "autorestart=true\nstartsecs=1\nstartretries=1000000\n"
APP = ALWAYS + "autostart=false\nstopsignal=TERM\nstopwaitsecs=15\nstopasgroup=true\nkillasgroup=true"
# SIGINT is PostgreSQL's fast shutdown: clean, without waiting for clients to leave.
POSTGRES = ALWAYS + "autostart=true\npriority=1\nstopsignal=INT\nstopwaitsecs=60"
VALKEY = ALWAYS + "autostart=true\npriority=2\nstopsignal=TERM\nstopwaitsecs=20"
# The release runs once, and again only if it was killed. If a step fails, it prints the error and stops the supervisor.
RELEASE = (
    "autostart=true\nautorestart=unexpected\nexitcodes=0,1,2\nstartsecs=0\nstartretries=3\npriority=3\n"
    "stopasgroup=true\nkillasgroup=true"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program: its `command` without the `ops/child.py` wrapper, its `environment` without secrets."""

    name: str
    command: list[str]
    behaviour: str
    death_signal: signal.Signals = signal.SIGKILL
    #: Root runs it as the service user, with these `capabilities` (the kernel's numbers).
    as_service: bool = False
    keeps_environment: bool = False
    capabilities: tuple[int, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def _ours(name: str, behaviour: str, *arguments: str, as_service: bool = False, port: int = 0) -> Program:
    """Return a program that runs a module of Supercheck; `port` is the port of the web process.

    MALLOC_ARENA_MAX is low because glibc would otherwise keep memory for each of the hundreds of threads.
    """
    variables = [("MALLOC_ARENA_MAX", os.environ.get("MALLOC_ARENA_MAX", "2")), ("PYTHONUNBUFFERED", "1")]
    if name in APP_PROCESSES:
        variables.append(("SUPERCHECK_PROCESS", name))
    command = [sys.executable, "-P", "-m", *arguments]
    capabilities: tuple[int, ...] = ()
    if name == "check_worker":
        capabilities = (CAP_NET_RAW,)
    elif name == "web" and port < FIRST_FREE_PORT:
        capabilities = (CAP_NET_BIND_SERVICE,)
    return Program(
        name=name,
        command=command,
        behaviour=behaviour,
        as_service=as_service,
        keeps_environment=True,
        capabilities=capabilities,
        environment=tuple(variables),
    )


def programs(
    postgres: list[str] | None, valkey: list[str] | None, *, as_service: bool = False, port: int = FIRST_FREE_PORT
) -> list[Program]:
    """Return all programs. `postgres` and `valkey` are the embedded servers' commands, None if there are external servers.

    With `as_service`, the application's processes run as the service user; `port` is the port of the web process. The
    release always runs as root: it needs the supervisor's socket and the first account's file, and it ends soon.
    """
    found = []
    if postgres:
        found.append(
            Program(name="postgres", command=postgres, behaviour=POSTGRES, death_signal=signal.SIGINT, as_service=True)
        )
    if valkey:
        found.append(
            Program(name="valkey", command=valkey, behaviour=VALKEY, death_signal=signal.SIGTERM, as_service=True)
        )
    found.append(_ours("release", RELEASE, "ops", "release"))
    return found + [_ours(name, APP, "ops.processes", name, as_service=as_service, port=port) for name in APP_PROCESSES]


def _escaped(text: str) -> str:
    """Return `text` escaped for the configuration file, in which % starts an expansion."""
    return text.replace("%", "%%")


def _section(program: Program, directory: Path, console: str, parent: int) -> str:
    command = foreground.bound_command(
        program.command,
        parent=parent,
        death_signal=program.death_signal,
        as_service=program.as_service,
        keeps_environment=program.keeps_environment,
        capabilities=program.capabilities,
    )
    return PROGRAM.format(
        name=program.name,
        command=_escaped(shlex.join(command)),
        directory="/" if program.as_service else _escaped(str(directory)),
        environment=",".join(f'{name}="{_escaped(value)}"' for name, value in program.environment),
        console=_escaped(console or str(directory / f"{program.name}.log")),
        console_bytes="0" if console else "10MB",
        behaviour=program.behaviour,
    )


def configuration(found: list[Program], directory: Path, console: str, parent: int) -> str:
    """Return the file's text. `console` is the path for all output, or empty for one log file for each program.

    `parent` is the supervisor's process id.
    """
    head = HEAD.format(
        user="user=root\n" if os.geteuid() == 0 else "",
        directory=_escaped(str(directory)),
        socket=_escaped(str(socket_path(directory))),
        password=place.new_password(),
    )
    group = f"\n[group:app]\nprograms={','.join(APP_PROCESSES)}\npriority=10\n"
    return head + "".join(_section(program, directory, console, parent) for program in found) + group


def shared_console() -> str:
    """Return a path by which the supervisor can reopen this process's standard output.

    Return an empty string if that is impossible: for a socket, or another user's terminal.
    """
    path = "/dev/fd/1"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY))
    except OSError:
        return ""
    # If it is a file, several processes write to it: each must append, not write at its own offset.
    fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_APPEND)
    return path


def socket_path(directory: Path) -> Path:
    """Return the path of the supervisor's socket: in the data directory, or in a private one if that path is too long."""
    path = directory / "supervisor.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"supercheck-{os.geteuid()}-{name}"
    private.mkdir(mode=0o700, exist_ok=True)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Problem(
            f"{private} belongs to another user or is accessible to others: remove it, or choose a shorter SUPERCHECK_DATA_DIR."
        )
    return private / "supervisor.sock"
