"""Secrets at rest: which fields are secret, how they are encrypted, how strong they are."""
