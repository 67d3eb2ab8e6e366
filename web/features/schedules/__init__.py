"""Schedules and queues."""
