"""Brings one record to its outcome: in the inference thread, again if that may help.

Three kinds of failure are told apart. The article's own (data) is an outcome at once. What another
try may cure (transient) is tried again, a bounded number of times with growing, jittered waits.
What fails in the model is judged by the breaker before it is an outcome.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
from concurrent.futures import Executor
from contextlib import suppress

import stamina

from service.breaker import CONTROL, Breaker
from service.metrics import Metrics
from service.outcomes import Failure, Labelled, Outcome, StageClock, process, with_attempts
from service.pipeline import Labeller
from service.progress import Progress
from service.records import SourceRecord
from service.repeats import Repeats
from service.settings import WorkerSettings
from service.tracing import NO_TRACES, Traces


class _TransientError(Exception):
    """Carries a failure that another try may cure through the retries."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.class_name)
        self.failure = failure


class Attempts:
    """Labels records, one at a time."""

    def __init__(  # noqa: PLR0913 - the parts that meet here
        self,
        settings: WorkerSettings,
        *,
        labeller: Labeller,
        executor: Executor,
        metrics: Metrics,
        progress: Progress,
        breaker: Breaker,
        traces: Traces = NO_TRACES,
    ) -> None:
        """Take the parts; ``executor`` must have a single thread, for the labeller's sake."""
        self._settings = settings
        self._labeller = labeller
        self._repeats = Repeats(labeller)
        self._executor = executor
        self._metrics = metrics
        self._progress = progress
        self._breaker = breaker
        self._traces = traces

    def begin_batch(self) -> None:
        """Forget the texts of the batch before."""
        self._repeats.forget()

    async def label(self, record: SourceRecord) -> Outcome | None:
        """Label, again if that may help.

        Returns:
            The outcome; None if the breaker is open, or opens over this record: `hold` it.
        """
        if self._breaker.is_open:
            return None
        outcome = await self._try_often(record)
        return outcome if await self._is_final(outcome) else None

    async def hold(self, record: SourceRecord, leaving: asyncio.Event) -> Outcome | None:
        """Try once after each of the breaker's waits, until it closes or blames the record.

        Args:
            record: what is to be labelled.
            leaving: set when the record is to be left as it is.

        Returns:
            The outcome; None if the record was left: nothing may be done with it.
        """
        for number in itertools.count(1):
            self._progress.hold()
            with suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), self._breaker.due_in_s)
            if leaving.is_set():
                return None
            self._progress.begin(record.size)
            outcome = await self._try_once(record)
            if isinstance(outcome, Failure):
                outcome = with_attempts(outcome, number)
            if await self._is_final(outcome):
                return outcome
        raise AssertionError("counted to the end")

    async def _is_final(self, outcome: Outcome) -> bool:
        """Let the breaker know how a record fared, and judge it if it failed in the model."""
        if isinstance(outcome, Labelled):
            self._breaker.succeeded()
        return not _is_the_models(outcome) or await self._is_to_blame()

    async def _is_to_blame(self) -> bool:
        """Let the breaker judge the article that has just failed."""
        control = await self._run(CONTROL, StageClock(), self._labeller)
        return self._breaker.judge(control_passes=not isinstance(control, Failure))

    async def _try_often(self, record: SourceRecord) -> Outcome:
        tries = stamina.retry_context(
            on=_TransientError,
            attempts=self._settings.attempts,
            timeout=None,
            wait_initial=self._settings.retry_wait_s,
            wait_jitter=self._settings.retry_wait_s,
        )
        try:
            async for attempt in tries:
                with attempt:
                    return await self._try_numbered(record, attempt.num)
        except _TransientError as last:
            return last.failure
        raise AssertionError("no attempt was made")

    async def _try_numbered(self, record: SourceRecord, number: int) -> Outcome:
        """Try once of several times.

        Raises:
            _TransientError: it failed in a way that another try may cure.
        """
        if number > 1:
            self._metrics.retries.inc()
        outcome = await self._try_once(record)
        if not isinstance(outcome, Failure):
            return outcome
        failure = with_attempts(outcome, number)
        if failure.is_transient:
            raise _TransientError(failure)
        return failure

    async def _try_once(self, record: SourceRecord) -> Outcome:
        clock = StageClock()
        outcome = await self._run(record, clock, self._repeats)
        self._metrics.observe_stages(clock.seconds)
        self._traces.tried(record, clock, outcome)
        if isinstance(outcome, Failure) and outcome.reason == "out_of_memory":
            gc.collect()
        return outcome

    async def _run(self, record: SourceRecord, clock: StageClock, labeller: Labeller) -> Outcome:
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, process, record, labeller, clock
        )


def _is_the_models(outcome: Outcome) -> bool:
    """Say whether it may be the model, or our own code, that failed, and not the article."""
    return isinstance(outcome, Failure) and (outcome.is_transient or outcome.stage == "infer")
