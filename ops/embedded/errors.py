"""What an embedded server that cannot start raises."""


class EmbeddedError(Exception):
    """An embedded server cannot be prepared or started; the text is one line that says what to do."""
