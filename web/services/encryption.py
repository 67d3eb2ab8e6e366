"""Secrets on their way into a row: encrypted where they changed, with the times by which their age is told."""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from actors.runtime import credential_uses, telemetry
from models.queries.audit import CredentialUse
from models.secrets import encryption as seal
from models.secrets import strength
from models.tables import Monitor, NotificationProvider
from web.api.schema import CredentialsOut, FieldWarning
from web.http.auth import Caller

log = structlog.get_logger(__name__)

Holder = Monitor | NotificationProvider


def store(row: Holder, wanted: Mapping[str, str], opened: Mapping[str, str]) -> list[str]:
    """Seal `wanted` into `row`, which held `opened`; answers the paths of those that changed, for the audit trail.

    What did not change is left alone, unless an older key encrypted it.
    """
    changed = sorted(path for path in wanted.keys() | opened.keys() if wanted.get(path) != opened.get(path))
    if not changed and seal.is_current(row.secrets):
        return []
    now = datetime.now(UTC)
    row.secrets = seal.seal(wanted, row.__tablename__, row.id)
    row.secrets_sealed_at = now if wanted else None
    if changed:
        row.secrets_changed_at = now if wanted else None
    return changed


def opened_to_show(row: Monitor, caller: Caller) -> dict[str, str]:
    """The secrets of `row` by path, read for `caller`, as the audit log will tell. Raises `models.secrets.encryption.SealError`."""
    if row.secrets is not None:
        credential_uses.note([CredentialUse("monitor", row.id, "show", caller.user_id, caller.api_key_id)])
    return seal.unseal(row.secrets, row.__tablename__, row.id)


def opened_to_change(row: Holder) -> dict[str, str]:
    """The secrets of `row` that a change is merged into; none where they do not open, so that they can be entered again.

    Their masks are then refused as masks, by name.
    """
    if row.secrets is not None:
        # Only counted: the change itself is in the audit log, or nothing came of it.
        telemetry.CREDENTIAL_USES.labels("change").inc()
    try:
        return seal.unseal(row.secrets, row.__tablename__, row.id)
    except seal.SealError as error:
        log.warning("stored credentials do not open", table=row.__tablename__, row_id=str(row.id), error=str(error))
        return {}


def shown(row: Holder) -> CredentialsOut | None:
    """Their age, as answers show it; None where the row has no secrets."""
    if row.secrets is None:
        return None
    return CredentialsOut(changed_at=row.secrets_changed_at, sealed_at=row.secrets_sealed_at)


def warnings(row: Holder) -> list[FieldWarning]:
    """What is weak among the secrets of `row`, which has just been saved."""
    auth = row.config.get("auth")
    username = str((auth if isinstance(auth, dict) else row.config).get("username") or "")
    found = strength.weaknesses(seal.unseal(row.secrets, row.__tablename__, row.id), username)
    return [FieldWarning(field=f"config.{path}", message=sentence) for path, sentence in found.items()]
