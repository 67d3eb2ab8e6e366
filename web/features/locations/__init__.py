"""Check locations."""
