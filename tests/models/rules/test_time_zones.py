"""Time zones: those of tzdata, by their current names."""

from zoneinfo import ZoneInfo, available_timezones

import pytest

from models.rules import time_zones


def test_every_zone_is_offered_once_and_can_be_loaded() -> None:
    names = time_zones.names()
    assert names[0] == "UTC"
    assert list(names[1:]) == sorted(set(names[1:]))
    assert len(names) > 400
    assert {"Europe/Berlin", "Europe/Oslo", "America/Argentina/Buenos_Aires", "Etc/GMT+5"} <= set(names)
    for name in names:
        assert ZoneInfo(name).key == name


@pytest.mark.parametrize(
    "name",
    ["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/UTC", "Mars/Olympus", "", "utc", "../UTC"],
)
def test_what_is_no_zone_is_neither_known_nor_turned_into_one(name: str) -> None:
    assert not time_zones.is_known(time_zones.preferred(name))


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("US/Eastern", "America/New_York"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        ("GMT", "Etc/GMT"),
        ("Europe/Oslo", "Europe/Oslo"),
    ],
)
def test_a_former_name_has_a_present_one(former: str, present: str) -> None:
    assert time_zones.preferred(former) == present
    assert time_zones.is_known(present)


def test_every_name_of_the_system_is_a_zone_or_turned_into_one() -> None:
    unknown = {name for name in available_timezones() if not time_zones.is_known(time_zones.preferred(name))}
    assert unknown <= {"Factory", "localtime", "posixrules"}
