"""Fixtures: certificates, and an embedded broker with TLS and SASL in front of it.

They are the same whether or not the other tests run against an external cluster, whose listeners
and users are its own: these tests say nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from service.broker import EmbeddedBroker, free_port
from service.settings import KafkaSettings, Settings
from tests.cluster import Cluster
from tests.security.certificates import Certificates
from tests.security.front import Front


class Secured(NamedTuple):
    """A broker of our own, and what stands in front of it."""

    front: Front
    broker: EmbeddedBroker

    def cluster(self, **changes: Any) -> tuple[Cluster, Settings]:
        """Topics of a test's own: as seen from behind the front, and the settings to use it with.

        Args:
            changes: settings of Kafka, such as ``security_protocol``.
        """
        behind = Cluster(self.broker.bootstrap_servers)
        kafka = behind.settings.kafka.model_dump() | {"bootstrap_servers": self.front.address}
        # Validated, as settings from the environment are.
        secured = KafkaSettings(**(kafka | changes))
        return behind, behind.settings.model_copy(update={"kafka": secured})


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Good ones and bad ones."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker whose clients are sent to the front."""
    port = free_port()
    log = tmp_path_factory.mktemp("secured") / "broker.log"
    # What a client finds first, and where it is sent then, are one address, as mostly in life.
    with EmbeddedBroker(log=log, advertised_port=port) as broker, Front(port, broker.port) as front:
        yield Secured(front, broker)
