"""The journal of an online account: propose, link, make."""

from datetime import date, timedelta

from odoo import models
from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.exceptions import UserError


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def _propose_journal(self):
        """Return the company's free bank journal with this account's number and currency, else an empty recordset."""
        self.ensure_one()
        if not self.reference:
            return self.env['account.journal']
        journals = (
            self.env['account.journal']
            .sudo()
            .search(
                [
                    ('company_id', '=', self.company_id.id),
                    ('type', 'in', ('bank', 'credit')),
                    ('bank_account_id.sanitized_acc_number', '=', sanitize_account_number(self.reference)),
                    ('ponto_account_ids', '=', False),
                ]
            )
        )
        return journals.filtered(
            lambda journal: (journal.currency_id or journal.company_id.currency_id) == self.currency_id
        )[:1]

    def _propose_start_date(self, journal):
        """Return the day after the journal's last line, never in a locked period; False: as far back as Ponto has."""
        lines = self.env['account.bank.statement.line'].sudo()
        last = journal and lines.search([('journal_id', '=', journal.id)], limit=1).date
        proposed = last + timedelta(days=1) if last else False
        return max(filter(None, (proposed, self._first_open_day(journal))), default=False)

    def _first_open_day(self, journal):
        """Return the day after the last locked one; False when nothing is locked."""
        locked = self.company_id._get_user_fiscal_lock_date(journal)
        return locked + timedelta(days=1) if locked > date.min else False

    def _link_to_journal(self, journal, start_date=False):
        """Receive this account's transactions in `journal` from `start_date` on; the next run reads it."""
        self.ensure_one()
        # Older transactions were asked for in the books as they were then.
        self.sudo()._set_linked(journal, start_date=start_date, wanted_from=False, wanted_until=False)
        journal.sudo().bank_statements_source = 'ponto'

    def _link_to_new_journal(self, start_date=False):
        """Make a bank journal (a credit card journal for a card) for this account, link it and return it."""
        self.ensure_one()
        account = self.sudo().with_company(self.company_id)
        if not account.currency_id:
            raise UserError(
                self.env._(
                    "Odoo does not know the currency %(currency)s of the account %(account)s.",
                    currency=account.currency_code or '?',
                    account=account.name,
                )
            )
        account.currency_id.active = True
        journals, vals = account.env['account.journal'], account._prepare_journal_vals()
        if vals['type'] == 'credit':
            # Core gives each bank journal a ledger account of its own, but all credit card journals the same one.
            vals['default_account_id'] = journals._create_default_account(account.company_id, 'credit', vals)
        journal = journals.create(vals)
        account._link_to_journal(journal, start_date)
        return journal.with_env(self.env)

    def _prepare_journal_vals(self):
        """Return the values of the journal to make for this account."""
        self.ensure_one()
        number = self.reference_type in ('IBAN', 'BBAN') and self.reference
        name = ' '.join(filter(None, (self.institution_id.name, (self.reference or '')[-4:], self.currency_code)))
        vals = {
            'name': name or self.name,
            'type': 'credit' if self.subtype == 'card' else 'bank',
            'company_id': self.company_id.id,
            'currency_id': self.currency_id.id if self.currency_id != self.company_id.currency_id else False,
        }
        if number and vals['type'] == 'bank':
            vals.update(bank_acc_number=number, bank_id=self.institution_id._res_bank().id)
        return vals
