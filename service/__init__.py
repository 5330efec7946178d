"""claimstream: labels every sentence of the news articles on a Kafka topic.

In a notebook: ``from service import label``. Nothing is loaded before something is asked for.
"""

import os
from typing import TYPE_CHECKING

# Before anything loads ONNX Runtime, whose builds else tell their maker of every start and model.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["Labelled", "label", "label_many"]

if TYPE_CHECKING:
    from service.api import Labelled, label, label_many
else:

    def __getattr__(name):  # noqa: ANN001, ANN202 - hidden from the type checker
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from service import api  # noqa: PLC0415 - commands and workers have no use for it

        return getattr(api, name)
