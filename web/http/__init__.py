"""Request handling that all routes share."""
