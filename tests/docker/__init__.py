"""The image, built and run for real: ``pytest -m docker tests/docker``."""
