"""A skipped test is a failure: a green run that ran nothing proves nothing."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    skipped = session.config.pluginmanager.get_plugin('terminalreporter').stats.get('skipped')
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get('skipped', ()):
        terminalreporter.write_line(f'SKIPPED, which fails the run: {report.nodeid}: {report.longreprtext}', red=True)
