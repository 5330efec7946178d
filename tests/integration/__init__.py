"""Tests of the whole way: a real broker, real worker processes."""
