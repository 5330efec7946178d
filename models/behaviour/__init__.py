"""Behaviour tests of a labeller: pairs that must differ, swaps that must not matter."""
