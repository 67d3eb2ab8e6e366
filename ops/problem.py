"""What stops a command: one line that says what to do."""


class Problem(Exception):
    """The command cannot go on; the text is one line for the operator, without secrets."""


def one_line(error: Exception) -> str:
    """The first line of a database's error: what follows may repeat values."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
