"""The first program of every start: migrate, create the first account, start the processes, wait for the web process."""

from pathlib import Path

import psycopg
import sqlalchemy

import settings
from ops import bootstrap, migrations, supervisor_client
from ops.embedded import postgres_answers, valkey_answers
from ops.problem import Problem, one_line
from ops.readiness import wait_until, web_answers

SERVERS_SECONDS = 120
WEB_SECONDS = 120


def release() -> None:
    """Prepare everything, start the application, print its address. Raise `Problem` if a step fails."""
    config = settings.get()
    settings.require_servers(config)
    wait_until(lambda: postgres_answers(config.database_url), SERVERS_SECONDS, "PostgreSQL does not respond")
    wait_until(lambda: valkey_answers(config.redis_url), SERVERS_SECONDS, "Redis does not respond")
    try:
        migrations.upgrade(config.database_url)
        first = bootstrap.first_account(config)
    except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
        raise Problem(f"The database reported an error: {one_line(error)}") from None
    supervisor_client.start_app(config.data_dir)
    wait_until(lambda: web_answers(config), WEB_SECONDS, "The web process does not respond; its messages are above")
    # One write: a program that waits for the line with the address has then received the account lines too.
    print("\n".join([*first.lines(), f"Supercheck is running at {config.public_url}"]), flush=True)
    first.forget()


def stop_everything(directory: Path) -> None:
    """Stop the supervisor after a failed release, so that `supercheck up` ends."""
    supervisor_client.stop_all(directory)
