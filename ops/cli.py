"""The command `supercheck`."""

import sys

import click

import settings
from ops.problem import Problem

# Not imported from `models`: every process starts through this file, and the import would cost memory in each.
ROLES = ("super_admin", "org_owner", "org_admin", "project_admin", "project_editor", "project_viewer")


class OneLineErrors(click.Group):
    """A group that prints expected failures as one line on standard error, with exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; print a failure that the operator can fix without a traceback."""
        try:
            return super().invoke(ctx)
        except (Problem, settings.SettingsError) as error:
            click.echo(f"supercheck: {error}", err=True)
            ctx.exit(1)


def _entered() -> settings.Settings:
    """Return the installation's settings. Call it before importing `web` or `actors`, which read them at import."""
    from ops import installation

    return installation.enter_with_database()


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="supercheck", message="%(version)s")
def main() -> None:
    """Supercheck, a self-hosted monitoring system."""


@main.command()
def up() -> None:
    """Start everything in the foreground, with embedded servers unless others are configured."""
    from ops.up import up as start

    start()


@main.command()
@click.argument("name", type=click.Choice(["web", "scheduler", "worker", "check_worker"]))
def run(name: str) -> None:
    """Run one process of the Procfile in the foreground."""
    from ops import processes

    processes.run(name)


@main.command(hidden=True)
def release() -> None:
    """Migrate the schema, create the first account, start the processes. `up` runs this first."""
    from ops import release as steps

    try:
        steps.release()
    except (Problem, settings.SettingsError):
        steps.stop_everything(settings.get().data_dir)
        raise


@main.command()
def migrate() -> None:
    """Migrate the database to the newest schema, and create the first account if there is none."""
    config = _entered()
    from ops import bootstrap, migrations

    changed = migrations.upgrade(config.database_url)
    click.echo("The database is at the newest schema" + (" now." if changed else " already."))
    first = bootstrap.first_account(config)
    for line in first.lines():
        click.echo(line)
    first.forget()


@main.command("create-user")
@click.argument("email")
@click.option("--password", default="", help="Generated and printed if not given.")
@click.option("--role", type=click.Choice(ROLES), default="org_admin", show_default=True)
@click.option("--reset-password", "reset", is_flag=True, help="Give an existing account a new password.")
def create_user(email: str, password: str, role: str, reset: bool) -> None:
    """Create an account for EMAIL."""
    config = _entered()
    from ops import bootstrap

    shown = bootstrap.create_user(config, email, password, role, reset=reset)
    click.echo(f"Sign in as {email.strip().lower()}" + ("" if password else f" with the password {shown}"))


@main.command()
def demo() -> None:
    """Create a project with demo data: monitors of each type with a week of results, outages and alerts."""
    config = _entered()
    from ops import demo as demo_project

    name, monitors = demo_project.create(config)
    click.echo(f"Project {name} created with {monitors} monitors. They are never checked. Switch to it on the page.")


@main.command("create-api-key")
@click.option("--project", default="", help="The project's name. Default: the oldest project.")
@click.option("--name", default="Command line", show_default=True)
@click.option("--role", type=click.Choice(ROLES), default="project_editor", show_default=True)
def create_api_key(project: str, name: str, role: str) -> None:
    """Create an API key and print it. It cannot be shown again."""
    config = _entered()
    from ops import bootstrap

    click.echo(bootstrap.create_api_key(config, project, name, role))


@main.command("rotate-keys")
@click.option("--new-key", is_flag=True, help="First step: put a new key before the others in the data directory.")
@click.option(
    "--force", is_flag=True, help="Rotate even if a running process does not know the first key, or if Redis is down."
)
def rotate_keys(new_key: bool, force: bool) -> None:
    """Encrypt all stored credentials again, with the first key of CREDENTIAL_ENCRYPTION_KEY."""
    config = _entered()
    from ops import rotate_keys as rotation

    if new_key:
        click.echo(rotation.new_key(config))
        return
    if not force:
        rotation.require_ready(config)
    done = rotation.rotate(config)
    for line in rotation.report(done):
        click.echo(line)
    sys.exit(int(bool(done.unreadable)))


@main.command()
def doctor() -> None:
    """Check this installation and print every finding; exit with code 1 if there is a problem."""
    from ops.doctor import examine

    sys.exit(examine())


@main.command()
@click.argument("url")
@click.option("--timeout", type=click.FloatRange(0.1, 300), default=30.0, show_default=True, help="Seconds.")
def check(url: str, timeout: float) -> None:
    """Check URL once and print the result with its timings; exit with code 1 if it is not up.

    URL is http://…, https://…, tcp://host:port, udp://host:port or ping://host.
    """
    from ops.check_once import check_once

    sys.exit(check_once(url, timeout))


@main.group(invoke_without_command=True)
@click.pass_context
def locations(ctx: click.Context) -> None:
    """List and change the locations that checks run from. Without a subcommand, list them."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_locations)


@locations.command("list")
def list_locations() -> None:
    """List every location in its order of precedence."""
    config = _entered()
    from ops import locations as places

    for line in places.lines(config):
        click.echo(line)


@locations.command("add")
@click.argument("code")
@click.argument("name", default="")
def add_location(code: str, name: str) -> None:
    """Add the location CODE (lower-case letters, digits, hyphens) with the name NAME."""
    config = _entered()
    from ops import locations as places

    click.echo(places.add(config, code, name.strip() or code))


@locations.command("rename")
@click.argument("code")
@click.argument("name")
def rename_location(code: str, name: str) -> None:
    """Rename the location CODE to NAME."""
    config = _entered()
    from ops import locations as places

    click.echo(places.rename(config, code, name.strip() or code))


@locations.command("enable")
@click.argument("code")
def enable_location(code: str) -> None:
    """Enable the location CODE."""
    config = _entered()
    from ops import locations as places

    click.echo(places.switch(config, code, enabled=True))


@locations.command("disable")
@click.argument("code")
def disable_location(code: str) -> None:
    """Disable the location CODE: no check runs from it."""
    config = _entered()
    from ops import locations as places

    click.echo(places.switch(config, code, enabled=False))


@locations.command("default")
@click.argument("code")
def default_location(code: str) -> None:
    """Use CODE for monitors that choose no location."""
    config = _entered()
    from ops import locations as places

    click.echo(places.make_default(config, code))


@locations.command("remove")
@click.argument("code")
def remove_location(code: str) -> None:
    """Remove the location CODE if no monitor uses it."""
    config = _entered()
    from ops import locations as places

    click.echo(places.remove(config, code))
