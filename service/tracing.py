"""What a worker tells of each record on its way, so that its trace can be followed.

Tracing is off unless an endpoint is set. Then nobody listens here, and of OpenTelemetry nothing is
imported. Spans follow from what is told (service.record_spans), and leave for the endpoint in a
thread of their own (service.otlp), which may be slow or away: nothing here waits for it.
"""

from __future__ import annotations

from service.delivery import Confirmation
from service.metrics import Metrics
from service.outcomes import Outcome, StageClock
from service.records import SourceRecord
from service.settings import Settings


class TracingError(Exception):
    """Traces are wanted and cannot be made; the message says why in one line."""


class Traces:
    """Is told of records, in the event loop, and makes nothing of it."""

    def begin(self, record: SourceRecord) -> None:
        """A record is taken in hand."""

    def tried(self, record: SourceRecord, clock: StageClock, outcome: Outcome) -> None:
        """It was labelled, or that failed; the clock has the time of each step of this try."""

    def sending(self, record: SourceRecord, outcome: Outcome) -> SourceRecord:  # noqa: ARG002 - for those who listen
        """Its outcome is about to be sent; the record whose headers go out with it."""
        return record

    def sent(self, record: SourceRecord, outcome: Outcome, confirmation: Confirmation) -> None:
        """The producer has what it became, and will confirm it."""

    def done(self, record: SourceRecord, outcome: Outcome) -> None:
        """What it became is safe, and the record acknowledged."""

    def left(self, record: SourceRecord) -> None:
        """It is left as it is, for whoever reads it next."""

    async def close(self) -> None:
        """Hand over what is there, in a bounded time."""


NO_TRACES = Traces()


def open_traces(settings: Settings, metrics: Metrics) -> Traces:
    """What listens, as the settings want it.

    Raises:
        TracingError: OpenTelemetry is wanted and not installed, or its settings make no sense.
    """
    if settings.tracing.endpoint is None:
        return NO_TRACES
    try:
        from service.otlp import open_exporter  # noqa: PLC0415 - only where it is wanted
        from service.record_spans import RecordSpans  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise TracingError(
            "CLAIMSTREAM_TRACING__ENDPOINT is set, but OpenTelemetry is not installed: "
            "pip install 'claimstream[tracing]'"
        ) from error
    try:
        return RecordSpans(open_exporter(settings.tracing, metrics), settings)
    except (ValueError, OSError) as error:
        raise TracingError(f"traces cannot be made: {error}") from error
