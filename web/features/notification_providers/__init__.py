"""Notification providers (channels)."""
