"""Create the first account of an installation, and further accounts and API keys from the command line."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import create_engine, delete, func, pool, select
from sqlalchemy.orm import Session

import settings
from models.tables import ApiKey, Location, Member, Organization, Project, Role, User, UserSession
from ops import trail
from ops.embedded import place
from ops.problem import Problem
from settings import Settings
from web.http.auth import hash_of_key
from web.http.passwords import hash_password

DEFAULT_EMAIL = "admin@supercheck.local"
SHORTEST_PASSWORD = settings.MIN_ADMIN_PASSWORD_LENGTH
PREFIX_LENGTH = 8
#: PostgreSQL's advisory lock of this number: only one machine creates the first account if several start together.
LOCK = 0x5C4EC402


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """The generated values that the first start shows once; empty strings if there is nothing to show.

    They are in a private file until they are printed, so that a start that is killed before loses no password.
    """

    email: str = ""
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    file: Path = Path()

    def lines(self) -> list[str]:
        """Return the lines to print, secrets included."""
        shown = [("Sign in as", self.email), ("Password", self.password), ("API key", self.api_key)]
        generated = bool(self.password or self.api_key)
        found = [f"  {label:<11} {value}" for label, value in shown if value]
        return [*found, "  (generated at this first start and not shown again)"] if generated else found

    def forget(self) -> None:
        """Delete the file, after the values were printed."""
        if self.email:
            self.file.unlink(missing_ok=True)


def session(config: Settings) -> Session:
    """Return a database session for one transaction outside the web application."""
    url = config.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return Session(create_engine(url, poolclass=pool.NullPool))


def first_account(config: Settings) -> FirstAccount:
    """Create organisation, project, account and API key if there is no account yet. Create missing locations."""
    file = config.data_dir / "first_account.json"
    with session(config) as db:
        db.execute(select(func.pg_advisory_xact_lock(LOCK)))
        _add_locations(db, config)
        if db.scalar(select(func.count()).select_from(User)):
            db.commit()
            return _kept(file)
        shown = FirstAccount(
            email=(config.admin_email or DEFAULT_EMAIL).lower(),
            password="" if config.admin_password else secrets.token_urlsafe(12),
            api_key="" if config.api_key else new_key(),
            file=file,
        )
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_private(file, json.dumps(asdict(shown) | {"file": None}))
        _make(db, shown.email, config.admin_password or shown.password, config.api_key or shown.api_key)
        db.commit()
    return shown


def _kept(file: Path) -> FirstAccount:
    """Return the values that an earlier start generated but did not print."""
    if not file.exists():
        return FirstAccount()
    return FirstAccount(**(json.loads(file.read_text()) | {"file": file}))


def _make(db: Session, email: str, password: str, key: str) -> None:
    organization = Organization(id=uuid4(), name="My organisation")
    project = Project(id=uuid4(), organization_id=organization.id, name="My project")
    user = User(id=uuid4(), email=email, name="Administrator", password_hash=hash_password(password))
    for row in (organization, project, user):
        db.add(row)
        db.flush()
    db.add(Member(user_id=user.id, organization_id=organization.id, role=Role.SUPER_ADMIN))
    trail.record(db, organization.id, "account.created", "user", user.id, email=email, role=Role.SUPER_ADMIN)
    db.add(_key_row(project.id, "First key", key, Role.PROJECT_ADMIN, created_by=user.id))


def _add_locations(db: Session, config: Settings) -> None:
    """Add the locations of the settings that are missing. Existing ones keep the administrator's changes.

    The first start takes the order of the settings; locations that are added later go to the end.
    """
    known = set(db.scalars(select(Location.code)))
    last = db.scalar(select(func.max(Location.position)))
    missing = [spec for spec in config.locations if spec.code not in known]
    for position, spec in enumerate(missing, start=0 if last is None else last + 1):
        db.add(Location(code=spec.code, name=spec.name, position=position))


def new_key() -> str:
    """Return a new API key: 256 random bits after a recognisable prefix."""
    return "sc_" + secrets.token_urlsafe(32)


def _key_row(project_id: UUID, name: str, key: str, role: Role, created_by: UUID | None = None) -> ApiKey:
    return ApiKey(
        project_id=project_id,
        name=name,
        prefix=key[:PREFIX_LENGTH],
        key_hash=hash_of_key(key),
        role=role,
        created_by=created_by,
    )


def _project(db: Session, name: str) -> Project:
    """Return the project `name`, or the oldest one if it is empty. Raise `Problem` if there is none, or more than one."""
    query = select(Project).order_by(Project.created_at, Project.id)
    found = db.scalars(query.where(Project.name == name) if name else query).all()
    if not found:
        raise Problem(f"There is no project {name}." if name else "There is no project yet: run supercheck migrate.")
    if name and len(found) > 1:
        raise Problem(f"There are {len(found)} projects called {name}: rename all but one.")
    return found[0]


def create_user(config: Settings, email: str, password: str, role: str, *, reset: bool) -> str:
    """Create a user with `role`, or with `reset` give an existing user a new password; return the password.

    If `password` is empty, generate one. Raise `Problem` if the password is too weak, or the user exists or is missing.
    """
    password = password or secrets.token_urlsafe(12)
    email = email.strip().lower()
    if len(password) < SHORTEST_PASSWORD:
        raise Problem(f"The password is too short: at least {SHORTEST_PASSWORD} characters.")
    if len(set(password)) < settings.MIN_DIFFERENT_CHARACTERS:
        raise Problem(f"The password is too simple: at least {settings.MIN_DIFFERENT_CHARACTERS} different characters.")
    with session(config) as db:
        user = db.scalar(select(User).where(User.email == email))
        if reset and user is None:
            raise Problem(f"There is no account {email}.")
        if user is None:
            _add_member(db, email, password, Role(role))
        elif reset:
            _reset(db, user, password)
        else:
            raise Problem(f"The account {email} exists: give it a new password with --reset-password.")
        db.commit()
    return password


def _reset(db: Session, user: User, password: str) -> None:
    """Set another password and end the account's sessions. The operator is responsible for who receives it."""
    user.password_hash = hash_password(password)
    user.must_change_password = False
    user.prepared_by = None
    db.execute(delete(UserSession).where(UserSession.user_id == user.id))
    organizations = select(Member.organization_id).where(Member.user_id == user.id).distinct()
    for organization_id in db.scalars(organizations):
        trail.record(db, organization_id, "password.reset", "user", user.id, email=user.email)


def _add_member(db: Session, email: str, password: str, role: Role) -> None:
    project = _project(db, "")
    user = User(id=uuid4(), email=email, password_hash=hash_password(password))
    db.add(user)
    db.flush()
    of_project = None if role in {Role.SUPER_ADMIN, Role.ORG_OWNER, Role.ORG_ADMIN} else project.id
    db.add(Member(user_id=user.id, organization_id=project.organization_id, project_id=of_project, role=role))
    trail.record(db, project.organization_id, "account.created", "user", user.id, email=email, role=role)


def create_api_key(config: Settings, project: str, name: str, role: str) -> str:
    """Create an API key of `project` (the oldest one if empty) and return it. It cannot be read again."""
    key = new_key()
    with session(config) as db:
        found = _project(db, project)
        row = _key_row(found.id, name, key, Role(role))
        db.add(row)
        db.flush()
        trail.record(
            db, found.organization_id, "api_key.created", "api_key", row.id, name=name, role=role, project=found.name
        )
        db.commit()
    return key
