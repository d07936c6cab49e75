"""A rule made out of how a person has booked a bank transaction, and the open transactions to which a rule applies."""

from odoo import api, fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.exceptions import UserError
from odoo.tools import float_repr

# Decimals of a percentage of the transaction, so that no cent is lost of a million.
DIGITS = 6


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    def action_create_rule(self):
        """Let all transactions of this line's counterpart be booked as this line is, and open the rule that says so.

        The counterpart is the partner, else the account number, else the name, else the text of the bank. A rule for
        just this counterpart is changed: the automated rule that comes first would win over a second one.

        :raise UserError: when not all of the line was booked on accounts by a person
        """
        self.ensure_one()
        self._check_matcher()
        vals = self._prepare_rule_vals()
        rule = self._rule_of_counterpart()
        if rule:
            rule.write({'trigger': vals['trigger'], 'line_ids': [fields.Command.clear(), *vals['line_ids']]})
        else:
            rule = rule.create(vals)
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Always for This Counterpart"),
            'res_model': rule._name,
            'res_id': rule.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    def _counterpart_text(self):
        """Return what tells this line's counterpart in the bank's data, for a line without a partner."""
        return sanitize_account_number(self.account_number) or self.partner_name or self.payment_ref

    def _rule_of_counterpart(self):
        """Return the rule whose only condition is the counterpart of this line."""
        alone = [
            ('company_id', '=', self.company_id.id),
            ('match_journal_ids', '=', False),
            ('match_amount', '=', False),
        ]
        if self.partner_id:
            rules = self.env['account.reconcile.model'].search(
                [*alone, ('match_label', '=', False), ('match_partner_ids', 'in', self.partner_id.ids)]
            )
            return rules.filtered(lambda rule: rule.match_partner_ids == self.partner_id)[:1]
        return self.env['account.reconcile.model'].search(
            [
                *alone,
                ('match_partner_ids', '=', False),
                ('match_label', '=', 'contains'),
                ('match_label_param', '=', self._counterpart_text()),
            ],
            limit=1,
        )

    def _prepare_rule_vals(self):
        """Return the values of the rule that would book this line as it is booked."""
        _liquidity, suspense, items = self._seek_for_lines()
        if suspense or items.matched_debit_ids or items.matched_credit_ids:
            raise UserError(self.env._("Only a transaction that was booked entirely on accounts can become a rule."))
        items = items.filtered(lambda item: not item.tax_line_id)
        condition = (
            {'match_partner_ids': [fields.Command.set(self.partner_id.ids)]}
            if self.partner_id
            else {'match_label': 'contains', 'match_label_param': self._counterpart_text()}
        )
        return {
            'name': self.partner_id.display_name or self.partner_name or self.payment_ref,
            'trigger': 'auto_reconcile',
            'company_id': self.company_id.id,
            **condition,
            'line_ids': [
                fields.Command.create(self._prepare_rule_line_vals(item, sequence, item == items[-1]))
                for sequence, item in enumerate(items, 1)
            ],
        }

    def _prepare_rule_line_vals(self, item, sequence, is_last):
        """Return the values of the rule's line that books as `item` is booked; the last takes all that is left."""
        amount = (
            {'amount_type': 'percentage', 'amount_string': '100'}
            if is_last
            else {'amount_type': 'percentage_st_line', 'amount_string': self._percentage(item)}
        )
        return {
            **amount,
            'sequence': sequence,
            'account_id': item.account_id.id,
            'partner_id': item.partner_id.id if item.partner_id != self.partner_id else False,
            'tax_ids': [fields.Command.set(item.tax_ids.ids)],
            # The text of this one transaction says nothing about the next one.
            'label': item.name if item.name != self.payment_ref else False,
            'analytic_distribution': item.analytic_distribution,
        }

    @api.model
    def _percentage(self, item):
        """Return how much of its line an item takes with its taxes, as the text of a percentage."""
        gross = item.tax_ids.compute_all(item.amount_currency, item.currency_id, handle_price_include=False)[
            'total_included'
        ]
        line = item.statement_line_id
        amount = line.amount_currency if line.foreign_currency_id else line.amount
        return float_repr(-100 * gross / amount, DIGITS)


class AccountReconcileModel(models.Model):
    _inherit = 'account.reconcile.model'

    def action_show_open_lines(self):
        """Show the open bank transactions to which this rule applies, whatever else fits them."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'account_online_ponto.account_bank_statement_line_action'
        )
        return {**action, 'domain': [('id', 'in', self._open_lines().ids)], 'context': {}}

    def _open_lines(self):
        """Return the open statement lines to which this rule applies, whatever else fits them."""
        self.ensure_one()
        lines = self.env['account.bank.statement.line']
        open_lines = lines.search(
            [('is_reconciled', '=', False), ('company_id', 'child_of', self.company_id.id), ('state', '=', 'posted')]
        )
        transactions = open_lines._transactions_of_lines()
        return lines.browse(transaction.id for transaction in transactions if self.sudo()._applies_to(transaction))
