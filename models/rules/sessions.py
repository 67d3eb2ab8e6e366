"""How long a signed-in browser stays signed in."""

from datetime import timedelta

#: Without any request.
IDLE = timedelta(days=14)
#: In all, however busy: then the password is asked for again.
LONGEST = timedelta(days=30)
