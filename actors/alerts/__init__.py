"""From an alert to its deliveries."""
