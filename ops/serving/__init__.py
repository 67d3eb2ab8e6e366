"""The layer between the sockets and the web application. A slow client never blocks a thread."""
