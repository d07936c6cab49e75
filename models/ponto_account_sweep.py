"""How far Ponto's list has been read, and when all of it is read again; `ponto_account_reading` has a picture."""

from datetime import timedelta

from odoo import fields, models

from .moments import is_over

# The whole list is read this often, so that nothing stays missed wherever Ponto puts it.
FULL_READ_EVERY = timedelta(days=7)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    last_full_read_at = fields.Datetime(
        readonly=True, copy=False, help="When the last sweep has ended. Empty: a sweep is going on, or is to begin."
    )
    resume_after = fields.Char(
        readonly=True, copy=False, help="The row of Ponto's list after which the next run goes on."
    )
    sweep_number = fields.Integer(readonly=True, copy=False, help="Counts the reads of the whole list.")

    def _request_full_read(self):
        """Let the next run read the whole list, unless a sweep is going on anyway."""
        for account in self.filtered('last_full_read_at'):
            account._begin_sweep()

    def _is_full_read_due(self):
        return self.last_full_read_at and is_over(self.last_full_read_at, FULL_READ_EVERY)

    def _is_in_doubt(self):
        """Return whether another sweep must tell soon which rows are gone: booking holds new ones meanwhile."""
        doubtful = [('account_id', '=', self.id), ('is_doubtful', '=', True)]
        return not self.last_full_read_at and bool(self._inbox().search_count(doubtful, limit=1))

    def _begin_sweep(self):
        """Begin to read the whole list, from its top."""
        self.write({'last_full_read_at': False, 'resume_after': False, 'sweep_number': self.sweep_number + 1})
