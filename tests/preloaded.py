"""What the process loads from which workers are forked: see `tests.forked`."""
# ruff: noqa: F401 - that they are loaded is what this is for

import coverage
import faust.transport.drivers.aiokafka

import service.worker
import tests.labellers
