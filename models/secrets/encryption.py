"""Encryption of stored secrets: AES-GCM with the operator's keys.

An encrypted value is the key id (4 bytes, the start of the key's SHA-256), the nonce (12 random bytes) and the
ciphertext with its tag. Table, row id and field are associated data: a ciphertext that is copied to another row or
column cannot be decrypted there.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import settings

_KEY_ID_BYTES = 4
_NONCE_BYTES = 12


class DecryptionError(Exception):
    """An encrypted value cannot be decrypted: its key is not configured, or the value was moved or damaged."""


def key_id(key: bytes) -> bytes:
    """Return the id of `key`, which every value encrypted with it carries."""
    return hashlib.sha256(key).digest()[:_KEY_ID_BYTES]


def current_key_id() -> bytes:
    """Return the id of the first key, the one that `encrypt` uses."""
    return key_id(settings.get().encryption_keys[0])


def encrypt(secrets: Mapping[str, Any], table: str, row_id: UUID, field: str = "secrets") -> bytes | None:
    """Return `secrets` (JSON types) encrypted with the first key; None if there are none."""
    if not secrets:
        return None
    # Imported here, as in `decrypt`: an installation without secrets does not load a second OpenSSL into each process.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = settings.get().encryption_keys[0]
    nonce = os.urandom(_NONCE_BYTES)
    plain = json.dumps(secrets, separators=(",", ":")).encode()
    return key_id(key) + nonce + AESGCM(key).encrypt(nonce, plain, _associated_data(table, row_id, field))


def decrypt(encrypted: bytes | None, table: str, row_id: UUID, field: str = "secrets") -> dict[str, Any]:
    """Return what `encrypt` was called with; an empty dictionary for None. Raise `DecryptionError` if it fails."""
    if encrypted is None:
        return {}
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    used_key, rest = encrypted[:_KEY_ID_BYTES], encrypted[_KEY_ID_BYTES:]
    nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    for key in settings.get().encryption_keys:
        if key_id(key) == used_key:
            try:
                plain = AESGCM(key).decrypt(nonce, ciphertext, _associated_data(table, row_id, field))
                secrets: dict[str, Any] = json.loads(plain)
            except (InvalidTag, ValueError):
                raise DecryptionError(f"a secret of {table} {row_id} is damaged or was moved") from None
            return secrets
    raise DecryptionError(
        f"a secret of {table} {row_id} was encrypted with key {used_key.hex()}, which CREDENTIAL_ENCRYPTION_KEY does not list"
    )


def is_current(encrypted: bytes | None) -> bool:
    """Return whether `encrypted` uses the first key, so that a key rotation can skip it."""
    return encrypted is None or encrypted[:_KEY_ID_BYTES] == current_key_id()


def _associated_data(table: str, row_id: UUID, field: str) -> bytes:
    return f"{table}:{row_id}:{field}".encode()
