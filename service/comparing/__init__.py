"""Compares two models on the same articles, before one takes over from the other."""
