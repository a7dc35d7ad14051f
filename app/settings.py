"""Read the settings of the application from the environment."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, SecretStr

from app.persistence.location import Place
from graphs.settings import APPLICATION, GraphSettings


class Settings(GraphSettings):
    """Add to the settings of graphs where conversations, traces and benchmark data are kept.

    Attributes:
        redis_url: the Redis that keeps conversations; without it an SQLite file does.
        redis_cluster: whether that is a node of a Redis Cluster.
        thread_ttl: seconds that a conversation in Redis lives after its last use; None for ever.
        encryption_key: base64 of 16, 24 or 32 bytes; None stores plainly.
        checkpoints: the SQLite file; by default in `OCTOPUS_HOME` or the user's data directory.
        benchmark_data: the folder of benchmark data.
        traces: the file where runs are logged; None logs none.
    """

    redis_url: SecretStr | None = Field(default=None, alias="REDIS_URL")
    redis_cluster: bool = Field(default=False, alias="REDIS_CLUSTER")
    thread_ttl: float | None = Field(default=None, alias="OCTOPUS_THREAD_TTL")
    encryption_key: SecretStr | None = Field(default=None, alias="OCTOPUS_ENCRYPTION_KEY")
    checkpoints: Path | None = Field(default=None, alias="OCTOPUS_CHECKPOINTS")
    benchmark_data: Path | None = Field(default=None, alias="OCTOPUS_DATA")
    traces: Path | None = Field(default=None, alias="OCTOPUS_TRACES")

    @property
    def data_dir(self) -> Path:
        """Return the folder of what is kept: threads, and what was typed in `octopus chat`."""
        return self.home or user_data_path(APPLICATION)

    @property
    def threads(self) -> Place:
        """Return where conversations are kept."""
        return Place(
            sqlite=self.checkpoints or self.data_dir / "threads.sqlite",
            redis_url=self.redis_url.get_secret_value() if self.redis_url else None,
            ttl=self.thread_ttl,
            encryption_key=self.encryption_key.get_secret_value() if self.encryption_key else None,
            cluster=self.redis_cluster,
        )
