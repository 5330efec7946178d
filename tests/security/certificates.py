"""Certificates as a cluster and its clients have them, good and bad, made for each run."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import trustme

_HERE = ("127.0.0.1", "localhost")
_LAST_YEAR = datetime.now(UTC) - timedelta(days=365)


class Pair(NamedTuple):
    """A certificate with those between it and its CA, and its key, as files in PEM."""

    cert: Path
    key: Path

    def serve(self, clients: Path | None = None) -> ssl.SSLContext:
        """A server's context, which asks for certificates of a CA if one is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        return context


class Certificates:
    """One CA that is to be trusted, one that is not, and what they have signed."""

    def __init__(self, folder: Path) -> None:
        """Make all, and write them to a folder."""
        self._folder = folder
        ours, theirs = trustme.CA(), trustme.CA()
        self.ca = self._write("ca", ours.cert_pem)
        self.other_ca = self._write("other-ca", theirs.cert_pem)
        self.server = self._pair("server", ours.issue_cert(*_HERE))
        self.client = self._pair("client", ours.issue_cert("desk@example.org"))
        self.strange_client = self._pair("strange", theirs.issue_cert("desk@example.org"))
        wrong_name = self._pair("wrong-name", ours.issue_cert("kafka.example.org"))
        late = {"not_before": _LAST_YEAR, "not_after": _LAST_YEAR + timedelta(days=90)}
        self.expired_client = self._pair("late-client", ours.issue_cert("desk@example.org", **late))
        self.bad_servers = {
            # The CA's own, which nobody else has signed.
            "self-signed": Pair(self.other_ca, self._write("self", theirs.private_key_pem)),
            "of another CA": self._pair("other", theirs.issue_cert(*_HERE)),
            "expired": self._pair("late", ours.issue_cert(*_HERE, **late)),
            "of another name": wrong_name,
        }

    def _write(self, name: str, blob: trustme.Blob) -> Path:
        file = self._folder / f"{name}.pem"
        blob.write_to_path(file)
        return file

    def _pair(self, name: str, leaf: trustme.LeafCert) -> Pair:
        chain = self._folder / f"{name}.crt"
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(chain, append=True)
        return Pair(chain, self._write(f"{name}-key", leaf.private_key_pem))
