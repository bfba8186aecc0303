"""Notifications: the outbox's rows are claimed, delivered and receipted."""
