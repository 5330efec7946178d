"""Checks the machine, the set-up and the cluster, and says what to do about each fault."""
