"""A PostgreSQL server of its own, which a test may end, starve and fill up without disturbing anybody else's."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

# Where PostgreSQL's programs are, and as whom they run: not as root. `scripts/stress` has found both.
BIN = os.environ.get('STRESS_POSTGRES_BIN', '')
ACCOUNT = os.environ.get('STRESS_POSTGRES_ACCOUNT', '')
MEGABYTE = 1 << 20
SETTINGS = {
    'listen_addresses': "''",
    'max_connections': '40',
    'fsync': 'off',
    'max_wal_size': '64MB',
    'min_wal_size': '32MB',
}


class Cluster:
    """The server: its data and its write-ahead log each on a file system of its own, where root may mount one.

    As a context manager it runs from the beginning to the end, and `PGHOST` and `PGUSER` lead to it.
    """

    def __init__(self, megabytes=900):
        self.folder = Path(tempfile.mkdtemp(prefix='ponto-', dir='/tmp'))
        self.folder.chmod(0o755)
        self.data, self.wal, self.run = (self.folder / name for name in ('data', 'wal', 'run'))
        self.disks = [Disk(self.data, megabytes), Disk(self.wal, megabytes)]

    def __enter__(self):
        for folder in (self.data, self.wal, self.run):
            folder.mkdir()
        self.can_mount = len([disk for disk in self.disks if disk.mount()]) == len(self.disks)
        for folder in (self.data, self.wal, self.run):
            _give_to_account(folder)
        self._program(
            *('initdb', '-D', self.data / 'pg', '-X', self.wal / 'pg', '-U', 'odoo'),
            *('--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1'),
        )
        os.environ.update(PGHOST=str(self.run), PGUSER='odoo', PGPORT='5432')
        self.start()
        return self

    def __exit__(self, *_exception):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop('immediate')
        for disk in self.disks:
            disk.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, **settings):
        """Start the server, with these settings on top of those that a small server has."""
        settings = {**SETTINGS, 'unix_socket_directories': f"'{self.run}'", **settings}
        options = ' '.join(f'-c {name}={value}' for name, value in settings.items())
        self._program('pg_ctl', '-D', self.data / 'pg', '-l', self.run / 'log', '-o', options, '-w', '-s', 'start')

    def stop(self, mode='fast'):
        """End the server; `immediate` is a crash."""
        self._program('pg_ctl', '-D', self.data / 'pg', '-m', mode, '-w', '-s', 'stop')

    def is_running(self):
        try:
            self._program('pg_ctl', '-D', self.data / 'pg', 'status')
        except subprocess.CalledProcessError:
            return False
        return True

    def copy_here(self, database, server):
        """Copy a database of another server, which the environment `server` leads to."""
        subprocess.run(['createdb', database], check=True)
        with subprocess.Popen(['pg_dump', '--no-owner', database], env=server, stdout=subprocess.PIPE) as dump:
            subprocess.run(
                ['psql', '-X', '-q', '-d', database], stdin=dump.stdout, stdout=subprocess.DEVNULL, check=True
            )

    def _program(self, name, *arguments):
        as_account = ['runuser', '-u', ACCOUNT, '--'] if ACCOUNT else []
        subprocess.run([*as_account, Path(BIN) / name, *arguments], check=True, stdout=subprocess.DEVNULL, cwd='/')


class Disk:
    """A small file system in memory, mounted over a folder; only root may mount one."""

    def __init__(self, folder, megabytes):
        self.folder = Path(folder)
        self.options = f'size={megabytes}m'
        self.ballast = self.folder / 'ballast'

    def mount(self):
        """Return whether it could be mounted. What the folder held lies below it until it is unmounted."""
        if os.getuid():
            return False
        command = ['mount', '-t', 'tmpfs', '-o', self.options, 'tmpfs', self.folder]
        return not subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode

    def unmount(self):
        subprocess.run(['umount', self.folder], stderr=subprocess.DEVNULL, check=False)

    @contextlib.contextmanager
    def full(self):
        """Let no byte be free while the context lasts."""
        with self.ballast.open('wb', buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(MEGABYTE)):
                pass
        try:
            yield
        finally:
            self.ballast.unlink()


def _give_to_account(folder):
    if ACCOUNT:
        shutil.chown(folder, ACCOUNT)
    folder.chmod(0o700)
