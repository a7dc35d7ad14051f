"""Define references to chat models: what a kind of them takes, how it counts, and how a call is made."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from langchain_core.messages import AIMessage, BaseMessage

from agents.errors import UnsupportedParameterError
from agents.types import WorkerRequest
from agents.workers.models.reference import Connection, ModelReference, Sends
from agents.workers.models.window import approximate_tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    Asked = Runnable[Any, AIMessage]

ANSWER_TOKENS = 1024  # kept free for the answer, but for small windows


@dataclass(frozen=True)
class ChatReference(ModelReference):
    """Name a chat model; a kind says how to reach it, count for it and explain its failures.

    Attributes:
        keeps_time: whether its client ends a slow request itself.
        takes: the parameters of `Generation` that its models take.
    """

    takes: ClassVar[frozenset[str]] = frozenset({"max_tokens"})
    keeps_time: ClassVar[bool] = True
    sends: ClassVar[Sends] = "conversation"
    calls_tools: ClassVar[bool] = True

    @abstractmethod
    def chat(self, given: Connection) -> BaseChatModel:
        """Build LangChain's chat model; load nothing and send nothing."""

    def call_options(self, request: WorkerRequest, room: int | None) -> dict[str, Any]:
        """Return the options of one call.

        Args:
            request: what is asked.
            room: tokens that the prompt leaves in the window; None where that is not known.

        Raises:
            UnsupportedParameterError: the model does not take a parameter that is asked for.
        """
        given = request.generation.given
        if refused := sorted(given.keys() - self.takes):
            names = ", ".join(refused)
            raise UnsupportedParameterError(refused[0], f"its model {self} does not take {names}.")
        return given

    def bound(self, chat: BaseChatModel, options: dict[str, Any]) -> Asked:
        """Return what is asked with `options`; those that are bound to it are taken out of them."""
        return chat

    def window(self, chat: BaseChatModel) -> int | None:
        """Return what the model says of its window; may block."""
        return (chat.profile or {}).get("max_input_tokens")

    def count(self, chat: BaseChatModel, messages: Sequence[BaseMessage]) -> int:
        """Count the tokens of a prompt; may block."""
        return approximate_tokens(messages)

    def warm(self, chat: Callable[[], BaseChatModel]) -> None:
        """Begin to load the model, where it is not on a server."""
        return
