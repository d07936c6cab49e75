"""What the panel of a bank transaction shows and does: proposals, open items, accounts used last.

Everything is read with the user's own rights. An amount of money that comes in is positive.
"""

from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_datetime

from .rights import may_book

ITEMS_SHOWN = 40
# So many of a counterpart's last transactions say on which accounts they are usually booked.
LAST_LINES_SHOWN = 30
ACCOUNTS_SHOWN = 3


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    def get_reconciliation_panel(self):
        """Return what the panel shows of this one line. Callable over RPC.

        :return: dict of `is_reconciled`, `may_match`, `currency_id`, `left` (what is still to be reconciled), `reason`
            (why it is matched), `who` (a sentence that says who has matched it, and when), `documents` it is matched
            with (`[{'model', 'id', 'name', 'amount', 'currency_id'}]`), `proposals` (see `get_proposals`), `accounts`
            (those used last for this counterpart, as `{'account_id', 'name', 'tax_ids', 'count'}`), `fee_account_id`
        """
        self.ensure_one()
        self.check_access('read')
        suspense = self._suspense_items()
        currency = suspense.currency_id[:1] or self.foreign_currency_id or self.currency_id
        is_open = bool(suspense)
        return {
            'is_reconciled': not is_open,
            'may_match': may_book(self.env),
            'currency_id': currency.id,
            'left': currency.round(-sum(suspense.mapped('amount_currency'))),
            'reason': self.match_reason or '',
            'who': self._who_matched(),
            'documents': self._matched_documents(),
            'proposals': self.get_proposals().get(self.id, []) if is_open else [],
            'accounts': self._accounts_used_last() if is_open else [],
            'fee_account_id': self.journal_id.ponto_fee_account_id.id,
        }

    def search_open_items(self, text=''):
        """Return open items that this line may pay: those of its partner, of its amount, and the newest ones.

        Callable over RPC.

        :param text: a part of the document's number, the partner's name or the label, or an amount
        :return: `[{'id', 'move_id', 'document', 'partner', 'label', 'date', 'due', 'residual', 'currency_id'}]`
        """
        self.ensure_one()
        self.check_access('read')
        items = self.env['account.move.line']
        found = Domain(self._get_default_amls_matching_domain()) & self._open_items_domain((text or '').strip())
        left = -sum(self._suspense_items().mapped('amount_currency'))
        partner = self.partner_id.commercial_partner_id
        chosen = items
        if partner:
            of_partner = found & Domain('partner_id', 'child_of', partner.ids)
            chosen |= items.search(of_partner, order='date_maturity, id', limit=ITEMS_SHOWN)
        of_amount = found & Domain('amount_residual_currency', '=', left)
        chosen |= items.search(of_amount, order='date_maturity, id', limit=ITEMS_SHOWN)
        if len(chosen) < ITEMS_SHOWN:
            chosen |= items.search(found, order='date desc, id desc', limit=ITEMS_SHOWN)
        return [item._prepare_open_item_vals() for item in chosen[:ITEMS_SHOWN]]

    def find_next_to_reconcile(self, line_ids=()):
        """Return the id of the next open line, False without any. Callable over RPC.

        :param line_ids: the lines of the list that the person works through, in its order; without one of these the
            next older line of the same journal counts
        """
        self.ensure_one()
        self.check_access('read')
        line_ids = list(line_ids)
        place = line_ids.index(self.id) + 1 if self.id in line_ids else 0
        still_open = set(self.browse(line_ids).exists().filtered(lambda line: not line.is_reconciled).ids) - {self.id}
        following = [line_id for line_id in line_ids[place:] + line_ids[:place] if line_id in still_open]
        if following or line_ids:
            return following[0] if following else False
        return self.search(
            [('journal_id', '=', self.journal_id.id), ('is_reconciled', '=', False), ('id', '!=', self.id)], limit=1
        ).id

    # -------------------------------------------------------------------------
    # Helpers
    # -------------------------------------------------------------------------

    def _open_items_domain(self, text):
        """Return the domain of the open items that `text` finds."""
        if not text:
            return Domain.TRUE
        words = Domain.OR(
            Domain(name, 'ilike', text)
            for name in ('move_id.name', 'move_id.ref', 'move_id.payment_reference', 'partner_id.name', 'name')
        )
        amount = self._amount_in(text)
        if amount is None:
            return words
        return words | Domain('amount_residual_currency', 'in', [amount, -amount])

    @api.model
    def _amount_in(self, text):
        """Return the amount that a person has typed, with a point or a comma; None if it is none."""
        digits = text.replace(' ', '').replace('\u00a0', '')
        whole, separator, decimals = digits.replace(',', '.').rpartition('.')
        try:
            return abs(float(f'{whole.replace(".", "")}{separator}{decimals}'))
        except ValueError:
            return None

    def _who_matched(self):
        """Return the sentence that says who has matched this line and when, '' for a match of somewhere else."""
        if not self.matched_at:
            return ''
        when = format_datetime(self.env, self.matched_at, dt_format='short')
        if self.is_matched_by_itself:
            return self.env._("Matched automatically, %(when)s", when=when)
        return self.env._("Matched by %(person)s, %(when)s", person=self.matched_uid.sudo().name, when=when)

    def _matched_documents(self):
        """Return with what this line is matched: documents of the reconciled items, else the accounts."""
        _liquidity, _suspense, items = self.with_context(active_test=False)._seek_for_lines()
        documents = []
        for item in items:
            partials = item.matched_debit_ids.debit_move_id + item.matched_credit_ids.credit_move_id
            others = (partials - item).filtered(lambda other, item=item: other.move_id != item.move_id)
            shown = others.move_id if others else item.account_id
            documents += [
                {
                    'model': record._name,
                    'id': record.id,
                    'name': record.display_name,
                    'amount': -item.amount_currency if len(shown) == 1 else False,
                    'currency_id': item.currency_id.id,
                }
                for record in shown._filtered_access('read')
            ]
        return documents

    def _accounts_used_last(self):
        """Return the accounts on which this counterpart's last lines were booked, the most frequent first."""
        same = Domain('account_number', '=', self.account_number) if self.account_number else Domain.FALSE
        same |= Domain('partner_id', '=', self.partner_id.id) if self.partner_id else Domain.FALSE
        same |= Domain('partner_name', '=', self.partner_name) if self.partner_name else Domain.FALSE
        lines = self.search(
            same
            & Domain('is_reconciled', '=', True)
            & Domain('company_id', '=', self.company_id.id)
            & Domain('id', '!=', self.id),
            limit=LAST_LINES_SHOWN,
        )
        items = lines.move_id.line_ids - lines.move_id.line_ids.filtered('tax_line_id')
        ledgers = lines.journal_id.default_account_id + lines.journal_id.suspense_account_id
        items = items.filtered(lambda item: item.account_id not in ledgers and not item.account_id.reconcile)
        counted = Counter((item.account_id, tuple(item.tax_ids.ids)) for item in items)
        return [
            {'account_id': account.id, 'name': account.display_name, 'tax_ids': list(tax_ids), 'count': count}
            for (account, tax_ids), count in counted.most_common(ACCOUNTS_SHOWN)
        ]


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    def _prepare_open_item_vals(self):
        """Return this open item as the panel shows it."""
        self.ensure_one()
        return {
            'id': self.id,
            'move_id': self.move_id.id,
            'document': self.move_id.name or '',
            'partner': self.partner_id.display_name or '',
            'label': self.move_id.ref or self.move_id.payment_reference or self.name or '',
            'date': fields.Date.to_string(self.date),
            'due': fields.Date.to_string(self.date_maturity or self.date),
            'residual': self.amount_residual_currency,
            'currency_id': self.currency_id.id,
        }
