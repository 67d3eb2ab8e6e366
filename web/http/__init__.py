"""Request handling that every route shares."""
