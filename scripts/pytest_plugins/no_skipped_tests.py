"""A skipped test is a failure: a green run that ran nothing proves nothing."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    # A worker process has no reporter: it tells the process that started it.
    reporter = session.config.pluginmanager.get_plugin('terminalreporter')
    if reporter and reporter.stats.get('skipped') and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get('skipped', ()):
        terminalreporter.write_line(f'SKIPPED, which fails the run: {report.nodeid}: {report.longreprtext}', red=True)
