"""Detection of concurrent edits: saving a form does not overwrite what others saved since it was opened.

The page contains a stamp: a digest of every input as shown. When the form is sent, each input is compared three ways: as
shown then, as sent, and as stored now.
"""

import hashlib
import json
from typing import Any

from wtforms import Field
from wtforms.form import BaseForm

from web.ui.fields import Choice, Duration, Several, Switch

#: The name of the hidden input.
FIELD = "formVersion"
#: The key for the secrets of the record: masked secrets look alike, so their digests do not show a change.
_SECRETS = "secrets"
_DIGITS = 12
_MASK = "…"


def stamp(shown: BaseForm, secrets: object = None) -> str:
    """Return the stamp of the form `shown`. `secrets` is when the record's secrets changed last."""
    return json.dumps(_digests(shown) | {_SECRETS: _digest(str(secrets))}, separators=(",", ":"))


def settle(form: BaseForm, shown: BaseForm, stamped: str | None, secrets: object = None) -> list[str]:
    """Return the names of the inputs of `form` that others have changed since the stamp `stamped`.

    `shown` is the form with the stored values. An input that only others changed gets their value. Every such input gets a
    `clash`, a sentence with the other value. A form without a stamp has no conflicts.
    """
    then = _read(stamped)
    now, sent = _digests(shown), _digests(form)
    found = [name for name in now if name in then and then[name] != now[name] and sent[name] != now[name]]
    for name in found:
        field, current = form[name], shown[name]
        if sent[name] == then[name]:
            field.clash = f"Changed by another user. Your form showed: {_shown(field)}."
            field.data = current.data
        else:
            field.clash = f"Another user saved: {_shown(current)}. Your value is in the form."
    if then.get(_SECRETS, _digest(str(secrets))) != _digest(str(secrets)):
        found += _alike_when_masked(form, shown, {name for name in now if sent[name] != then.get(name)} - set(found))
    return found


def _alike_when_masked(form: BaseForm, shown: BaseForm, sent: set[str]) -> list[str]:
    """Return the inputs of `sent` that contain a secret: others may have changed it although its mask is the same."""
    found = [name for name in sorted(sent) if _MASK in str(shown[name].data)]
    for name in found:
        form[name].clash = "Another user saved a different secret. Your value is in the form."
    return found


def _read(stamped: str | None) -> dict[str, Any]:
    try:
        found = json.loads(stamped or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _digests(form: BaseForm) -> dict[str, str]:
    return {field.name: _digest(_canonical(field)) for field in form}


def _canonical(field: Field) -> str:
    try:
        return json.dumps(field.wire(), sort_keys=True)
    except ValueError:
        return f"unreadable: {field.data}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


def _shown(field: Field) -> str:
    """Return the value of `field` for people."""
    if isinstance(field, Switch):
        return "on" if field.data else "off"
    if isinstance(field, Several):
        return ", ".join(str(field.choices.get(option, option)) for option in field.data or ()) or "none"
    if isinstance(field, Choice):
        return str(field.choices.get(field.data, field.data)) or "none"
    if isinstance(field, Duration):
        amount, unit = field.data or ("", "60")
        return f"{amount} {field.units.get(unit, '')}".strip() or "nothing"
    return str(field.data) if field.data not in (None, "") else "nothing"
