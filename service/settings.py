"""All settings, frozen, built once at the edge and passed in.

They come from environment variables ``CLAIMSTREAM_<GROUP>__<NAME>``, or, for secrets, from files
of the same name in the folder that ``CLAIMSTREAM_SECRETS_DIR`` names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "CLAIMSTREAM_"
RELEASES = Path(__file__).resolve().parent.parent / "models"

# What Kafka itself allows in a topic's name.
TopicName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]


class Group(BaseModel):
    """A group of settings: immutable, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(Group):
    """The cluster and how the worker behaves as a member of its group."""

    bootstrap_servers: str = Field(default="127.0.0.1:9092", min_length=1)
    group: str = Field(default="claimstream", min_length=1)
    client_id: str = "claimstream"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    ca_file: Path | None = Field(default=None, description="CA certificates in PEM.")
    cert_file: Path | None = Field(
        default=None,
        description="Our own certificate in PEM, with those between it and its CA; also its key, "
        "where key_file is not set.",
    )
    key_file: Path | None = Field(default=None, description="The key of cert_file in PEM.")
    key_password: SecretStr | None = Field(
        default=None, description="Opens the key, where it is encrypted."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = (
        "SCRAM-SHA-512"
    )
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_token_file: Path | None = Field(
        default=None,
        description="For OAUTHBEARER: the file that holds the token, read for each connection.",
    )
    session_timeout_s: float = Field(default=45.0, gt=0)
    heartbeat_interval_s: float = Field(default=3.0, gt=0)
    rebalance_timeout_s: float = Field(
        default=120.0,
        gt=0,
        description="How long a rebalance waits for a member that is labelling a long article.",
    )
    commit_interval_s: float = Field(default=1.0, gt=0)
    # Kafka answers as soon as something comes; the embedded broker looks only so often.
    fetch_wait_s: float = Field(
        default=0.5, gt=0, description="How long the broker may hold an empty fetch."
    )
    request_timeout_s: float = Field(
        default=30.0, gt=0, description="How long the broker may take to confirm what is sent."
    )
    connect_timeout_s: float = Field(
        default=10.0, gt=0, description="How long commands wait for a broker before they give up."
    )
    max_record_bytes: int = Field(
        default=10 * 1024 * 1024, gt=0, description="The largest article, and the largest output."
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        default="gzip",
        description="Of what goes out. Every client reads gzip; zstd takes a quarter of its time, "
        "but some clients need a library more for it.",
    )
    idempotence: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether the broker drops what the client sends again after a lost answer; "
        "auto does without where the broker cannot, as the embedded one.",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.heartbeat_interval_s >= self.session_timeout_s:
            message = "heartbeat_interval_s must be shorter than session_timeout_s"
            raise ValueError(message)
        if fault := self._security_fault():
            raise ValueError(fault)
        return self

    def _security_fault(self) -> str | None:
        """What makes no sense about the connection's security."""
        certificates = self.ca_file or self.cert_file or self.key_file
        if self.security_protocol == "PLAINTEXT" and certificates:
            # Whoever names certificates does not want a connection in clear.
            return "ca_file, cert_file and key_file need security_protocol SSL or SASL_SSL"
        if self.key_file and not self.cert_file:
            return "key_file needs cert_file"
        if self.security_protocol != "SASL_SSL":
            return None
        if self.sasl_mechanism == "OAUTHBEARER":
            return None if self.sasl_token_file else "OAUTHBEARER needs sasl_token_file"
        if not (self.sasl_username and self.sasl_password):
            return "SASL_SSL needs sasl_username and sasl_password"
        return None


class TopicSettings(Group):
    """Names and shape of the three topics."""

    articles: TopicName = "news.articles.v1"
    claims: TopicName = "news.claims.v1"
    dead_letters: TopicName = "news.articles.v1.dlq"
    partitions: int = Field(default=4, ge=1)
    replication_factor: int = Field(default=1, ge=1)
    retention_days: float = Field(default=7.0, gt=0)
    dead_letter_retention_days: float = Field(
        default=30.0, gt=0, description="Longer, so that there is time to look and to replay."
    )


class ModelSettings(Group):
    """Which released model labels, and how."""

    size: Literal["base", "small"] = Field(
        default="base", description="base labels best; small is several times as fast."
    )
    path: Path | None = Field(
        default=None, description="Folder of a released model of one's own, instead of a size."
    )
    backend: Literal["auto", "torch", "onnx"] = Field(
        default="auto",
        description="auto takes onnx (int8) where `python -m models.export` has made the file and "
        "at most 1 in 200 labels was found to differ from torch's, else torch.",
    )
    threads: int = Field(default=1, ge=1, description="Compute threads of one worker.")
    uncertain_below: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="Sentences with a lower confidence are marked uncertain.",
    )

    @property
    def folder(self) -> Path:
        """Where the released model lies."""
        return self.path or RELEASES / self.size


class WorkerSettings(Group):
    """Batches, retries and what counts as stuck."""

    batch_articles: int = Field(
        default=16, ge=1, description="At most so many records are taken at once."
    )
    batch_tokens: int = Field(
        default=16384, ge=1, description="About so many tokens are enough for one batch."
    )
    attempts: int = Field(default=3, ge=1, description="Tries before a transient error is final.")
    retry_wait_s: float = Field(
        default=0.2, ge=0, description="Wait before the second try; doubles with each, jittered."
    )
    in_flight_bytes: int = Field(
        default=16 * 1024 * 1024,
        gt=0,
        description="Bytes fetched and not done (a fetch more, at most), and bytes of articles and "
        "outputs not confirmed; a larger article goes alone.",
    )
    in_flight_articles: int = Field(
        default=32, ge=1, description="Articles labelled and not yet confirmed by the broker."
    )
    start_wait_s: float | None = Field(
        default=None,
        gt=0,
        description="How long a start waits for the cluster and its topics; for ever if not set.",
    )
    breaker_failures: int = Field(
        default=5,
        ge=1,
        description="So many articles in a row that fail in the model hold the stream.",
    )
    breaker_wait_s: float = Field(
        default=5.0, gt=0, description="Wait before a held article is tried again; doubles."
    )
    breaker_max_wait_s: float = Field(default=60.0, gt=0, description="Where doubling ends.")
    poison_attempts: int = Field(
        default=3,
        ge=1,
        le=5,
        description="So often may the process die over one article before it is a dead letter.",
    )
    stall_s: float = Field(
        default=120.0, gt=0, description="Work at hand but none finished for so long: unhealthy."
    )
    slowest_bytes_per_s: float = Field(
        default=1000.0, gt=0, description="What a large article may take on top before it is stuck."
    )
    stop_timeout_s: float = Field(
        default=120.0, gt=0, description="How long the end may take before the process is cut off."
    )


class HttpSettings(Group):
    """Where metrics and health are served. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)


class ViewerSettings(Group):
    """How much the viewer holds; the oldest articles go first."""

    max_articles: int = Field(default=500, ge=1)
    max_bytes: int = Field(
        default=32 * 1024 * 1024,
        gt=0,
        description="All articles together, as JSON; in memory they take about seven times that.",
    )


class TracingSettings(Group):
    """Where traces go, by OpenTelemetry's protocol (OTLP) over HTTP; nowhere without an endpoint.

    The exporter's standard variables (``OTEL_EXPORTER_OTLP_CERTIFICATE``, ``OTEL_BSP_…``,
    ``OTEL_RESOURCE_ATTRIBUTES``, …) hold besides; none of them switches tracing on.
    """

    endpoint: HttpUrl | None = Field(
        default=None, description="A collector's address; /v1/traces is added to it."
    )
    headers: SecretStr | None = Field(
        default=None, description="Sent along, such as a key: name=value,name=value."
    )
    ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of the traces begun here that are followed; others are as they came.",
    )
    service_name: str = Field(default="claimstream", min_length=1)


class LogSettings(Group):
    """What is logged, and in which form."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["json", "console"] = "json"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
    )

    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    model: ModelSettings = ModelSettings()
    worker: WorkerSettings = WorkerSettings()
    http: HttpSettings = HttpSettings()
    viewer: ViewerSettings = ViewerSettings()
    tracing: TracingSettings = TracingSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - fixed by pydantic-settings
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - fixed by pydantic-settings
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, then secret files."""
        folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
        if folder is None:
            return init_settings, env_settings
        files = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=folder,
            secrets_dir_missing="error",
            secrets_prefix=PREFIX,
            secrets_nested_delimiter="__",
        )
        return init_settings, env_settings, files
