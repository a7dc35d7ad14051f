"""Offer the checkpointer, one class for sync and async."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypedDict, Unpack

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from app.persistence.locks import Manner, lock_owner
from app.persistence.redis import maintenance, reading, writing
from app.persistence.redis.client import ClosesClient, RedisClient, safe_url
from app.persistence.redis.codec import Codec
from app.persistence.redis.keys import DEFAULT_PREFIX, Keys, Layout, ThreadSettings
from app.persistence.redis.known_content import SeenThreads
from app.persistence.redis.operations import preload
from app.persistence.redis.reading import Listing
from app.persistence.serializer import StrictSerializer, TypeName

_LONGEST_TTL = 1e10


class SaverOptions(TypedDict, total=False):
    """Name the options of `RedisSaver`, which describes them."""

    ttl: float | None
    refresh_on_read: bool
    encryption_key: bytes | str | None
    prefix: str
    history: Literal["full", "shallow"]
    allow: Iterable[TypeName | type]
    serde: SerializerProtocol | None


class RedisSaver(ClosesClient, BaseCheckpointSaver[str]):
    """Keep checkpoints in plain Redis ≥ 6, Valkey or a Redis Cluster; no modules.

    Use `from_url`. The saver works at once; as a context manager, `with` or `async with`, it closes its
    connections at the end.

    Args:
        client: the connections.
        ttl: seconds after which an unused thread expires as a whole; None for never.
        refresh_on_read: whether reading counts as use.
        encryption_key: 16, 24 or 32 bytes, or their base64 text: values, metadata and names of channels are
            encrypted (AES-GCM). Ids of threads, namespaces and checkpoints are not.
        prefix: start of all key names: letters, digits, `_`, `.` and `-`.
        history: "full", or "shallow" to keep only the latest checkpoint of each namespace, with the ancestors
            that its delta channels are replayed from.
        allow: types to rebuild from stored bytes besides LangGraph's safe ones: classes, or (module, name).
        serde: another serializer, instead of the strict one with `allow`.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        ttl: float | None = None,
        refresh_on_read: bool = True,
        encryption_key: bytes | str | None = None,
        prefix: str = DEFAULT_PREFIX,
        history: Literal["full", "shallow"] = "full",
        allow: Iterable[TypeName | type] = (),
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde or StrictSerializer(allow))
        if ttl is not None and not 0.001 <= ttl <= _LONGEST_TTL:
            raise ValueError(f"ttl {ttl!r} must be 0.001 to {_LONGEST_TTL:.0e} seconds, or None.")
        if history not in ("full", "shallow"):
            raise ValueError(f"history {history!r} must be 'full' or 'shallow'.")
        preload()
        self.client = client
        settings = ThreadSettings(round((ttl or 0) * 1000), refresh_on_read, history == "shallow")
        self.layout = Layout(settings, Keys(prefix), Codec.of(self.serde, encryption_key), SeenThreads())

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        cluster: bool = False,
        timeout: float = 30.0,
        retries: int = 8,
        **options: Unpack[SaverOptions],
    ) -> RedisSaver:
        """Return a saver for a url (see `RedisClient`); nothing is sent until it is used."""
        return cls(RedisClient(url, cluster=cluster, timeout=timeout, retries=retries), **options)

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> BaseCheckpointSaver[str]:
        """Return a copy on the same connections that also rebuilds these types."""
        derived = super().with_allowlist(extra_allowlist)
        if isinstance(derived, RedisSaver) and derived is not self:
            derived.layout = self.layout.with_codec(replace(self.layout.codec, serde=derived.serde))
        return derived

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Return a version after `current`: a number, and a random part, which no two branches share."""
        if isinstance(current, int | float):
            return int(current) + 1  # a thread of a saver that counts in numbers
        digits = current.split(".")[0] if current else "0" * 8
        return f"{int(digits) + 1:0{len(digits)}d}.{random.getrandbits(32):08x}"

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` points at, or the latest of its namespace."""
        return self.client.run(reading.get_tuple(self.layout, config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read as `get_tuple` does."""
        return await self.client.arun(reading.get_tuple(self.layout, config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints newest first: of all namespaces if `config` has none, of all threads for None."""
        listing = Listing(self.layout, config, filter, before, limit)
        while listing.unfinished:
            yield from self.client.run(listing.page())

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield as `list` does."""
        listing = Listing(self.layout, config, filter, before, limit)
        while listing.unfinished:
            for found in await self.client.arun(listing.page()):
                yield found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint whose parent is the checkpoint of `config`.

        Raises:
            ThreadLostError: the run that writes has lost the lock of its thread.
        """
        owner = lock_owner(config, self)
        return self.client.run(writing.put(self.layout, config, checkpoint, metadata, new_versions, owner))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store as `put` does."""
        owner = lock_owner(config, self)
        return await self.client.arun(
            writing.put(self.layout, config, checkpoint, metadata, new_versions, owner)
        )

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote after the checkpoint of `config`."""
        owner = lock_owner(config, self)
        self.client.run(writing.put_writes(self.layout, config, writes, (task_id, task_path), owner))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store as `put_writes` does."""
        owner = lock_owner(config, self)
        await self.client.arun(writing.put_writes(self.layout, config, writes, (task_id, task_path), owner))

    def delete_thread(self, thread_id: str) -> None:
        """Remove a thread."""
        self.client.run(maintenance.delete_thread(self.layout, str(thread_id)))

    async def adelete_thread(self, thread_id: str) -> None:
        """Remove as `delete_thread` does."""
        await self.client.arun(maintenance.delete_thread(self.layout, str(thread_id)))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints of runs."""
        self.client.run(maintenance.delete_for_runs(self.layout, run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove as `delete_for_runs` does."""
        await self.client.arun(maintenance.delete_for_runs(self.layout, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread to an id that has none; raises `PersistenceError` if it has."""
        self.client.run(maintenance.copy_thread(self.layout, str(source_thread_id), str(target_thread_id)))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy as `copy_thread` does."""
        await self.client.arun(
            maintenance.copy_thread(self.layout, str(source_thread_id), str(target_thread_id))
        )

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Remove old checkpoints, but not those that a delta channel of the latest one is replayed from."""
        self.client.run(maintenance.prune(self.layout, thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Remove as `prune` does."""
        await self.client.arun(maintenance.prune(self.layout, thread_ids, strategy))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return writes and seed per delta channel, in one round trip."""
        if not channels:
            return {}
        return self.client.run(reading.delta_history(self.layout, config, channels))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Read as `get_delta_channel_history` does."""
        if not channels:
            return {}
        return await self.client.arun(reading.delta_history(self.layout, config, channels))

    @property
    def lock_scope(self) -> str:
        """Return what names the storage: savers of one share its locks."""
        return f"{safe_url(self.client.url)} {self.layout.keys.threads!r}"

    async def alock(self, thread_id: str, owner: str, seconds: float, manner: Manner) -> int:
        """Ask for the lock of a thread, as `LockingSaver` says."""
        return await self.client.arun(maintenance.lock(self.layout, thread_id, owner, seconds, manner))

    async def aunlock(self, thread_id: str, owner: str) -> None:
        """Give a lock, or a place in its queue, back."""
        await self.client.arun(maintenance.unlock(self.layout, thread_id, owner))

    def thread_ids(self) -> Sequence[str]:
        """Return the ids of the threads that exist."""
        return self.client.run(maintenance.thread_ids(self.layout))

    def thread_size(self, thread_id: str) -> int:
        """Return the number of checkpoints of a thread, in all namespaces."""
        return self.client.run(maintenance.thread_size(self.layout, str(thread_id)))

    async def athread_size(self, thread_id: str) -> int:
        """Count as `thread_size` does."""
        return await self.client.arun(maintenance.thread_size(self.layout, str(thread_id)))

    async def athread_ids(self) -> Sequence[str]:
        """List as `thread_ids` does."""
        return await self.client.arun(maintenance.thread_ids(self.layout))
