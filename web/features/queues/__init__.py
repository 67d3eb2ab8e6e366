"""Queues of the installation, for operators."""
