"""The error that ends a command with one line for the operator."""


class Problem(Exception):
    """The command cannot continue. The text is one line that says what to do, without secrets."""


def one_line(error: Exception) -> str:
    """Return the first line of a database error; later lines may contain values."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
