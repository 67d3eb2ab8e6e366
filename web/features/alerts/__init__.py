"""Alert history."""
