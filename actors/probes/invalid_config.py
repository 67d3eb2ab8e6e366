"""The error of a configuration that cannot be checked."""

from actors.probes.outcome import Outcome, Reason, Status


class InvalidConfig(Exception):
    """The monitor's configuration cannot be checked. `str()` is a sentence for users, without secrets."""

    def outcome(self) -> Outcome:
        """Return the outcome of the check: an error, not a failure of the target."""
        return Outcome(Status.ERROR, reason=Reason.INVALID_CONFIG, message=str(self))
