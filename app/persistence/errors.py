"""What can go wrong, each error on its natural builtin, so that servers may show its text."""

from __future__ import annotations


class PersistenceError(RuntimeError):
    """Base of the errors of this package.

    Args:
        message: what is wrong; names the offender with its value.
        hint: what to do about it.
        retryable: whether the same call may succeed later.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.hint = hint
        self.retryable = retryable


class UnavailableError(PersistenceError):
    """Redis cannot be reached, or did not answer in time; the write may or may not have happened."""


class FullError(PersistenceError):
    """Redis refused a write, because its memory or its disk is full; nothing was written."""


class LostDataError(PersistenceError):
    """A part of a thread is gone from Redis (evicted, or deleted by hand), so the rest is not used."""


class CorruptDataError(PersistenceError, ValueError):
    """Bytes in Redis are not what this package wrote, or not under this encryption key."""


class TypeNotAllowedError(PersistenceError, TypeError):
    """A value has a type that may not be rebuilt from bytes in Redis."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__(
            f"The type {module}.{name} is not in the allow-list of the checkpointer.",
            hint=f"If you trust it, pass allow=[({module!r}, {name!r})], or the class itself, to from_url.",
        )
        self.module = module
        self.name = name
