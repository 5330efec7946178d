"""The commands for dead letters, piece by piece."""
