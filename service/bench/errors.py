"""What ends a measurement."""


class BenchError(Exception):
    """The measurement cannot be made, or did not come to its end; one line says why."""
