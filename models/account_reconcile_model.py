"""Core's reconciliation rules. Community has the model, and nothing that applies it."""

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from odoo import api, models
from odoo.fields import Domain

from .reconciliation_facts import Proposal

# What a rule asks and does; read at once for all rules.
FIELDS = (
    'name', 'company_id', 'trigger', 'match_journal_ids', 'match_amount', 'match_amount_min', 'match_amount_max',
    'match_label', 'match_label_param', 'match_partner_ids', 'mapped_partner_id', 'line_ids',
)  # fmt: skip


class AccountReconcileModel(models.Model):
    _inherit = 'account.reconcile.model'

    @api.model
    def _of_companies(self, company_ids):
        """Return `{company id: its rules, and those of the companies that it is a branch of}`.

        What core does not propose, a rule without conditions, is a button for people.
        """
        companies = self.env['res.company'].sudo().browse(company_ids)
        is_used = Domain('can_be_proposed', '=', True) | Domain('mapped_partner_id', '!=', False)
        rules = self.sudo().search_fetch(Domain('company_id', 'parent_of', company_ids) & is_used, FIELDS)
        for name in ('line_ids.tax_ids', 'match_partner_ids.commercial_partner_id'):
            rules.mapped(name)
        return {
            company.id: rules.filtered(lambda rule, company=company: rule.company_id in company.parent_ids)
            for company in companies
        }

    def _with_partner(self, transaction):
        """Return a `Transaction`, one without a partner with the one whom the first of these rules has for its text."""
        mappings = self.filtered('mapped_partner_id') if not transaction.partner_id else self.browse()
        rule = next((rule for rule in mappings if rule._applies_to(transaction)), None)
        return replace(transaction, partner_id=rule.mapped_partner_id.commercial_partner_id.id) if rule else transaction

    def _proposals(self, transactions):
        """Return `{transaction id: [Proposal, …]}` of those of these rules that apply, in the rules' order.

        Only the first automated rule is sure, and only if it takes the whole transaction. A rule without any condition
        would explain everything: it is never sure.
        """
        rules = self.filtered(lambda rule: rule.line_ids.account_id)
        self.env['res.currency'].browse({transaction.currency_id for transaction in transactions}).fetch(['rounding'])
        proposals = {}
        for transaction in transactions:
            found = []
            for rule in rules:
                if rule._applies_to(transaction):
                    proposal = rule._proposal(transaction)
                    if any(other.grade == 'sure' for other in found):
                        proposal = replace(proposal, grade='likely')
                    found.append(proposal)
            if found:
                proposals[transaction.id] = found
        return proposals

    def _applies_to(self, transaction):
        """Return whether all conditions of this rule hold for a `Transaction`."""
        self.ensure_one()
        amount = float(abs(transaction.amount))
        return (
            (not self.match_journal_ids or transaction.journal_id in self.match_journal_ids.ids)
            and (
                not self.match_partner_ids or transaction.partner_id in self.match_partner_ids.commercial_partner_id.ids
            )
            and {
                False: True,
                'lower': amount <= self.match_amount_max,
                'greater': amount >= self.match_amount_min,
                'between': self.match_amount_min <= amount <= self.match_amount_max,
            }[self.match_amount]
            and self._fits_label(
                '\n'.join((transaction.text, transaction.details, transaction.partner_name, transaction.account_number))
            )
        )

    def _fits_label(self, text):
        wanted = self.match_label_param or ''
        if not self.match_label:
            return True
        if self.match_label == 'match_regex':
            return bool(re.search(wanted, text, re.IGNORECASE))
        return (wanted.casefold() in text.casefold()) == (self.match_label == 'contains')

    def _proposal(self, transaction):
        """Return what this rule makes of a `Transaction` to which it applies."""
        counterparts, left = [], transaction.amount
        for line in self.line_ids.filtered('account_id'):
            amount = line._amount_of(transaction, left)
            left -= amount
            if amount:
                counterparts.append(
                    {
                        'account_id': line.account_id.id,
                        'line_amount': float(amount),
                        'tax_ids': line.tax_ids.ids,
                        'partner_id': line.partner_id.id or transaction.partner_id or False,
                        'label': line.label or False,
                        'analytic_distribution': line.analytic_distribution or False,
                        'reconcile_model_id': self.id,
                    }
                )
        is_sure = self.trigger == 'auto_reconcile' and not left and bool(counterparts) and self._has_condition()
        return Proposal('sure' if is_sure else 'likely', 'rule', tuple(counterparts), {'rule_id': self.id})

    def _has_condition(self):
        return bool(self.match_label or self.match_amount or self.match_partner_ids)


class AccountReconcileModelLine(models.Model):
    _inherit = 'account.reconcile.model.line'

    def _amount_of(self, transaction, left):
        """Return the part of a `Transaction` that this line books, exact to the currency's decimals.

        :param left: what the lines before have left of it
        """
        currency = self.env['res.currency'].browse(transaction.currency_id)
        if self.amount_type == 'fixed':
            # Core: a positive amount is a credit, which is money that comes in.
            amount = self.amount
        elif self.amount_type == 'percentage':
            amount = float(left) * self.amount / 100
        elif self.amount_type == 'percentage_st_line':
            amount = float(transaction.amount) * self.amount / 100
        else:
            found = _amount_in(self.amount_string, transaction.text)
            amount = float(found.copy_sign(transaction.amount)) if found else 0.0
        return Decimal(str(currency.round(amount)))


def _amount_in(pattern, text):
    """Return the amount that the first group of the regular expression `pattern` finds in `text`, or None."""
    match = re.search(pattern, text, re.IGNORECASE)
    if not match:
        return None
    digits = (match.group(1) if match.re.groups else match.group(0)).replace(' ', '')
    # The last separator is that of the decimals.
    whole, separator, decimals = re.match(r'^(.*?)(?:([.,])(\d{1,2}))?$', digits).groups(default='')
    try:
        return Decimal(re.sub(r'[.,]', '', whole) + (f'.{decimals}' if separator else ''))
    except InvalidOperation:
        return None
