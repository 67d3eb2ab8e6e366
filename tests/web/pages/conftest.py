"""People who use the pages. What connects when imported is imported late."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from flask import Flask

if TYPE_CHECKING:
    from models.tables import Project
    from tests.web.pages.visitor import Visitor


@pytest.fixture
def project(context: None) -> "Project":
    from tests import factories

    factories.a_location("us-east", "Ashburn", position=0)
    factories.a_location("eu-central", "Falkenstein", position=1)
    return factories.a_project(name="Production")


@pytest.fixture
def visitor(app: Flask, project: "Project") -> "Callable[..., Visitor]":
    """Call it with a role for a member of the project who is signed in."""
    from models.tables import Role
    from tests import factories
    from tests.web.pages.visitor import Visitor

    def signed_in(role: str = "project_editor") -> Visitor:
        user = factories.a_user(project, Role(role))
        made = Visitor(app.test_client())
        made.become(user)
        return made

    return signed_in
