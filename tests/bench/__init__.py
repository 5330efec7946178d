"""Tests of the measurements: that they count and calculate rightly, never how fast anything is."""
