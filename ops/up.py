"""`supercheck up`: check the preconditions, prepare the embedded servers, run the supervisor in place of this process."""

import compileall
import errno
import os
import socket
import sys
from pathlib import Path

import settings
from ops import installation, supervision
from ops.embedded import EmbeddedError, place, postgres_server, service_user, valkey_server
from ops.problem import Problem
from settings import Settings

ROOT = Path(__file__).parents[1]


def up() -> None:
    """Replace this process by the supervisor. Raise `Problem` or `SettingsError`, with one line each, if it cannot start."""
    config = settings.get()
    directory = installation.open_directory(config.data_dir)
    installation.lock(directory)
    environment = dict(os.environ) | {"SUPERCHECK_DATA_DIR": str(directory)}
    environment.pop("SUPERCHECK_PROCESS", None)
    embedded = not config.database_url
    if embedded:
        installation.complete(environment, {"HOST": place.LOOPBACK})
    else:
        settings.require_servers(config)
    check_port(settings.parse(environment))
    try:
        commands = _prepare_servers(directory, environment) if embedded else (None, None)
    except EmbeddedError as error:
        raise Problem(f"The embedded servers cannot start: {error}.") from None
    as_service = _prepare_user()
    programs = supervision.programs(*commands, as_service=as_service, port=settings.parse(environment).port)
    _become_supervisor(directory, programs, environment)


def _prepare_user() -> bool:
    """Return whether the application's processes can run as the service user. Print the reason if root must run them."""
    if os.geteuid() != 0:
        return False
    try:
        service_user.owner()
    except EmbeddedError as error:
        print(f"The processes run as root: {error}.", flush=True)
        return False
    service_user.open_the_way(Path(sys.executable))
    service_user.open_the_way(Path(sys.prefix) / "bin")
    # Compile as root: the service user cannot write compiled files, and without them each start takes twice as long.
    sources = code()
    for source in sources:
        (compileall.compile_dir if source.is_dir() else compileall.compile_file)(source, quiet=2)
    if not all(service_user.open_to_read(source) for source in sources):
        print(f"The processes run as root: the user {service_user.NAME} cannot read {ROOT}.", flush=True)
        return False
    return True


def code() -> list[Path]:
    """Return the packages and modules in the application's directory that the processes import."""
    packages = [file.parent for file in ROOT.glob("*/__init__.py")]
    return sorted(path for path in (*packages, *ROOT.glob("*.py")) if path.name != "tests")


def check_port(config: Settings) -> None:
    """Raise `Problem` if the web process cannot listen at HOST and PORT."""
    where = f"{config.host}:{config.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"Port {config.port} is in use ({where}): stop the program that listens there, or choose another with PORT."
        elif error.errno == errno.EACCES:
            text = f"Port {config.port} needs root: choose one above 1023 with PORT."
        else:
            text = f"HOST is wrong: this machine cannot listen at {where} ({error.strerror})."
        raise Problem(text) from None


def _prepare_servers(directory: Path, environment: dict[str, str]) -> tuple[list[str], list[str]]:
    """Prepare the embedded servers, put their URLs and the keys into `environment`, and return the servers' commands."""
    if not (directory / "postgres").exists():
        print("Creating the database (the first time only) …", flush=True)
    postgres = postgres_server.prepare(directory / "postgres")
    valkey = valkey_server.prepare(directory / "valkey")
    installation.complete(environment, installation.embedded_environment(directory))
    return postgres.command, valkey.command


def _become_supervisor(directory: Path, programs: list[supervision.Program], environment: dict[str, str]) -> None:
    console = supervision.shared_console()
    if not console:
        print(f"The processes cannot write to this output: each one writes to its own file in {directory}.", flush=True)
    file = directory / supervision.CONFIGURATION
    place.write_private(file, supervision.configuration(programs, directory, console, os.getpid()))
    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "ops.supervisor_process", str(file)]
    os.execve(sys.executable, command, environment)  # noqa: S606 - the supervisor replaces this process
