"""`supercheck demo`: a project with a believable week of monitoring, to look at the pages.

Its monitors are never checked: they have no next run, so the scheduler does not claim them.
"""

import random
from datetime import UTC, datetime

from sqlalchemy import select

from models.tables import Location, Member, Organization, Project
from ops import bootstrap
from ops.demo import content
from ops.problem import Problem
from settings import Settings

PROJECT = "Demo"


def create(config: Settings) -> tuple[str, int]:
    """Create the project in the oldest organization; return its name and the number of its monitors.

    Raise `Problem` if there is no account yet, or if the project exists.
    """
    with bootstrap.session(config) as db, db.begin():
        organization = db.scalar(select(Organization).order_by(Organization.created_at, Organization.id).limit(1))
        if organization is None or db.scalar(select(Member.id).limit(1)) is None:
            raise Problem("There is no account yet: run supercheck migrate.")
        wanted = select(Project.id).where(Project.organization_id == organization.id, Project.name == PROJECT)
        if db.scalar(wanted) is not None:
            raise Problem(f"The project {PROJECT} exists already: rename or delete it on the page Projects.")
        codes = list(db.scalars(select(Location.code).where(Location.enabled).order_by(Location.position)))
        project = Project(organization_id=organization.id, name=PROJECT)
        db.add(project)
        db.flush()
        monitors = content.fill(db, project, codes[:3], datetime.now(UTC), random.Random(7))  # noqa: S311 - no secret
        return project.name, len(monitors)
