"""The error of the embedded servers."""


class EmbeddedError(Exception):
    """An embedded server cannot be prepared or started; the text is one line that says what to do."""
