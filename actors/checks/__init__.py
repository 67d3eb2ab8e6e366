"""From an execution message to stored results."""
