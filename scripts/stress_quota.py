"""Processes that have a part of the machine's processors only, as on a small server."""

import contextlib
import os
import time
from pathlib import Path

# Where control groups of the first and of the second version are mounted.
GROUPS = (Path('/sys/fs/cgroup/cpu'), Path('/sys/fs/cgroup'))
PERIOD = 100_000  # microseconds


@contextlib.contextmanager
def slowed(share):
    """Yield a function that lets a process, by its id, and all its later children have `share` of all processors.

    It needs root. Without a share it does nothing.

    :raises OSError: the machine lets nobody make such a group
    """
    if not share:
        yield lambda pid: None
        return
    root = next(root for root in GROUPS if root.is_dir())
    group = root / f'ponto-{os.getpid()}'
    group.mkdir()
    try:
        _limit(group, int(share * os.cpu_count() * PERIOD))
        yield lambda pid: (group / 'cgroup.procs').write_text(str(pid))
    finally:
        _remove(group)


def _limit(group, quota):
    if (group / 'cpu.cfs_quota_us').exists():
        (group / 'cpu.cfs_period_us').write_text(str(PERIOD))
        (group / 'cpu.cfs_quota_us').write_text(str(quota))
    else:
        (group / 'cpu.max').write_text(f'{quota} {PERIOD}')


def _remove(group):
    """Remove the group as soon as its last process has ended."""
    for _attempt in range(100):
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)
