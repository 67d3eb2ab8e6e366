"""Monitors: list, detail page, form, actions, API."""
