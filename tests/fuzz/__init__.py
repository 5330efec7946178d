"""Looks for inputs that break a promise: see README.md in this folder."""
