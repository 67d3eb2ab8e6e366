"""How long a browser session lasts."""

from datetime import timedelta

#: Without any request.
IDLE = timedelta(days=14)
#: Since the sign-in, however active the session is.
LONGEST = timedelta(days=30)
