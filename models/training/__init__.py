"""Trains and releases the models: ``python -m models.training``."""
