from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    ponto_account_ids = fields.One2many('ponto.account', 'journal_id', string="Online Account")
    ponto_match_automatically = fields.Boolean(
        string="Match Automatically",
        help="New transactions whose match is certain are reconciled without a person: the reference of one open"
        " invoice with the right amount, a payment made in Odoo, a transfer between own accounts, an automated rule."
        " Each shows why it was reconciled, which can be undone with one click.",
    )
    ponto_fee_account_id = fields.Many2one(
        'account.account',
        string="Bank Fees Account",
        check_company=True,
        help="Where fees that the bank has kept, and differences of cents, are booked.",
    )

    # Core's field calls this method by its mangled name, so only a class of the same name can extend it.
    def __get_bank_statements_available_sources(self):
        sources = super().__get_bank_statements_available_sources()
        return [*sources, ('ponto', self.env._("Ponto"))]

    @api.constrains('bank_statements_source')
    def _check_ponto_feed(self):
        for journal in self.sudo():
            if journal.bank_statements_source == 'ponto' and not journal.ponto_account_ids:
                raise ValidationError(
                    self.env._(
                        "No online account feeds the journal %(journal)s. Use Add a Bank Account, and choose this"
                        " journal for its account there: the bank feed is then set by itself.",
                        journal=journal.display_name,
                    )
                )

    @api.constrains('currency_id', 'company_id')
    def _check_ponto_account(self):
        """A journal that is fed keeps the currency and the company of its online account."""
        self.sudo().ponto_account_ids._check_journal()

    def copy_data(self, default=None):
        """A copy has no online account of its own, and so no feed."""
        vals_list = super().copy_data(default)
        for vals in vals_list:
            if vals.get('bank_statements_source') == 'ponto':
                vals['bank_statements_source'] = 'undefined'
        return vals_list

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

    def action_ponto_reconnect(self):
        """Renew the consent of the bank that feeds this journal."""
        return self.ponto_account_ids.link_id.action_reauthorize()

    def action_ponto_open_link(self):
        """Open the online synchronization that feeds this journal."""
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'ponto.link',
            'res_id': self.ponto_account_ids.link_id.id,
            'views': [(False, 'form')],
        }

    def action_ponto_to_reconcile(self):
        """Open the transactions of these journals that are still to be reconciled."""
        self.check_access('read')
        action = self._action_ponto_transactions()
        context = action['context'] if isinstance(action['context'], dict) else literal_eval(action['context'])
        return {**action, 'context': {**context, 'search_default_not_reconciled': True}}

    def _action_ponto_transactions(self):
        """Return the action that lists the statement lines of these journals."""
        action = self.env['ir.actions.act_window']._for_xml_id(
            'account_online_ponto.account_bank_statement_line_action'
        )
        action['domain'] = [('journal_id', 'in', self.ids)]
        if len(self) == 1:
            # A line entered by hand from this list belongs to this journal.
            action['context'] = {**literal_eval(action['context']), 'default_journal_id': self.id}
        return action
