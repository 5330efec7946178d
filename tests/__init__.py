"""Tests: one file a module, and the whole way in ``integration``."""
