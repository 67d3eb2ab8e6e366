"""The form of a notification provider: a name, and what its type needs."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

import settings
from channels import CHANNELS
from web.features.notification_providers.schemas import CONFIGS, ProviderIn
from web.ui import limits
from web.ui.fields import Choice, Exact, Number, Switch, Tags, Text
from web.ui.form_values import difference, flat, nested
from web.ui.labels import counted
from web.ui.structured_fields import Headers

_HOOK = "Stored encrypted and shown masked."
_SECURITY = (("", "Default"), ("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "None"))
#: type -> its inputs. The type's first inputs are those that must be filled in.
TYPES: dict[str, dict[str, Any]] = {
    "email": {
        "config.to": Tags("Recipients", description="Separated by commas."),
        "config.smtpHost": Text("SMTP server", description="Leave empty to use the server's default."),
        "config.smtpPort": Number("Port"),
        "config.smtpSecurity": Choice("Encryption", choices=_SECURITY),
        "config.username": Text("User name"),
        "config.password": Exact("Password"),
        "config.from": Text("Sender"),
    },
    "slack": {"config.webhookUrl": Text("Incoming webhook URL", description=_HOOK)},
    "webhook": {
        "config.url": Text("URL"),
        "config.method": Choice("Method", choices=[(word, word) for word in ("POST", "PUT", "PATCH")]),
        "config.secret": Exact(
            "Signing secret", description="Optional. Messages are signed with an HMAC-SHA256 of their body."
        ),
        "config.headers": Headers("Headers", description="One per line, as Name: value. Values are stored encrypted."),
    },
    "telegram": {
        "config.botToken": Exact("Bot token", description=_HOOK),
        "config.chatId": Text("Chat ID"),
        "config.apiBase": Text("API address", description="Optional. Leave empty to use Telegram's own address."),
    },
    "discord": {"config.webhookUrl": Text("Webhook URL", description=_HOOK)},
    "teams": {"config.webhookUrl": Text("Workflow URL", description=_HOOK)},
    "apprise": {"config.url": Exact("Apprise URL", description="Such as ntfys://ntfy.example.com/topic. " + _HOOK)},
}


def build(kind: str, others: Sequence[tuple[UUID, str]] = ()) -> BaseForm:
    """The empty form for providers of type `kind`; `others` (id, name each) may stand in for it."""
    delivery = {
        "maxPerMinute": Number(
            "Messages per minute",
            description=f"Extra messages are queued. Default: {CHANNELS[kind].messages_per_minute}.",
        ),
        "fallbackProviderId": Choice(
            "Fallback",
            choices=[("", "None"), *((str(one), name) for one, name in others)],
            description=_fallback(),
        ),
    }
    form = BaseForm({"name": Text("Name", absent=""), "enabled": Switch("Enabled"), **TYPES[kind], **delivery})
    if kind == "email":
        form["config.smtpHost"].description = _mail_server()
    needed = CONFIGS[kind].model_json_schema().get("required", ())
    for field in form:
        inner = field.name.removeprefix("config.")
        if inner != field.name:
            field.render_kw = limits.attributes(CONFIGS[kind], inner)
        else:
            field.render_kw = {"maxlength": 255} if field.name == "name" else limits.attributes(ProviderIn, field.name)
        if field.name == "name" or inner in needed:
            field.render_kw["required"] = True
        field.render_kw["autocomplete"] = "off"
    return form


def _mail_server() -> str:
    """Return the hint at the SMTP server: the default of this installation."""
    return f"Leave empty to use the server's default (currently: {settings.get().smtp_host or 'none'})."


def _fallback() -> str:
    """Return the hint at the fallback channel."""
    minutes = settings.get().fallback_after_minutes
    return f"Used when this channel fails permanently or for more than {counted(minutes, 'minute')}."


def fill(form: BaseForm, kind: str, whole: Mapping[str, Any] | None) -> None:
    """Show a provider that is there, secrets masked; or, for None, what holds where nothing is said."""
    if whole is None:
        form.process(data={"enabled": True, "config.method": limits.default(CONFIGS[kind], "method")})
    else:
        form.process(data=flat(whole, [field.name for field in form]))


#: The inputs for the service's URL; what is typed into one is kept when the type changes.
_URLS = tuple(
    dict.fromkeys(f"config.{row.url_field}" for row in CHANNELS.values() if row.url_field and not row.default_url)
)


def fill_retyped(form: BaseForm, kind: str, typed: BaseForm) -> None:
    """Show a new provider of `kind` with what was `typed` into the form of another type."""
    fill(form, kind, None)
    for field in typed:
        if field.name in form and field.data not in (None, ""):
            form[field.name].data = field.data
    address = next((typed[name].data for name in _URLS if name in typed and typed[name].data), None)
    for name in _URLS:
        if name in form and address:
            form[name].data = address


def fill_typed(form: BaseForm, typed: MultiDict[str, str]) -> None:
    """Show what a person has typed."""
    form.process(formdata=typed)


def changes(form: BaseForm, shown: BaseForm, kind: str) -> dict[str, Any]:
    """What `form` changes of the provider that `shown` shows, as the API's body."""
    return difference(to_wire(form, kind, shown), to_wire(shown, kind), form)


def to_wire(form: BaseForm, kind: str, before: BaseForm | None = None) -> dict[str, Any]:
    """The form as the API's body; empty inputs are null, which removes them.

    `before` is the form as it was shown, if there was one.
    """
    return {**nested(form, before), "type": kind}
