"""Kills, faults and floods: real processes, and what is left of them."""
