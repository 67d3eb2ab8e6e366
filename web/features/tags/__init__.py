"""Tags of monitors."""
