"""Sealing of stored secrets."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from models.secrets import encryption as seal
from models.secrets.encryption import SealError
from tests.conftest import SettingsOf

OLD, NEW = b"an old key, 16 b", b"a newer key 16 b"
ROW = UUID(int=7)
SECRETS = {"auth.password": "correct horse", "headers.X-Api-Key": "0123456789"}


def sealed(secrets: dict[str, Any] = SECRETS, row: UUID = ROW, field: str = "secrets") -> bytes:
    made = seal.seal(secrets, "monitors", row, field)
    assert made is not None
    return made


@examples(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), min_size=1, max_size=4), st.uuids())
def test_what_was_sealed_opens_to_the_same(secrets: dict[str, str], row: UUID) -> None:
    assert seal.unseal(sealed(secrets, row), "monitors", row) == secrets


def test_nothing_is_sealed_as_nothing() -> None:
    assert seal.seal({}, "monitors", ROW) is None
    assert seal.unseal(None, "monitors", ROW) == {}


def test_the_sealed_bytes_tell_nothing_and_are_never_the_same_twice() -> None:
    first, second = sealed(), sealed()
    assert first != second
    assert b"correct horse" not in first


@pytest.mark.parametrize(
    ("table", "row", "field"),
    [("monitors", uuid4(), "secrets"), ("notification_providers", ROW, "secrets"), ("monitors", ROW, "config")],
)
def test_a_sealed_value_moved_to_another_place_does_not_open(table: str, row: UUID, field: str) -> None:
    with pytest.raises(SealError, match="damaged or was moved"):
        seal.unseal(sealed(), table, row, field)


@examples(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_value_is_refused_and_its_text_not_told(data: st.DataObject) -> None:
    whole = sealed()
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place = data.draw(st.integers(0, len(whole) - 1))
        damaged = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    with pytest.raises(SealError) as refused:
        seal.unseal(damaged, "monitors", ROW)
    assert "correct horse" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_after_a_rotation_old_values_open_and_new_ones_are_made_with_the_new_key(settings_of: SettingsOf) -> None:
    # Given a value under the old key
    settings_of(encryption_keys=(OLD,))
    before = sealed()
    assert seal.is_current(before)
    # When a new key comes first
    settings_of(encryption_keys=(NEW, OLD))
    # Then the old value opens, and is told from those that are sealed from now on
    assert seal.unseal(before, "monitors", ROW) == SECRETS
    assert not seal.is_current(before)
    after = sealed()
    assert seal.is_current(after)
    # And the new ones do without the old key
    settings_of(encryption_keys=(NEW,))
    assert seal.unseal(after, "monitors", ROW) == SECRETS
    with pytest.raises(SealError, match=f"sealed with key {seal.key_id(OLD).hex()}"):
        seal.unseal(before, "monitors", ROW)
