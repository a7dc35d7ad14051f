"""Language models in this process: real transformers models, very small and untaught."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.errors import ModelUnavailableError
from agents.types import WorkerRequest
from agents.workers.models.clients import LocalReference
from agents.workers.models.language_model import LanguageModel
from agents.workers.models.local_chat import LocalChat
from agents.workers.models.local_model import LocalModel, load
from agents.workers.models.manager import ModelManager
from agents.workers.models.reference import Connection
from tests.agents.workers.models.test_chat_prompt import TOOLS
from tests.tiny_model import TEMPLATE, save_adapter, save_base, spoilt_adapters
from tests.toolboxes import add, box
from tools.sandbox import Sandbox

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
]


def parsed(text: object) -> LocalReference:
    found = LocalReference.parse(str(text))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [save_adapter(base, tmp_path_factory.mktemp("adapter"), seed=seed) for seed in (1, 2)]


@pytest.fixture
def manager() -> ModelManager[LocalModel]:
    return ModelManager(100_000_000)


def local(name: Path | str, manager: ModelManager[LocalModel], most: int = 24) -> LocalChat:
    reference = parsed(name)
    return LocalChat(reference=reference, manager=manager, max_tokens=most)


def test_sampling_has_to_be_asked_for_and_repeats_by_its_seed(
    base: Path, manager: ModelManager[LocalModel]
) -> None:
    chat = local(base, manager)
    greedy = chat.invoke("hello").text
    sampled = [chat.invoke("hello", temperature=1.5, seed=seed).text for seed in (1, 2, 1)]
    assert sampled[0] == sampled[2]
    assert len({greedy, *sampled}) == 3
    assert chat.invoke("hello").text == greedy


def test_any_token_can_be_sampled(base: Path) -> None:
    model = load(parsed(base))
    drawn = {
        model.generate([7], 1, lambda tokens: False, temperature=1000, seed=seed)[0] for seed in range(120)
    }
    assert len(drawn) > 60


@pytest.mark.parametrize("temperature", [0, 1.5])
@pytest.mark.parametrize(
    "own",
    [
        {"num_beams": 4},
        {"repetition_penalty": 5.0},
        {"no_repeat_ngram_size": 1},
        {"do_sample": True, "top_k": 1},
        {"do_sample": True, "top_p": 0.01},
        {"do_sample": True, "min_p": 0.9},
        {"suppress_tokens": list(range(100))},
        {"min_new_tokens": 20, "forced_eos_token_id": 5},
    ],
    ids=lambda own: "+".join(own),
)
def test_settings_of_the_checkpoint_change_nothing(
    base: Path, tmp_path: Path, own: dict[str, Any], temperature: float
) -> None:
    def said(folder: Path) -> str:
        return str(local(folder, ModelManager(10**8)).invoke("hello", temperature=temperature, seed=1).text)

    opinionated = shutil.copytree(base, tmp_path / "opinionated")
    settings = opinionated / "generation_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text(encoding="utf-8")) | own), encoding="utf-8")
    assert said(opinionated) == said(base)


async def test_invoke_stream_and_their_async_forms_say_the_same(
    base: Path, manager: ModelManager[LocalModel]
) -> None:
    chat = local(base, manager)
    answer = chat.invoke("hello")
    assert answer.text
    assert (await chat.ainvoke("hello")).text == answer.text
    assert "".join(str(chunk.text) for chunk in chat.stream("hello")) == answer.text
    chunks = [chunk async for chunk in chat.astream("hello")]
    assert "".join(str(chunk.text) for chunk in chunks) == answer.text
    assert len([chunk for chunk in chunks if chunk.text]) > 1
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 24


def test_it_stops_at_a_stop_text_and_leaves_it_out(base: Path, manager: ModelManager[LocalModel]) -> None:
    chat = local(base, manager)
    whole = str(chat.invoke("hello").text)
    stop = whole[3:5]
    expected = whole[: whole.index(stop)]
    assert chat.invoke("hello", stop=[stop]).text == expected
    assert "".join(str(chunk.text) for chunk in chat.stream("hello", stop=[stop])) == expected


def test_max_tokens_of_a_call(base: Path, manager: ModelManager[LocalModel]) -> None:
    usage = local(base, manager).invoke("hello", max_tokens=3).usage_metadata
    assert usage is not None
    assert usage["output_tokens"] == 3


async def test_adapters_share_one_base_and_do_not_mix(
    base: Path, adapters: list[Path], manager: ModelManager[LocalModel]
) -> None:
    chats = [local(base, manager), local(adapters[0], manager), local(f"{base}#{adapters[1]}", manager)]
    alone = [str(local(chat.reference.name, ModelManager(10**8)).invoke("hello").text) for chat in chats[:2]]
    together = await asyncio.gather(*(chat.ainvoke("hello") for chat in chats * 4))
    said = [str(message.text) for message in together]
    assert said[:2] == alone
    assert said == said[:3] * 4
    assert len(set(said)) == 3
    assert len(manager.loaded()) == 1


def test_an_adapter_that_cannot_be_loaded_leaves_base_and_others_as_they_were(
    base: Path, adapters: list[Path], tmp_path: Path
) -> None:
    spoilt = spoilt_adapters(adapters[0], tmp_path)

    def said(model: LocalModel, adapter: Path | str = "") -> list[float]:
        return model.likelihoods("hello", ["you", " there"], str(adapter))[0]

    def fresh() -> LocalModel:
        return load(parsed(base))

    expected, tuned, other = said(fresh()), said(fresh(), adapters[0]), said(fresh(), adapters[1])
    assert len({*expected, *tuned, *other}) == 6
    model = fresh()
    for good in ([], [tuned], [tuned, other]):
        for folder in spoilt:
            with pytest.raises(ModelUnavailableError, match="cannot be loaded"):
                said(model, folder)
            assert said(model) == expected
            assert [said(model, own) for own in adapters[: len(good)]] == good
        assert said(model, adapters[min(len(good), 1)]) == [tuned, other][min(len(good), 1)]


async def test_an_abandoned_stream_ends_its_generation(base: Path, manager: ModelManager[LocalModel]) -> None:
    chat = local(base, manager, most=400)
    stream = chat.astream("hello")
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(20):
        assert (await chat.ainvoke("hello", max_tokens=2)).text is not None


async def test_a_worker_trims_its_conversation_and_says_so(tmp_path: Path) -> None:
    folder = save_base(tmp_path, window=160, template=TEMPLATE)
    worker = LanguageModel(parsed(folder), Connection("math", "Count.", manager=ModelManager(10**8)))
    talk = [HumanMessage("x" * 90), AIMessage("y" * 90), HumanMessage("z" * 40), AIMessage("w" * 20)]
    answer = await worker.answer(WorkerRequest("and now?", conversation=talk))
    assert answer.status == "answered"
    assert answer.evidence["trimmed"]["messages"] == 2
    assert answer.evidence["trimmed"]["window"] == 160
    assert answer.evidence["usage"]["input_tokens"] == answer.evidence["trimmed"]["kept"]
    assert answer.evidence["usage"]["total_tokens"] <= 160
    declined = await worker.answer(WorkerRequest("x" * 400))
    assert declined.status == "declined"
    assert "window of math's model has 160" in declined.text


@pytest.mark.parametrize(("template", "offered"), [(TOOLS, ["add"]), (TEMPLATE, [])])
async def test_tools_are_offered_as_the_template_allows(
    tmp_path: Path, manager: ModelManager[LocalModel], template: str, offered: list[str]
) -> None:
    folder = save_base(tmp_path, template=template, window=2048)
    with Sandbox() as sandbox:
        given = Connection("maths", manager=manager, tools=box(sandbox, add))
        worker = LanguageModel(parsed(folder), given)
        answer = await worker.answer(WorkerRequest("1 + 1?").with_most(8))
    assert answer.status == "answered", answer
    assert answer.evidence["tools"]["offered"] == offered
    assert ("takes no tools" in answer.evidence["tools"].get("note", "")) is (not offered)


@pytest.mark.parametrize("of_adapter", [False, True])
async def test_weights_cut_off_are_unavailable(
    base: Path, adapters: list[Path], tmp_path: Path, of_adapter: bool
) -> None:
    folder = shutil.copytree(adapters[0] if of_adapter else base, tmp_path / "cut")
    (weights,) = folder.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-100])
    worker = LanguageModel(parsed(folder), Connection("math", manager=ModelManager(10**8)))
    answer = await worker.answer(WorkerRequest("hello"))
    assert answer.status == "unavailable"
    assert f"{str(folder)!r} cannot be loaded" in answer.text


async def test_what_cannot_be_loaded_is_unavailable(base: Path, tmp_path: Path) -> None:
    missing = LanguageModel(parsed(tmp_path), Connection("math", manager=ModelManager(10**8)))
    answer = await missing.answer(WorkerRequest("hello"))
    assert answer.status == "unavailable"
    assert f"{str(tmp_path)!r} cannot be loaded" in answer.text
    large = LanguageModel(parsed(base), Connection("math", manager=ModelManager(1000)))
    answer = await large.answer(WorkerRequest("hello"))
    assert answer.status == "unavailable"
    assert "the budget is 0.00 GB" in answer.text
