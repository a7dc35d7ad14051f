"""Define the errors of this package, each on its natural builtin; servers may show their texts."""

from __future__ import annotations


class PersistenceError(RuntimeError):
    """Serve as the base of the errors of this package.

    Args:
        message: what is wrong, with the name and value of the offender.
        hint: what to do about it.
        retryable: whether the same call may succeed later.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.hint = hint
        self.retryable = retryable


class UnavailableError(PersistenceError):
    """Report that Redis cannot be reached, or was too slow; a write may or may not have happened."""


class FullError(PersistenceError):
    """Report that Redis refused a write, because its memory or disk is full; nothing was written."""


class LostDataError(PersistenceError):
    """Report that Redis lost a part of a thread (evicted, or deleted by hand), so the rest is not used."""


class CorruptDataError(PersistenceError, ValueError):
    """Report that stored bytes are not what this package wrote, or not under this encryption key."""


class TypeNotAllowedError(PersistenceError, TypeError):
    """Report that a value has a type that may not be rebuilt from stored bytes."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__(
            f"The type {module}.{name} is not in the allow-list of the checkpointer.",
            hint=f"If you trust it, pass allow=[({module!r}, {name!r})], or the class itself, to from_url.",
        )
        self.module = module
        self.name = name


class ThreadBusyError(PersistenceError):
    """Report that others have a thread, or come first."""

    def __init__(self, thread_id: str) -> None:
        super().__init__(f"Thread {thread_id!r} is busy with another run.", retryable=True)


class ThreadLostError(PersistenceError):
    """Report that a run stood still for so long that another took its thread; its write was refused."""

    def __init__(self) -> None:
        super().__init__(
            "A run stood still, and another has its thread now, or deleted it.",
            hint="Ask again.",
            retryable=True,
        )
