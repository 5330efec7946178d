"""Sends spans to the tracing endpoint: OTLP over HTTP, in the background, never in the way.

Spans wait in a queue of bounded length. What the endpoint does not take within the exporter's time
is dropped, and so is what finds the queue full; both are counted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Tracer
from opentelemetry.util.re import parse_env_headers

from service.metrics import Metrics
from service.settings import TracingSettings

log = structlog.get_logger(__name__)

_PATH: Final = "/v1/traces"
# Keys of records may be of any length.
_MOST_CHARACTERS: Final = 512
# How long an end waits for the last spans. The exporter itself would try for 30 s.
_FLUSH_S: Final = 3.0
_REASON_CHARACTERS: Final = 300


class Exporter:
    """Has spans sent that its ``tracer`` makes."""

    def __init__(self, provider: TracerProvider, counted: _CountedExporter) -> None:
        """Take what is to be shut down in the end."""
        self._provider, self._counted = provider, counted
        self.tracer: Tracer = provider.get_tracer("claimstream", _version())

    async def close(self) -> None:
        """Send what waits, within a bounded time; what is left then is dropped."""
        loop, flushed = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody has waited so long
                loop.call_soon_threadsafe(flushed.set)

        # A daemon: the process does not wait for it, however long the endpoint may take.
        threading.Thread(target=flush, name="flush", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(flushed.wait(), _FLUSH_S)
        # A try that is under way may go on for half a minute, and nobody hears of it any more.
        self._counted.is_over = True


def open_exporter(settings: TracingSettings, metrics: Metrics) -> Exporter:
    """Begin to export; nothing is sent before there is a span."""
    reason = _LastReason()
    headers = settings.headers.get_secret_value() if settings.headers else ""
    exporter = OTLPSpanExporter(
        endpoint=_address(str(settings.endpoint)),
        headers=dict(parse_env_headers(headers, liberal=True)) or None,
    )
    provider = TracerProvider(
        # A trace is followed as whoever began it has decided; the share is of those begun here.
        sampler=ParentBased(TraceIdRatioBased(settings.ratio)),
        resource=Resource.create(
            {
                "service.name": settings.service_name,
                "service.version": _version(),
                "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
            }
        ),
        span_limits=SpanLimits(max_attribute_length=_MOST_CHARACTERS),
        shutdown_on_exit=False,
    )
    counted = _CountedExporter(exporter, metrics, reason)
    provider.add_span_processor(_CountingProcessor(counted, metrics))
    # What it says of its settings it has said by now; of an endpoint that is away it never ceases.
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [reason], False
    return Exporter(provider, counted)


class _CountingProcessor(BatchSpanProcessor):
    """Counts the spans that are to be exported."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics) -> None:
        super().__init__(exporter)
        self._metrics = metrics

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled:
            self._metrics.trace_spans.inc()
        super().on_end(span)


class _CountedExporter(SpanExporter):
    """Counts the spans that the endpoint took, and says once when it takes none any more."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics, reason: _LastReason) -> None:
        self._exporter = exporter
        self._metrics = metrics
        self._reason = reason
        self._is_failing = False
        self.is_over = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._metrics.trace_spans_exported.inc(len(spans))
            if self._is_failing and not self.is_over:
                log.info("the tracing endpoint takes spans again")
        elif not (self._is_failing or self.is_over):
            log.warning("spans are dropped: the tracing endpoint fails", reason=self._reason.last)
        self._is_failing = result is not SpanExportResult.SUCCESS
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _LastReason(logging.Handler):
    """Keeps the last thing that the library said, which is why it failed if it did."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()[:_REASON_CHARACTERS]


def _address(endpoint: str) -> str:
    """Where traces go: below the endpoint, as for all of OpenTelemetry, if not named itself."""
    return endpoint if endpoint.endswith(_PATH) else endpoint.rstrip("/") + _PATH


def _version() -> str:
    try:
        return version("claimstream")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "unknown"
