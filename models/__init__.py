"""Released models, and what trains and measures them."""

import service  # noqa: F401 - before ONNX Runtime, whose telemetry it switches off
