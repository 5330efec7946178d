"""Sends each outcome where it belongs; what is too large for the broker becomes a dead letter."""

from __future__ import annotations

from collections.abc import Sequence

from service.deadletters import dead_letter_headers
from service.delivery import Confirmation, DeliveryError, Outbox, TooLargeError
from service.headers import labelled_headers, tombstone_headers
from service.outcomes import Failure, Labelled, Outcome, Tombstone
from service.records import SourceRecord
from service.settings import TopicSettings


class Dispatch:
    """Between outcomes and the producer."""

    def __init__(self, topics: TopicSettings, outbox: Outbox) -> None:
        """Take the names of the topics, and what sends."""
        self._topics = topics
        self._outbox = outbox

    async def send(self, record: SourceRecord, outcome: Outcome) -> tuple[Outcome, Confirmation]:
        """Send an outcome.

        Returns:
            What it became, and what :meth:`confirmed` awaits.

        Raises:
            DeliveryError: the producer does not take it.
        """
        topic = self._topics.claims
        match outcome:
            case Labelled(key, labelled_id, value):
                headers = labelled_headers(record, labelled_id)
                try:
                    return outcome, await self._outbox.send(topic, key, value, headers)
                except TooLargeError as error:
                    failure = _too_large(str(error))
                    return failure, await self._send_dead_letter(record, failure)
            case Tombstone(key):
                headers = tombstone_headers(record)
                return outcome, await self._outbox.send(topic, key, None, headers)
            case Failure():
                return outcome, await self._send_dead_letter(record, outcome)

    async def confirmed(
        self, sent: Sequence[tuple[SourceRecord, Outcome, Confirmation]]
    ) -> list[Outcome]:
        """Wait for the broker; what it finds too large is sent again as a dead letter.

        Returns:
            What each became, now safe.

        Raises:
            DeliveryError: it did not confirm.
        """
        safe = await self._outbox.confirmed([confirmation for _, _, confirmation in sent])
        done = []
        for (record, outcome, _), is_safe in zip(sent, safe, strict=True):
            done.append(outcome if is_safe else await self._confirmed_again(record, outcome))
        return done

    async def _confirmed_again(self, record: SourceRecord, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Failure):
            failure = _too_large("the broker found the labelled article too large")
            again = await self._send_dead_letter(record, failure)
            if all(await self._outbox.confirmed([again])):
                return failure
        topic = self._topics.dead_letters
        raise DeliveryError(f"{topic} does not take a dead letter: it is too large")

    async def _send_dead_letter(self, record: SourceRecord, failure: Failure) -> Confirmation:
        topic = self._topics.dead_letters
        headers = dead_letter_headers(record, failure)
        try:
            return await self._outbox.send(topic, record.key, record.value, headers)
        except TooLargeError as error:
            raise DeliveryError(f"{topic} does not take a dead letter: {error}") from error


def _too_large(message: str) -> Failure:
    return Failure("deliver", "too_large", "service.delivery.TooLargeError", message)
