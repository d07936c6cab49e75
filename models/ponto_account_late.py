"""A feed that Odoo itself is late with: its scheduled actions do not run, or something keeps them from booking."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_datetime

from .moments import is_over
from .problem import Problem

# So much later than planned is late. A large first import books something all the time.
LATE_AFTER = timedelta(hours=2)


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    waiting_since = fields.Datetime(
        compute='_compute_waiting_since',
        compute_sudo=True,
        help="Since when transactions wait to be booked. Empty: none waits for long, or others were booked lately.",
    )

    @api.depends('transaction_ids.state')
    def _compute_waiting_since(self):
        inbox, own = self.env['ponto.transaction'], [('account_id', 'in', self.ids)]
        oldest = dict(inbox._read_group([*own, *inbox._untried_domain()], ['account_id'], ['write_date:min']))
        late = {account: moment for account, moment in oldest.items() if is_over(moment, LATE_AFTER)}
        lately = [*own, ('state', '=', 'booked'), ('write_date', '>', fields.Datetime.now() - LATE_AFTER)]
        busy = {account for [account] in inbox._read_group(lately, ['account_id'])} if late else set()
        for account in self:
            account.waiting_since = account not in busy and late.get(account)

    def _late_problem(self):
        """Return the `Problem` that this account should have been read or booked long ago, None if it should not."""
        is_planned = self.next_read_at and self.state in ('active', 'error') and self.link_id.auto_synchronize
        if is_planned and self.next_read_at + LATE_AFTER <= fields.Datetime.now():
            sentence = self.env._(
                "Odoo should have fetched new transactions at %(moment)s. Ask your administrator whether Odoo's"
                " scheduled actions run.",
                moment=format_datetime(self.env, self.next_read_at, dt_format='short'),
            )
        elif self.waiting_since:
            sentence = self.env._(
                "Transactions have been waiting to be booked since %(moment)s. Ask your administrator to check Odoo's"
                " scheduled actions and the server's log.",
                moment=format_datetime(self.env, self.waiting_since, dt_format='short'),
            )
        else:
            return None
        return Problem('late', 'warning', sentence)
