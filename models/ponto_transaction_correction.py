"""What the bank changes after a row was booked: the statement line follows, or somebody is told."""

from markupsafe import Markup

from odoo import models
from odoo.tools import html2plaintext

from ..ponto.resources import Transaction
from .matching import common_text


def _form(value):
    return common_text(value) if isinstance(value, str) else value


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _change(self):
        """Return `{field of the statement line: (value before, value now)}`: what the bank has changed since then.

        Both values are made from what Ponto said, with the account's present choice of date and zone. So these are no
        changes: another choice, what a person has written into the line, and another form of the same text.
        """
        self.ensure_one()
        account = self.account_id
        said = Transaction.from_json(self.ponto_id, self.booked_attributes or {})
        before = self.new({'account_id': account.id, **account._prepare_row_vals(said)})._prepare_comparable_vals()
        now = self._prepare_comparable_vals()
        return {name: (before[name], value) for name, value in now.items() if _form(value) != _form(before[name])}

    def _prepare_comparable_vals(self):
        """Return what the statement line and its currency are made of."""
        vals = {**self._prepare_statement_line_vals(), 'date': self._booking_day(), 'currency': self.currency_code}
        return {name: value for name, value in vals.items() if name not in ('journal_id', 'transaction_details')}

    def _correct_lines(self):
        """Bring the bank's changes into lines that are open, and tell somebody about those that are not.

        A reconciled line and one in a closed period stay as they are: an activity on the journal entry says what the
        bank has changed. Raw details are no part of the books and always follow.
        """
        for row in self.filtered('statement_line_id'):
            line = row.statement_line_id
            if line.transaction_details != row.attributes:
                line.transaction_details = row.attributes
            change = row._change()
            if change and not row._correct_line(line, change):
                row._tell_change(line, change)

    def _correct_line(self, line, change):
        """Return whether `line` could take over the change."""
        # A person has entered the amount of a row in another currency than the journal's.
        is_foreign = self.currency_id != line.currency_id
        if (
            is_foreign
            or not line._is_open(line.date, self.date)
            or self.problem
            or not self.date
            or 'currency' in change
        ):
            return False
        vals = {name: now for name, (_before, now) in change.items()}
        if not line.partner_id and {'partner_name', 'account_number'} & set(vals):
            vals['partner_id'] = self._find_partners().get(self, False)
        return line._write_exactly(vals)

    def _tell_change(self, line, change):
        user = self.account_id.link_id._responsible()
        env = self.with_context(lang=user.lang).env
        labels = {'currency': env._("Currency")}
        note = Markup('<p>%s</p><ul>%s</ul>') % (
            env._(
                "The bank has changed this transaction after it was reconciled, put on a statement or locked in Odoo."
                " Odoo has changed nothing: please check whether an entry has to be corrected."
            ),
            Markup().join(
                Markup('<li>%s: <s>%s</s> → %s</li>')
                % (
                    labels.get(name) or line._fields[name]._description_string(env),
                    html2plaintext(str(old or '—')),
                    html2plaintext(str(new or '—')),
                )
                for name, (old, new) in change.items()
            ),
        )
        self._leave_activity(line, user, note)

    def _tell_interruption(self):
        """Tell somebody that the line of this row has not taken over the bank's change, whatever that is."""
        user = self.account_id.link_id._responsible()
        note = self.with_context(lang=user.lang).env._(
            "The bank has changed this transaction. Odoo was interrupted twice while it took over the change, so it"
            " does not try again by itself. Please compare the entry with the bank's own statement."
        )
        self._leave_activity(self.statement_line_id, user, note)

    def _leave_activity(self, line, user, note):
        summary = self.with_context(lang=user.lang).env._("Changed by the bank")
        line.move_id.activity_schedule('mail.mail_activity_data_warning', user_id=user.id, summary=summary, note=note)
