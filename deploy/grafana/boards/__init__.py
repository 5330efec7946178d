"""One module a dashboard, and what they are made of."""
