"""Stage 1, page by page: what Ponto lists is a new row of the inbox, a known one, or a known one under a new id."""

from odoo import models

from .conversions import local_date, naive_utc
from .matching import EXACT, SAME, pair


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    def _upsert(self, items):
        """Create or update the inbox rows of `items`, as of `_tell_apart`; a page twice changes nothing.

        :return: `(number of new rows, number of changed rows)`
        """
        rows = self._rows([ponto_id for ponto_id, _number in items]).filtered(lambda row: row._key() in items)
        # Rows that are listed under the account's present id are not looked for under another one.
        rows.filtered(lambda row: row.account_ponto_id != self.ponto_id).account_ponto_id = self.ponto_id
        known = {row._key(): row for row in rows}
        known.update(self._recognize_rows({key: item for key, item in items.items() if key not in known}))
        changed = rows.browse()
        for key, row in known.items():
            if row._differs(items[key]):
                self._update_row(row, items[key])
                changed |= row
            if row.missing_since:
                # Rows below it may be listed again as well: like a changed row it lets reading go on.
                row._note_listed(self.sweep_number)
                changed |= row
        new = rows.create(
            [{**self._prepare_new_vals(item), 'number': key[1]} for key, item in items.items() if key not in known]
        )
        new._apply_dates()
        return len(new), len(changed)

    def _update_row(self, row, item):
        """Take over what Ponto says of `row` now. The statement line of a booked row follows with the next booking."""
        row.write(self._prepare_row_vals(item))
        row._apply_dates()

    def _prepare_new_vals(self, item):
        vals = self._prepare_row_vals(item)
        day = self._booking_day(vals['execution_date'], vals['value_date'])
        return {'account_id': self.id, 'sweep_number': self.sweep_number, 'date': day, **vals}

    def _booking_day(self, execution_date, value_date):
        """Return the day on which a transaction with these dates is booked, by the account's date and zone."""
        first, second = execution_date, value_date
        if self.date_basis == 'value':
            first, second = second, first
        return local_date(first or second, self.time_zone)

    def _prepare_row_vals(self, item):
        """Return the inbox values of a `Transaction` resource of this account."""
        return {
            'ponto_id': item.id,
            'account_ponto_id': self.ponto_id,
            'amount': float(item.amount or 0),
            'currency_code': item.currency,
            'currency_id': self._currency(item.currency).id,
            'execution_date': naive_utc(item.execution_date),
            'value_date': naive_utc(item.value_date),
            'description': item.description,
            'remittance_information': item.remittance_information,
            'remittance_information_type': item.remittance_information_type,
            'counterpart_name': item.counterpart_name,
            'counterpart_reference': item.counterpart_reference,
            'additional_information': item.additional_information,
            'end_to_end_id': item.end_to_end_id,
            'mandate_reference': item.mandate_id,
            'creditor_reference': item.creditor_id,
            'purpose_code': item.purpose_code,
            'bank_transaction_code': item.bank_transaction_code,
            'proprietary_bank_transaction_code': item.proprietary_bank_transaction_code,
            'card_reference': item.card_reference,
            'fee': float(item.fee or 0),
            'attributes': item.attributes,
            'problem': item.problem,
        }

    def _currency(self, code):
        if code == self.currency_code:
            return self.currency_id
        # A search cuts what it looks for to the length of a code: EUR0 would be found as EUR.
        return (
            self.env['res.currency']
            .with_context(active_test=False)
            .search([('name', '=', code)], limit=1)
            .filtered(lambda currency: currency.name == code)
        )

    def _recognize_rows(self, items):
        """Recognize known rows that Ponto lists under new ids since it gave the account itself a new one.

        Removed rows are recognized as well, and stay removed.

        :param items: `{key: item}`
        :return: `{key: row}` of the recognized rows, which have taken over the new ids
        """
        known = items and self._inbox().search(
            [
                ('account_id', '=', self.id),
                ('account_ponto_id', '!=', self.ponto_id),
                ('amount', 'in', list({float(item.amount or 0) for item in items.values()})),
            ],
            order='rank desc',
        )
        if not known:
            return {}
        listed = {
            key: known.new({'account_id': self.id, **self._prepare_row_vals(item)}) for key, item in items.items()
        }
        pairs = pair(
            {row: row._payment() for row in known}, {key: row._payment() for key, row in listed.items()}, EXACT, SAME
        )
        for key, row in pairs.items():
            row.number = key[1]
            self._update_row(row, items[key])
        return pairs
