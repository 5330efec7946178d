"""Measures the labeller and the stream on this machine, beside what people would otherwise write.

Every variant runs in a process of its own with one compute thread, is asked for one round at a time
and waits in between, so that the variants take turns without sharing threads or memory.
"""
