"""What `supercheck up` compiles and opens to the service user."""

import configparser

from ops import up


def test_what_the_service_user_must_read_is_everything_that_is_installed() -> None:
    declared = configparser.ConfigParser()
    declared.read(up.ROOT / "setup.cfg")
    packages = {one.removesuffix("*") for one in declared["options.packages.find"]["include"].split()}
    modules = {f"{one}.py" for one in declared["options"]["py_modules"].split()}
    assert {one.name for one in up.code()} == packages | modules
