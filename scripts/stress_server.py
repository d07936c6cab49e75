"""An Odoo server with workers of its own, as an installation has it."""

import contextlib
import re
import socket
import subprocess
import sys
from pathlib import Path

# Odoo starts its process for websockets by the path of the script that it was started by.
ODOO = Path(__file__).with_name('stress_odoo.py')
# What Odoo logs when it ends a worker, and when a worker ends by itself for want of something.
KILLED = re.compile(r'WorkerCron \(\d+\) timeout|Worker.* (?:CPU time limit|memory limit)|virtual_memory')


@contextlib.contextmanager
def odoo_server(database, log, workers, cron_threads):
    """Run Odoo on `database` with its default limits while the context lasts; it logs to the file `log`."""
    process = subprocess.Popen(
        [
            *(sys.executable, ODOO, '--database', database, '--logfile', log),
            *('--workers', str(workers), '--max-cron-threads', str(cron_threads)),
            *('--http-interface', '127.0.0.1', '--http-port', str(free_port()), '--gevent-port', str(free_port())),
        ]
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port():
    """Return a port of this machine that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]
