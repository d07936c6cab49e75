"""Builds the wheel with whool, as OCA's addons are built, from what `git archive` exports.

Whool alone takes the addon's name from the folder's and packs every tracked file. Here the checkout may have any
name, and what .gitattributes marks with export-ignore (tests, scripts, the demo) stays out. The names are those of
PEP 517.
"""

import contextlib
import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from whool import buildapi

ADDON = 'account_online_ponto'


def get_requires_for_build_wheel(config_settings=None):
    """Return what building a wheel needs beside whool: nothing."""
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build the wheel of the last commit into `wheel_directory` and return its file's name."""
    target = Path(wheel_directory).resolve()
    with _exported():
        return buildapi.build_wheel(str(target), config_settings, metadata_directory)


@contextlib.contextmanager
def _exported():
    """Work in a folder with the addon's name that holds what the last commit exports, and nothing else."""
    archive = subprocess.run(['git', 'archive', 'HEAD'], check=True, stdout=subprocess.PIPE).stdout
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        addon = Path(folder) / ADDON
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(addon, filter='data')
        # A commit lies above no folder of ours; whool must not find one and list its files instead.
        os.environ['GIT_CEILING_DIRECTORIES'] = folder
        os.chdir(addon)
        try:
            yield
        finally:
            os.chdir(before)
