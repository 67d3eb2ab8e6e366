"""What the service user is allowed to read is what is installed."""

from configparser import ConfigParser

from ops import up


def test_every_package_and_module_that_is_installed_is_opened_to_the_service_user() -> None:
    setup = ConfigParser()
    setup.read(up.ROOT / "setup.cfg")
    packages = [line.removesuffix("*") for line in setup["options.packages.find"]["include"].split()]
    modules = [f"{line}.py" for line in setup["options"]["py_modules"].split()]

    assert sorted(up.PACKAGES) == sorted(packages)
    assert sorted(up.MODULES) == sorted(modules)
    assert all((up.ROOT / name).exists() for name in (*up.PACKAGES, *up.MODULES))
