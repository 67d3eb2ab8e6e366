"""Making, changing and deleting notification providers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import select

import settings
from channels import CHANNELS, URL_FIELDS
from models.secrets import fields as secrets
from models.tables import NotificationProvider
from web.api.schema import problems_of, refuse_unfit
from web.features.monitors import targets
from web.features.notification_providers import fallbacks
from web.features.notification_providers import health as provider_health
from web.features.notification_providers.health import Figures
from web.features.notification_providers.schemas import CONFIGS, ProviderIn, ProviderOut
from web.http.auth import Caller
from web.http.errors import invalid, not_found
from web.http.extensions import db
from web.http.merge_patch import is_same, merge, without_nulls
from web.services import audit_events, destinations, differences, secret_fields, stored_secrets


def find(who: Caller, provider_id: UUID, *, lock: bool = False) -> NotificationProvider:
    """Return the caller's provider. Raise a 404 `Problem` if it does not exist or is in another project."""
    query = select(NotificationProvider).where(
        NotificationProvider.id == provider_id, NotificationProvider.project_id == who.project_id
    )
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    provider = db.session.scalar(query)
    if provider is None:
        raise not_found("notification provider")
    return provider


def create(who: Caller, data: Mapping[str, Any]) -> NotificationProvider:
    """A new provider out of `data` (API.md's "Provider"). Raises a 422 `Problem`."""
    refuse_unfit(data)
    fields, config = _examine(without_nulls(_tidy(data)), {}, {})
    fallbacks.check(who, None, fields.fallback_provider_id)
    provider = NotificationProvider(id=uuid4(), project_id=who.project_id, type=fields.type)
    stored = _write(provider, fields, config, {})
    db.session.add(provider)
    audit_events.record(
        who, "provider.created", "provider", provider.id, name=provider.name, type=provider.type, secrets=stored
    )
    db.session.flush()
    return provider


def change(who: Caller, provider_id: UUID, data: Mapping[str, Any]) -> NotificationProvider:
    """The provider with `data` merged into it; a channel marked broken gets another chance. Raises a 404 or 422 `Problem`."""
    refuse_unfit(data)
    provider = find(who, provider_id, lock=True)
    if data.get("type") not in (None, provider.type):
        raise invalid({"type": "The type of a provider cannot change: make a new one."})
    opened = stored_secrets.opened_to_change(provider)
    before, was_public = _as_sent(provider, opened), _as_sent(provider, {})
    after = merge(before, _tidy(data), frozenset({"config"}))
    if is_same(without_nulls(before), after) and not provider.broken:
        return provider
    fields, config = _examine(after, before["config"], opened, data.get("config"))
    fallbacks.check(who, provider.id, fields.fallback_provider_id)
    stored = _write(provider, fields, config, opened)
    provider.broken = False
    changes = differences.between(was_public, _as_sent(provider, {}), set(stored))
    audit_events.record(
        who, "provider.changed", "provider", provider.id, name=provider.name, changes=changes, secrets=stored
    )
    db.session.flush()
    db.session.refresh(provider)
    return provider


def judged(who: Caller, data: Mapping[str, Any], provider_id: UUID | None = None) -> tuple[str, dict[str, Any]]:
    """The type and the config, secrets in the clear, that saving `data` would give; nothing is saved.

    With `provider_id`, `data` is a change to that provider: masked secrets stand for its own, by the rules of `change`.
    Raises a 404 or 422 `Problem`.
    """
    refuse_unfit(data)
    if provider_id is None:
        fields, config = _examine(without_nulls(_tidy(data)), {}, {})
        return fields.type, config
    provider = find(who, provider_id)
    if data.get("type") not in (None, provider.type):
        raise invalid({"type": "The type of a provider cannot change: make a new one."})
    opened = stored_secrets.opened_to_change(provider)
    before = _as_sent(provider, opened)
    after = merge(before, _tidy(data), frozenset({"config"}))
    _, config = _examine(after, before["config"], opened, data.get("config"))
    return provider.type, config


def _as_sent(provider: NotificationProvider, opened: Mapping[str, str]) -> dict[str, Any]:
    """The body that would make this provider, with the secrets `opened` in the clear: what changes are merged into."""
    return {
        "name": provider.name,
        "type": provider.type,
        "enabled": provider.enabled,
        "config": secrets.join(provider.config, opened),
        "maxPerMinute": provider.max_per_minute,
        "fallbackProviderId": str(provider.fallback_provider_id) if provider.fallback_provider_id else None,
    }


def delete(who: Caller, provider_id: UUID) -> None:
    """Delete the provider; monitors that named it tell one channel fewer. Raises a 404 `Problem`."""
    provider = find(who, provider_id)
    audit_events.record(who, "provider.deleted", "provider", provider.id, name=provider.name, type=provider.type)
    db.session.delete(provider)
    db.session.flush()


def shown(provider: NotificationProvider, figures: Figures | None = None) -> ProviderOut:
    """The provider as answers show it; `figures` where they were counted for many at once."""
    return ProviderOut(
        id=provider.id,
        name=provider.name,
        type=provider.type,
        enabled=provider.enabled,
        config=provider.config,
        max_per_minute=provider.max_per_minute,
        fallback_provider_id=provider.fallback_provider_id,
        health=provider_health.of(provider, figures or provider_health.count([provider.id])[provider.id]),
        created_at=provider.created_at,
        updated_at=provider.updated_at,
        credentials=stored_secrets.shown(provider),
    )


def shown_saved(provider: NotificationProvider) -> ProviderOut:
    """The provider as changes answer it: with warnings where a secret is weak."""
    answer = shown(provider)
    answer.warnings = stored_secrets.warnings(provider)
    return answer


def _tidy(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in ProviderIn.READ_ONLY}


def _examine(
    data: Mapping[str, Any], before: Mapping[str, Any], old_secrets: Mapping[str, str], brought: object = None
) -> tuple[ProviderIn, dict[str, Any]]:
    """`data` as a provider that may be saved, and its config, secrets in the clear. Raises a 422 `Problem`.

    `brought` is the config of the change, before it was merged.
    """
    problems: dict[str, str] = {}
    kind, given = str(data.get("type")), data.get("config")
    fields = problems_of(ProviderIn, {**data, "config": {}} if isinstance(given, dict) else data)
    if isinstance(fields, dict):
        problems |= fields
    model = CONFIGS.get(kind)
    config: dict[str, Any] = {}
    if model is not None and isinstance(given, dict):
        kept = secret_fields.restore(kind, merge({}, given, frozenset({"headers"})), old_secrets, problems)
        found = problems_of(model, kept, under="config")
        if isinstance(found, dict):
            problems.update({**found, **problems})
        else:
            config = found.model_dump(mode="json", by_alias=True, exclude_none=True)
            _ask_guard(kind, config, before, problems)
            if before and destinations.of_provider(config) != destinations.of_provider(before):
                destinations.require_secrets_again(kind, brought, config, old_secrets, problems)
            if kind == "email" and data.get("enabled") is not False and not _has_server(config):
                problems["config.smtpHost"] = "No mail server: enter one here, or set SMTP_HOST for the installation."
            if kind == "email" and not _has_sender(config):
                problems["config.from"] = "No sender: give an address here, or set SMTP_FROM for the installation."
    if isinstance(fields, dict) or problems:
        raise invalid(problems)
    return fields, config


def _has_server(config: Mapping[str, Any]) -> bool:
    return bool(config.get("smtpHost") or settings.get().smtp_host)


def _has_sender(config: Mapping[str, Any]) -> bool:
    """Whether mail can say whom it is from: by an address here, the installation's, or a user name that is one."""
    return bool(config.get("from") or settings.get().smtp_from or "@" in config.get("username", ""))


def _ask_guard(kind: str, config: Mapping[str, Any], before: Mapping[str, Any], problems: dict[str, str]) -> None:
    """Judge every new address in `config`. A host that may be a secret is checked at delivery."""
    hosts = {
        field: urlsplit(config[field]).hostname
        for field in URL_FIELDS
        if not CHANNELS[kind].is_host_secret and config.get(field) and config[field] != before.get(field)
    }
    if config.get("smtpHost") and config["smtpHost"] != before.get("smtpHost"):
        hosts["smtpHost"] = config["smtpHost"]
    for field, host in hosts.items():
        try:
            targets.check_guard(host or "")
        except ValueError as error:
            problems[f"config.{field}"] = str(error)


def _write(
    provider: NotificationProvider, fields: ProviderIn, config: Mapping[str, Any], opened: Mapping[str, str]
) -> list[str]:
    """Write the fields into the row, which had the secrets `opened`. Return the paths of the secrets that changed."""
    public, found = secrets.split(provider.type, config)
    if fields.enabled and provider.enabled is False:
        # Recoveries that happened while it was disabled are sent to it late.
        provider.resumed_at = datetime.now(UTC)
    provider.name, provider.enabled = fields.name, fields.enabled
    provider.max_per_minute, provider.fallback_provider_id = fields.max_per_minute, fields.fallback_provider_id
    provider.config = public
    return stored_secrets.store(provider, found, opened)
