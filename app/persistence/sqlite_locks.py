"""Lock threads in an SQLite file, for all processes that use it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from app.persistence.errors import FullError, PersistenceError, UnavailableError
from app.persistence.locks import Manner

PATIENCE = 30.0
"""Seconds for which a writer waits for those of other processes."""
IS_LOCKED_BY = "SELECT 1 FROM thread_locks WHERE owner = ?"
DELETE_LOCKS = "DELETE FROM thread_locks WHERE thread_id = ?"
_TABLE = """\
CREATE TABLE IF NOT EXISTS thread_locks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL,
    owner TEXT NOT NULL UNIQUE,
    till REAL NOT NULL
)"""
_OWNERS = "SELECT owner, till FROM thread_locks WHERE thread_id = ? ORDER BY number"
_CUT = "UPDATE thread_locks SET till = ? WHERE thread_id = ? AND till > ?"
_END = "DELETE FROM thread_locks WHERE thread_id = ? AND till <= ? AND owner <> ?"
_RENEW = "UPDATE thread_locks SET till = ? WHERE owner = ?"
_JOIN = "INSERT INTO thread_locks (thread_id, owner, till) VALUES (?, ?, ?)"
_LEAVE = "DELETE FROM thread_locks WHERE owner = ?"


@contextmanager
def explained() -> Iterator[None]:
    """Translate errors of SQLite."""
    try:
        yield
    except sqlite3.Error as error:
        text = f"The file of the threads cannot be used: {error}."
        if "full" in str(error):
            raise FullError(text, hint="Nothing was written. Free disk.", retryable=True) from error
        if isinstance(error, sqlite3.OperationalError):
            raise UnavailableError(text, retryable=True) from error
        raise PersistenceError(text) from error


def make_tables(file: str) -> None:
    """Make what locks need; SQLite refuses, and does not wait, while others do."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with _connected(file) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(_TABLE)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def _connected(file: str) -> Iterator[sqlite3.Connection]:
    """Open a connection for one operation: savers of several event loops lock, and their own may be busy."""
    with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=NORMAL")  # a lock need not outlive a power cut
        yield connection


def lock(file: str, thread_id: str, owner: str, seconds: float, manner: Manner) -> int:
    """Ask for a lock; see `LockingSaver.alock`."""
    with explained(), _connected(file) as connection:
        try:
            found = _owners(connection, thread_id)
        except sqlite3.OperationalError:  # the first of all threads
            make_tables(file)
            found = {}
        now = time.time()
        live = [one for one, till in found.items() if now < till <= now + seconds]
        if live and live[0] != owner:  # whoever waits shall write as rarely as it can
            if manner == "once":
                return len(live)
            if live[0] == next(iter(found)) and found.get(owner, 0) > now + seconds / 2:
                return list(found).index(owner)
        connection.execute("BEGIN IMMEDIATE")
        try:
            ahead = _queue(connection, thread_id, owner, seconds, manner)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return ahead


def _queue(connection: sqlite3.Connection, thread_id: str, owner: str, seconds: float, manner: Manner) -> int:
    now = time.time()
    till = now + seconds
    connection.execute(_CUT, [till, thread_id, till])  # the clock may have gone back
    connection.execute(_END, [thread_id, now, owner])
    if not connection.execute(_RENEW, [till, owner]).rowcount:
        if manner == "renew":
            return -1
        connection.execute(_JOIN, [thread_id, owner, till])
    ahead = list(_owners(connection, thread_id)).index(owner)
    if ahead and manner == "once":
        connection.execute(_LEAVE, [owner])
    return ahead


def _owners(connection: sqlite3.Connection, thread_id: str) -> dict[str, float]:
    """Return who has a thread and who waits, in their order, with the time until which that counts."""
    return dict(connection.execute(_OWNERS, [thread_id]).fetchall())


def unlock(file: str, owner: str) -> None:
    """Give a lock, or a place in its queue, back."""
    with explained(), _connected(file) as connection:
        connection.execute(_LEAVE, [owner])
