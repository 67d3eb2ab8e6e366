"""The encrypted secrets of monitors and providers: storing, reading, and their age."""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from actors.runtime import credential_uses, telemetry
from models.queries.audit import CredentialUse
from models.secrets import encryption, strength
from models.tables import Monitor, NotificationProvider
from web.api.schema import CredentialsOut, FieldWarning
from web.http.auth import Caller

log = structlog.get_logger(__name__)

Holder = Monitor | NotificationProvider


def store(row: Holder, wanted: Mapping[str, str], opened: Mapping[str, str]) -> list[str]:
    """Encrypt the secrets `wanted` into `row`, which held `opened`. Return the paths that changed, for the audit trail.

    Unchanged secrets are not encrypted again, unless an older key encrypted them.
    """
    changed = sorted(path for path in wanted.keys() | opened.keys() if wanted.get(path) != opened.get(path))
    if not changed and encryption.is_current(row.secrets):
        return []
    now = datetime.now(UTC)
    row.secrets = encryption.encrypt(wanted, row.__tablename__, row.id)
    row.secrets_encrypted_at = now if wanted else None
    if changed:
        row.secrets_changed_at = now if wanted else None
    return changed


def opened_to_show(row: Monitor, caller: Caller) -> dict[str, str]:
    """Return the secrets of `row` by path, and record in the audit trail that `caller` read them.

    Raise `models.secrets.encryption.DecryptionError` if they cannot be decrypted.
    """
    if row.secrets is not None:
        credential_uses.record([CredentialUse("monitor", row.id, "show", caller.user_id, caller.api_key_id)])
    return encryption.decrypt(row.secrets, row.__tablename__, row.id)


def opened_to_change(row: Holder) -> dict[str, str]:
    """Return the secrets of `row`, to merge a change into them. Return none if they cannot be decrypted.

    People can then enter them again: a mask without a stored secret is an error of its field.
    """
    if row.secrets is not None:
        # Only counted: the audit trail records the change itself.
        telemetry.CREDENTIAL_USES.labels("change").inc()
    try:
        return encryption.decrypt(row.secrets, row.__tablename__, row.id)
    except encryption.DecryptionError as error:
        log.warning(
            "stored credentials cannot be decrypted", table=row.__tablename__, row_id=str(row.id), error=str(error)
        )
        return {}


def shown(row: Holder) -> CredentialsOut | None:
    """Return the age of the secrets for a response, or None if the row has no secrets."""
    if row.secrets is None:
        return None
    return CredentialsOut(changed_at=row.secrets_changed_at, sealed_at=row.secrets_encrypted_at)


def warnings(row: Holder) -> list[FieldWarning]:
    """Return a warning for each weak secret of `row`, which was just saved."""
    auth = row.config.get("auth")
    username = str((auth if isinstance(auth, dict) else row.config).get("username") or "")
    found = strength.weaknesses(encryption.decrypt(row.secrets, row.__tablename__, row.id), username)
    return [FieldWarning(field=f"config.{path}", message=sentence) for path, sentence in found.items()]
