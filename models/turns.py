"""The one loop of all scheduled actions."""

import functools
import logging
from collections import deque

from odoo import SUPERUSER_ID

from . import budget
from .database_errors import cause, is_passing

_logger = logging.getLogger(__name__)


class LostWorkerError(Exception):
    """Workers were lost while they were at work on a record: Odoo has ended them, or somebody has killed them."""


class EndTurns(Exception):
    """A step raises it when it has done its work and the other items would fail too. They wait for the next run."""


def for_all_companies(method):
    """Let the method of a scheduled action run as OdooBot, whatever user an administrator has given the action."""

    @functools.wraps(method)
    def as_odoobot(self):
        return method(self.with_user(SUPERUSER_ID))

    return as_odoobot


def in_turns(env, items, step, *, lock=None, failed=None, may_wait=False):
    """Call `step(item)` for each of `items`, each time in a transaction of its own. Never raises while the database
    can be reached.

    An item whose step returns true has more to do and gets another turn after the others. One that another worker has
    locked is left to that worker. For other records that somebody has locked a step waits for `budget.LOCK` seconds.
    What a step raises is rolled back and told, and the other items go on. Nothing is begun after the end of the job;
    what is left is reported, so that `ir.cron` comes back for it.

    :param items: recordsets, each a turn's subject
    :param step: callable that does one piece of work, of about `budget.STEP` seconds, without commit
    :param lock: callable that returns whether the item could be locked; by default its records are
    :param failed: callable that gets item and error and records it, in a transaction of its own and without a lock; by
        default the error goes to the log
    :param may_wait: do not have `ir.cron` come back for what is left; the next run does it
    :return: whether time was left for all
    """
    cron, queue = env['ir.cron'], deque(items)
    cron._commit_progress(remaining=0 if may_wait else len(queue))
    while queue and not budget.is_over(env):
        item = queue.popleft()
        try:
            if _turn(env, item, step, lock or _lock, failed or _log):
                queue.append(item)
        except EndTurns:
            queue.clear()
        cron._commit_progress(1, remaining=0 if may_wait else len(queue))
    if queue and not may_wait:
        _wake(cron)
    return not queue


def wait_briefly(env):
    """Let the statements of this transaction wait for `budget.LOCK` seconds at most for what another one has locked.

    A person may keep a transaction open for hours. The statement that has waited in vain raises `LockNotAvailable`.
    """
    env.cr.execute("SET LOCAL lock_timeout = %s", [f'{budget.LOCK}s'])


def _wake(cron):
    """Have `ir.cron` come back as soon as this job has ended. By itself it sleeps for a minute before."""
    job = cron.sudo().browse(cron.env.context.get('cron_id'))
    if job:
        job._trigger()
        cron.env.cr.commit()


def _turn(env, item, step, lock, failed):
    """Return whether `item` has more to do."""
    try:
        wait_briefly(env)
        has_more = bool(lock(item)) and step(item)
        env.flush_all()
        return has_more
    except EndTurns:
        raise
    except Exception as error:  # noqa: BLE001 whatever it is, the other items must go on
        env.cr.rollback()
        _tell(env, item, error, failed)
        return False


def _tell(env, item, error, failed):
    try:
        wait_briefly(env)
        failed(item, error)
        env.flush_all()
    except Exception:
        env.cr.rollback()
        _logger.exception("What went wrong with %s could not be recorded", item)


def _lock(item):
    return item.try_lock_for_update(allow_referencing=True) == item


def _log(item, error):
    if is_passing(error):
        _logger.info("%s has to wait: %s", item, cause(error))
    else:
        _logger.error("A scheduled action failed for %s", item, exc_info=error)
