"""`python -m ops` is `supercheck`."""

from ops.cli import main

main()
