"""Each worker process of pytest-xdist tests a database of its own, which scripts/test has made: <database>_<worker>.

Pytest-odoo would give each worker a copy as well, but one folder of files to all. Odoo deletes the files that its
database does not know, so one worker would delete another's.
"""

import os

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config):
    worker = os.environ.pop('PYTEST_XDIST_WORKER', None)
    if worker:
        config.option.odoo_database = f'{config.option.odoo_database}_{worker}'
    return (yield)
