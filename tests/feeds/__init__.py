"""Tests of the formats that newsrooms exchange articles in."""
