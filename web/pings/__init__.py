"""The heartbeat routes."""
