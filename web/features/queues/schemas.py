"""Dead messages in the API: responses."""

from datetime import datetime

from web.api.schema import Out


class DeadMessageOut(Out):
    """A message that its actor gave up on, `ageSeconds` ago. Its arguments are not shown."""

    id: str
    queue: str
    actor: str
    enqueued_at: datetime | None
    died_at: datetime
    age_seconds: float
