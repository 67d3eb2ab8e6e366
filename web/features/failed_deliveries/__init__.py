"""Deliveries that failed permanently."""
