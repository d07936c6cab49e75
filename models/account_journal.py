from odoo import fields, models
from odoo.exceptions import UserError


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    ponto_account_ids = fields.One2many('ponto.account', 'journal_id', string="Online Account")

    # Core's field calls this method by its mangled name, so only a class of the same name can extend it.
    def __get_bank_statements_available_sources(self):
        sources = super().__get_bank_statements_available_sources()
        return [*sources, ('ponto', self.env._("Ponto"))]

    def open_action(self):
        """Open the statement lines of a journal that Ponto feeds: it has no statements."""
        self.ensure_one()
        if self.bank_statements_source == 'ponto' and not self.env.context.get('action_name'):
            return self._action_ponto_transactions()
        return super().open_action()

    def action_ponto_fetch_transactions(self):
        """Fetch the transactions of these journals' online accounts now."""
        if not self.ponto_account_ids:
            raise UserError(self.env._("This journal has no bank synchronization. Use Add a Bank Account first."))
        return self.ponto_account_ids.action_fetch_transactions()

    def action_ponto_find_missing_transactions(self):
        """Compare what Ponto has with what these journals have."""
        return self.ponto_account_ids.action_find_missing_transactions()

    def action_ponto_backfill(self):
        """Ask from which date on older transactions are wanted."""
        return self.ponto_account_ids.action_backfill()

    def _action_ponto_transactions(self):
        """Return the action that lists the statement lines of these journals."""
        action = self.env['ir.actions.act_window']._for_xml_id(
            'account_online_ponto.account_bank_statement_line_action')
        return {**action, 'domain': [('journal_id', 'in', self.ids)]}
