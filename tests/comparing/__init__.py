"""Tests of comparing two models."""
