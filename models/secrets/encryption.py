"""Sealing of stored secrets: AES-128-GCM under the operator's keys.

A sealed value is: key id (4 bytes, the start of the key's SHA-256), nonce (12 random bytes), ciphertext with tag.
Table, row id and field are associated data: a ciphertext moved to another row or column does not open.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import settings

_KEY_ID = 4
_NONCE = 12


class SealError(Exception):
    """A sealed value does not open: its key is gone, or it was moved or damaged."""


def key_id(key: bytes) -> bytes:
    """What names `key` inside the ciphertexts that it made."""
    return hashlib.sha256(key).digest()[:_KEY_ID]


def current_key_id() -> bytes:
    """What names the key that seals now."""
    return key_id(settings.get().encryption_keys[0])


def _bound_to(table: str, row_id: UUID, field: str) -> bytes:
    return f"{table}:{row_id}:{field}".encode()


def seal(secrets: Mapping[str, Any], table: str, row_id: UUID, field: str = "secrets") -> bytes | None:
    """`secrets` (JSON types) sealed under the first key; None where there are none."""
    if not secrets:
        return None
    # Here and not above, as in `unseal`: an installation without secrets need not carry a second OpenSSL in each process.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = settings.get().encryption_keys[0]
    nonce = os.urandom(_NONCE)
    plain = json.dumps(secrets, separators=(",", ":")).encode()
    return key_id(key) + nonce + AESGCM(key).encrypt(nonce, plain, _bound_to(table, row_id, field))


def unseal(sealed: bytes | None, table: str, row_id: UUID, field: str = "secrets") -> dict[str, Any]:
    """What `seal` was given; an empty dictionary for None. Raises `SealError`."""
    if sealed is None:
        return {}
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    name, nonce, body = sealed[:_KEY_ID], sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
    for key in settings.get().encryption_keys:
        if key_id(key) == name:
            try:
                opened: dict[str, Any] = json.loads(AESGCM(key).decrypt(nonce, body, _bound_to(table, row_id, field)))
            except (InvalidTag, ValueError):
                raise SealError(f"a secret of {table} {row_id} is damaged or was moved") from None
            return opened
    raise SealError(
        f"a secret of {table} {row_id} was sealed with key {name.hex()}, which CREDENTIAL_ENCRYPTION_KEY does not list"
    )


def is_current(sealed: bytes | None) -> bool:
    """Whether `sealed` was made with the first key, so that a rotation may skip it."""
    return sealed is None or sealed[:_KEY_ID] == current_key_id()
