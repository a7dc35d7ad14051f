"""What all tests share: one thread, no network but loopback, a user directory of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator

# Before numpy is imported anywhere.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

from agents.octopus.embedding import Encoder

# A time by the clock depends on who else is working.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")
_SETTINGS = ("OCTOPUS_MODEL", "LANGSMITH_", "LANGCHAIN_", "OPENAI_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No settings or proxies of the machine; threads and caches in a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_SETTINGS) or name.lower() in _PROXIES:
                patch.delenv(name)
        patch.setenv("OCTOPUS_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("OCTOPUS_SERVERS", "none")  # of this machine
        patch.setenv("OCTOPUS_LANGUAGES", "false")  # what is tested with the extra says so
        yield


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The shipped encoder."""
    return Encoder(threads=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every test that was left out for want of something on this machine."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section(f"left out: {len(skipped)}")
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In continuous integration nothing may be left out."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    left_out = reporter.stats.get("skipped", []) if reporter else []
    if exitstatus == pytest.ExitCode.OK and left_out and os.environ.get("CI") == "true":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
