"""Scheduling: Celery app, lanes, claims, sweeper and the worker process."""
