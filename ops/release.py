"""The first program of every start: schema, first account, then the rest of the processes; it ends when the web answers."""

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
    """Prepare everything, start the application, say where it is. Raises `Problem`."""
    config = settings.get()
    settings.require_servers(config)
    wait_until(lambda: postgres_answers(config.database_url), SERVERS_SECONDS, "PostgreSQL does not answer")
    wait_until(lambda: valkey_answers(config.redis_url), SERVERS_SECONDS, "Redis does not answer")
    try:
        migrations.upgrade(config.database_url)
        first = bootstrap.first_account(config)
    except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
        raise Problem(f"The database refused: {one_line(error)}") from None
    supervisor_client.start_app(config.data_dir)
    wait_until(lambda: web_answers(config), WEB_SECONDS, "The web process does not answer; its messages are above")
    # In one piece, so that whoever waits for the address has read all before it.
    print("\n".join([*first.lines(), f"Supercheck is running at {config.public_url}"]), flush=True)
    first.forget()


def stop_everything(directory: Path) -> None:
    """After a failure nothing useful runs: stop the supervisor, so that the operator has the console back."""
    supervisor_client.stop_all(directory)
