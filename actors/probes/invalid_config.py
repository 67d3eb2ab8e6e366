"""The one thing that stops a probe before it starts."""

from actors.probes.outcome import Outcome, Reason, Status


class InvalidConfig(Exception):
    """The monitor's configuration cannot be checked; `str()` is a sentence for people, without secrets."""

    def outcome(self) -> Outcome:
        """What the probe answers: our side cannot look, the target is not to blame."""
        return Outcome(Status.ERROR, reason=Reason.INVALID_CONFIG, message=str(self))
