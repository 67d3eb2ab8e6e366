"""`supercheck doctor`."""

import pytest
import redis

from models.secrets import encryption
from ops import doctor
from tests.conftest import SettingsOf


def _states(findings: list[doctor.Finding]) -> dict[str, str]:
    return {finding.text: finding.state for finding in findings}


def test_a_migrated_database_is_fine(database_url: str, settings_of: SettingsOf) -> None:
    found = list(doctor.database(settings_of()))
    assert {finding.state for finding in found} == {doctor.OK}, _states(found)


def test_an_absent_database_is_a_problem_and_its_password_is_not_shown(settings_of: SettingsOf) -> None:
    config = settings_of(database_url="postgresql://user:hunter2@127.0.0.1:1/db")
    [finding] = doctor.database(config)
    assert finding.state == doctor.PROBLEM
    assert "correct DATABASE_URL" in finding.text
    assert "hunter2" not in finding.text


def test_missing_processes_are_problems_and_a_forgetful_redis_is_a_warning(settings_of: SettingsOf) -> None:
    found = _states(list(doctor.broker(settings_of())))
    assert any(state == doctor.PROBLEM and text.startswith("scheduler: none seen") for text, state in found.items())
    assert any(state == doctor.WARNING and "on disk" in text for text, state in found.items())


def test_a_process_that_does_not_know_the_first_key_is_a_warning(settings_of: SettingsOf, redis_url: str) -> None:
    config = settings_of(encryption_keys=(b"the new key here", b"the old key here"))
    announced = [f'{{"keys": ["{encryption.key_id(key).hex()}"], "away": []}}' for key in config.encryption_keys]
    with redis.Redis.from_url(redis_url) as client:
        try:
            for name, value in zip("ab", announced, strict=True):
                client.set(f"supercheck:process:web:{name}", value)
            found = _states(list(doctor.broker(config)))
        finally:
            client.flushall()
    assert found["Some processes do not know the first encryption key: restart them (1 web)."] == doctor.WARNING


def test_the_exit_code_says_whether_there_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for state, code in ((doctor.WARNING, 0), (doctor.PROBLEM, 1)):
        monkeypatch.setattr(doctor, "_findings", lambda state=state: iter([doctor.Finding(state, "Something.")]))
        assert doctor.examine() == code
        assert capsys.readouterr().out == f"{state:<8} Something.\n"
