"""The journal of an online account: propose, link, make."""

from datetime import date, timedelta
from itertools import pairwise

from odoo import fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.exceptions import UserError

from .odoo_names import SANITIZED_NUMBER

# A bank may book and date back so much later.
REACH = timedelta(days=30)


def reach_back(days):
    """Return from which day on a bank feed should look for what is missing among entries that exist.

    Entries of a journal end where somebody stopped entering or importing them. A few that follow after a long gap, such
    as one payment that was entered by hand today, do not make the gap complete. So the day lies `REACH` before the
    first gap that is longer than that, or before the last entry without such a gap. False, which is no limit, where no
    entry is older: then nothing says that what came before is in the books.

    :param days: the days on which the journal has entries
    """
    days = sorted(days)
    ends = [day for day, following in pairwise([*days, date.max]) if following - day > REACH]
    if not ends or ends[0] - REACH < days[0]:
        return False
    return ends[0] - REACH


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    is_linked_again = fields.Boolean(
        readonly=True,
        copy=False,
        help="It had brought transactions into the books before it was linked to its present journal.",
    )

    # -------------------------------------------------------------------------
    # Propose
    # -------------------------------------------------------------------------

    def _propose_journal(self):
        """Return the company's free bank journal that this account had before, else the one with its number and
        currency, else the unused one that came with the chart of accounts, else an empty recordset."""
        self.ensure_one()
        journals = self.env['account.journal'].sudo()
        free = [
            ('company_id', '=', self.company_id.id),
            ('type', 'in', ('bank', 'credit')),
            ('ponto_account_ids', '=', False),
        ]
        before = self._last_journal().filtered_domain(free)
        if before:
            return before
        if not self.reference:
            return self._unused_journal(free)
        numbered = journals.search(
            [*free, (f'bank_account_id.{SANITIZED_NUMBER}', '=', sanitize_account_number(self.reference))]
        )
        numbered = numbered.filtered(lambda journal: journal._ponto_currency() == self.currency_id)
        return numbered[:1] or self._unused_journal(free)

    def _unused_journal(self, free):
        """Return the only bank journal, among those that `free` names, without account number and entries; an empty
        recordset where there is none or more than one, for a card, and for an account in another currency."""
        journals = self.env['account.journal'].sudo()
        if self.subtype == 'card' or self.currency_id != self.company_id.currency_id:
            return journals
        found = journals.search(
            [*free, ('type', '=', 'bank'), ('bank_account_id', '=', False), ('currency_id', '=', False)]
        )
        entries = self.env['account.move'].sudo()._read_group([('journal_id', 'in', found.ids)], ['journal_id'])
        unused = found - journals.union(*(journal for [journal] in entries))
        return unused if len(unused) == 1 else journals

    def _has_known_rows(self):
        """Return whether transactions of this account have been in the books, in whatever journal."""
        been_in_books = [('account_id', '=', self.id), ('state', 'in', ('booked', 'removed'))]
        return bool(self._inbox().search_count(been_in_books, limit=1))

    def _last_journal(self, domain=()):
        """Return the journal with the newest booked transaction of this account, among those that `domain` names."""
        booked = [('account_id', '=', self.id), ('state', '=', 'booked'), ('statement_line_id', '!=', False)]
        return (
            self._inbox().search([*booked, *domain], order='date desc, id desc', limit=1).statement_line_id.journal_id
        )

    def _propose_start_date(self, journal):
        """Return from which day on the transactions of this account should enter `journal`; False: as far back as Ponto
        has.

        An account that has brought transactions into the books before, or continues another one in this journal, goes
        on with its old start date: what is known is known by its id, and nothing between is lost. In a journal with
        entries from elsewhere the day reaches back over what may still come (see `reach_back`); what is there already
        is found by the search for duplicates, or by its import id. It never lies in a locked period then.
        """
        self.ensure_one()
        earlier = self if self._has_known_rows() else journal.sudo().ponto_account_ids - self
        if earlier:
            return earlier.start_date
        proposed = journal._first_imported_day() or reach_back(journal._days_with_lines())
        return max(filter(None, (proposed, self._first_open_day(journal))), default=False)

    def _first_open_day(self, journal):
        """Return the day after the last locked one; False when nothing is locked."""
        locked = self.company_id._get_user_fiscal_lock_date(journal)
        return locked + timedelta(days=1) if locked > date.min else False

    # -------------------------------------------------------------------------
    # Link
    # -------------------------------------------------------------------------

    def _link_to_journal(self, journal, start_date=False):
        """Receive this account's transactions in `journal` from `start_date` on; the next run reads it.

        Where another account has fed the journal and has ended, this one continues it (`_continue`). An import by OCA's
        module is switched off: it would book everything a second time.

        :raises UserError: another account feeds the journal
        """
        self.ensure_one()
        account = self.sudo()
        for former in journal.sudo().ponto_account_ids - account:
            account._continue(former)
        account._set_linked(
            journal,
            start_date=start_date,
            is_linked_again=account._has_known_rows(),
            # Older transactions were asked for in the books as they were then.
            wanted_from=False,
            wanted_until=False,
        )
        journal.sudo()._switch_off_imports()
        journal.sudo().bank_statements_source = 'ponto'
        number = account._bank_account_number()
        if number and journal.type == 'bank' and not journal.bank_account_id:
            journal.sudo().set_bank_account(number, account.institution_id._res_bank().id)

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
        account._unarchive_bank_account()
        journal = journals.create(vals)
        account._link_to_journal(journal, start_date)
        return journal.with_env(self.env)

    def _prepare_journal_vals(self):
        """Return the values of the journal to make for this account."""
        self.ensure_one()
        number = self._bank_account_number()
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

    def _bank_account_number(self):
        """Return the number by which others pay into this account, or False: a card has none."""
        return self.reference_type in ('IBAN', 'BBAN') and self.reference
