"""Encryption of stored secrets."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from models.secrets import encryption
from models.secrets.encryption import DecryptionError
from tests.conftest import SettingsOf

OLD, NEW = b"an old key, 16 b", b"a newer key 16 b"
ROW = UUID(int=7)
SECRETS = {"auth.password": "correct horse", "headers.X-Api-Key": "0123456789"}


def encrypted(secrets: dict[str, Any] = SECRETS, row: UUID = ROW, field: str = "secrets") -> bytes:
    made = encryption.encrypt(secrets, "monitors", row, field)
    assert made is not None
    return made


@examples(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), min_size=1, max_size=4), st.uuids())
def test_an_encrypted_value_decrypts_to_the_original(secrets: dict[str, str], row: UUID) -> None:
    assert encryption.decrypt(encrypted(secrets, row), "monitors", row) == secrets


def test_no_secrets_encrypt_to_none() -> None:
    assert encryption.encrypt({}, "monitors", ROW) is None
    assert encryption.decrypt(None, "monitors", ROW) == {}


def test_the_ciphertext_does_not_contain_the_secret_and_differs_each_time() -> None:
    first, second = encrypted(), encrypted()
    assert first != second
    assert b"correct horse" not in first


@pytest.mark.parametrize(
    ("table", "row", "field"),
    [("monitors", uuid4(), "secrets"), ("notification_providers", ROW, "secrets"), ("monitors", ROW, "config")],
)
def test_an_encrypted_value_moved_to_another_row_cannot_be_decrypted(table: str, row: UUID, field: str) -> None:
    with pytest.raises(DecryptionError, match="damaged or was moved"):
        encryption.decrypt(encrypted(), table, row, field)


@examples(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_value_is_refused_without_revealing_its_text(data: st.DataObject) -> None:
    whole = encrypted()
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place = data.draw(st.integers(0, len(whole) - 1))
        damaged = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    with pytest.raises(DecryptionError) as refused:
        encryption.decrypt(damaged, "monitors", ROW)
    assert "correct horse" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_after_a_rotation_old_values_open_and_new_ones_are_made_with_the_new_key(settings_of: SettingsOf) -> None:
    # Given a value under the old key
    settings_of(encryption_keys=(OLD,))
    before = encrypted()
    assert encryption.is_current(before)
    # When a new key comes first
    settings_of(encryption_keys=(NEW, OLD))
    # Then the old value opens, and is distinguishable from values encrypted from now on
    assert encryption.decrypt(before, "monitors", ROW) == SECRETS
    assert not encryption.is_current(before)
    after = encrypted()
    assert encryption.is_current(after)
    # And the new ones do without the old key
    settings_of(encryption_keys=(NEW,))
    assert encryption.decrypt(after, "monitors", ROW) == SECRETS
    with pytest.raises(DecryptionError, match=f"encrypted with key {encryption.key_id(OLD).hex()}"):
        encryption.decrypt(before, "monitors", ROW)
