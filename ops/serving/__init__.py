"""What stands between the sockets and the web application: nothing a client does slowly holds a thread."""
