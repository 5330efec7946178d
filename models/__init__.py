"""Released models, and what trains and measures them."""
