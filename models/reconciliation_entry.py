"""The journal items that take the place of a statement line's suspense item. Values only: nothing is written here."""

from odoo.exceptions import UserError
from odoo.fields import Command


class EntryPlan:
    """What becomes of a statement line's suspense item. `items` are pairs: values of a new journal item, and the open
    item that it is to be reconciled with (empty for none).

    Amounts are signed as the line's: positive when money comes in. `left` is in the line's currency, `balance_left` in
    the company's.
    """

    def __init__(self, line):
        self.line = line
        self.env = line.env
        self.suspense = line._suspense_items()
        if len(self.suspense) != 1:
            raise UserError(self.env._("%(line)s is reconciled already.", line=line.payment_ref))
        self.currency = self.suspense.currency_id
        self.company = line.company_id
        self.company_currency = self.suspense.company_currency_id
        self.left = self.amount = -self.suspense.amount_currency
        self.balance_left = self.balance = -self.suspense.balance
        self.items = []

    def transfer(self):
        """Put all on the company's transfer account."""
        self._take(self.company.transfer_account_id, self.left, self.balance_left)
        return self

    def pay(self, counterpart):
        """Pay an open item, or the part `counterpart['amount']` of it; see `_reconcile_with`."""
        item = self.env['account.move.line'].browse(counterpart['item_id'])
        self._check_item(item)
        paid = counterpart.get('amount') or item.amount_residual_currency
        if not self._is_part(item.currency_id, paid, item.amount_residual_currency):
            raise UserError(
                self.env._(
                    "Only %(amount)s of %(item)s is still open.",
                    item=item.display_name,
                    amount=item.currency_id.format(abs(item.amount_residual_currency)),
                )
            )
        if item.currency_id == self.currency:
            self._take(item.account_id, paid, self._at_line_rate(paid), item, partner_id=item.partner_id.id)
        else:
            self._pay_in_other_currency(item, paid, counterpart.get('line_amount'))
        if counterpart.get('early_discount'):
            self._deduct_discount(item)

    def _pay_in_other_currency(self, item, paid, amount):
        """Pay `paid` of an item in another currency with `amount` of the line, by default as much as it is worth."""
        worth = item.currency_id._convert(paid, self.company_currency, self.company, self.line.date)
        if amount is None:
            amount = self.currency.round(worth * self.amount / self.balance) if self.balance else 0.0
            back = self.currency._convert(amount, item.currency_id, self.company, self.line.date)
            if not item.currency_id.compare_amounts(back, paid):
                # As core's payments do where the rate of the day says it all.
                self._take(item.account_id, amount, worth, item, partner_id=item.partner_id.id)
                return
            balance = worth
        else:
            balance = self._at_line_rate(amount)
        if item.currency_id != self.company_currency:
            self._take(item.account_id, amount, balance, item, (item.currency_id, paid), partner_id=item.partner_id.id)
            return
        # An item in the company's currency cannot carry a difference of rates: that is an item of its own.
        self._take(item.account_id, amount, worth, item, (item.currency_id, worth), partner_id=item.partner_id.id)
        difference = balance - worth
        if not self.company_currency.is_zero(difference):
            account = (
                self.company.income_currency_exchange_account_id
                if difference > 0
                else self.company.expense_currency_exchange_account_id
            )
            self._take(account, 0.0, difference, partner_id=item.partner_id.id)

    def _deduct_discount(self, item):
        """Add core's items of the discount for early payment of `item`, which has just been paid in full."""
        residual, discounted = item.amount_residual_currency, item.discount_amount_currency
        balance = item.currency_id._convert(-residual, self.company_currency, self.company, self.line.date)
        open_balance = self.currency._convert(
            residual - discounted, self.company_currency, self.company, self.line.date
        )
        if not item.move_id._is_eligible_for_early_payment_discount(self.currency, self.line.date):
            raise UserError(self.env._("%(item)s has no early payment discount on this day.", item=item.display_name))
        groups = self.env['account.move']._get_invoice_counterpart_amls_for_early_payment_discount(
            [{'aml': item, 'amount_currency': -residual, 'balance': balance}], open_balance
        )
        for vals in (vals for group in groups.values() for vals in group):
            amount, balance = -vals.pop('amount_currency'), -vals.pop('balance')
            account = self.env['account.account'].browse(vals.pop('account_id'))
            self._take(account, amount, balance, **vals)

    def book(self, counterpart):
        """Book `counterpart['line_amount']`, by default what is left, on an account; see `_reconcile_with`."""
        account = self.env['account.account'].browse(counterpart['account_id'])
        amount = self.left if counterpart.get('line_amount') is None else counterpart['line_amount']
        self._check_account(account)
        vals = {
            'partner_id': counterpart.get('partner_id') or self.line.partner_id.id,
            'analytic_distribution': counterpart.get('analytic_distribution') or False,
            'reconcile_model_id': counterpart.get('reconcile_model_id') or False,
        }
        if counterpart.get('label'):
            vals['name'] = counterpart['label']
        taxes = self.env['account.tax'].browse(counterpart.get('tax_ids') or ())
        if taxes:
            self._book_with_taxes(account, amount, taxes, vals)
        else:
            self._take(account, amount, self._at_line_rate(amount), **vals)

    def _book_with_taxes(self, account, amount, taxes, vals):
        """Book `amount`, taxes included, on an account and on those of its taxes."""
        taxed = self.env['account.tax']
        if taxes.company_id - self.company.parent_ids:
            raise UserError(self.env._("This tax belongs to another company."))
        uses = set(taxes.flatten_taxes_hierarchy().mapped('type_tax_use'))
        base_line = taxed._prepare_base_line_for_taxes_computation(
            None,
            price_unit=-amount,
            quantity=1.0,
            currency_id=self.currency,
            rate=abs(self.amount / self.balance) if self.balance else 1.0,
            tax_ids=taxes,
            account_id=account,
            partner_id=self.env['res.partner'].browse(vals['partner_id']),
            analytic_distribution=vals['analytic_distribution'],
            special_mode='total_included',
            is_refund='sale' in uses if amount < 0 else 'purchase' in uses,
        )
        taxed._add_tax_details_in_base_lines([base_line], self.company)
        taxed._round_base_lines_tax_details([base_line], self.company)
        taxed._add_accounting_data_in_base_lines_tax_details([base_line], self.company)
        results = taxed._prepare_tax_lines([base_line], self.company)
        [(_base_line, base)] = results['base_lines_to_update']
        tax_lines = results['tax_lines_to_add']
        # What rounding leaves belongs to the base.
        rounding = self._at_line_rate(amount) + base['balance'] + sum(line['balance'] for line in tax_lines)
        self._take(
            account,
            -base['amount_currency'],
            -base['balance'] + rounding,
            **vals,
            tax_ids=[Command.set(taxes.ids)],
            tax_tag_ids=base['tax_tag_ids'],
        )
        for tax_line in tax_lines:
            tax_vals = {**tax_line}
            tax_amount, tax_balance = -tax_vals.pop('amount_currency'), -tax_vals.pop('balance')
            tax_account = self.env['account.account'].browse(tax_vals.pop('account_id') or account.id)
            tax_vals.pop('currency_id', None)
            self._take(tax_account, tax_amount, tax_balance, **tax_vals)

    def finish(self):
        """Leave on the suspense account what is left, and return this plan.

        :raise UserError: when more is paid than there is
        """
        if self.currency.is_zero(self.left):
            self._absorb_rounding()
        elif self.left * self.amount < 0:
            raise UserError(
                self.env._(
                    "This is %(amount)s more than the amount of the transaction.",
                    amount=self.currency.format(abs(self.left)),
                )
            )
        else:
            self._take(self.suspense.account_id, self.left, self.balance_left)
        return self

    def _absorb_rounding(self):
        """Give what the conversion of several amounts leaves in the company's currency to one of the new items."""
        if self.company_currency.is_zero(self.balance_left):
            return
        for vals, _item in self.items:
            if vals['currency_id'] != self.company_currency.id:
                vals['balance'] -= self.balance_left
                return

    # -------------------------------------------------------------------------
    # Checks
    # -------------------------------------------------------------------------

    def _check_item(self, item):
        is_open = item.parent_state == 'posted' and not item.reconciled and item.account_id.reconcile
        if not item.exists() or not is_open or item == self.suspense or item.move_id == self.line.move_id:
            raise UserError(self.env._("%(item)s is not open any more.", item=item.exists().display_name or ''))
        if self.company not in item.company_id.parent_ids:
            raise UserError(self.env._("%(item)s belongs to another company.", item=item.display_name))

    def _check_account(self, account):
        journal = self.line.journal_id
        if account in journal.default_account_id + journal.suspense_account_id or not account.active:
            raise UserError(self.env._("Choose an account other than %(account)s.", account=account.display_name))
        if not account.company_ids & self.company.parent_ids:
            raise UserError(self.env._("%(account)s belongs to another company.", account=account.display_name))

    def _is_part(self, currency, amount, whole):
        return amount * whole > 0 and currency.compare_amounts(abs(amount), abs(whole)) <= 0

    # -------------------------------------------------------------------------
    # Amounts
    # -------------------------------------------------------------------------

    def _at_line_rate(self, amount):
        """Return `amount`, in the line's currency, in the company's, at the rate of the line."""
        return self.company_currency.round(amount * self.balance / self.amount) if self.amount else 0.0

    def _take(self, account, amount, balance, item=None, other=None, **vals):
        """Add an item that takes `amount` and `balance` of what is left; `other` is its own currency and amount."""
        currency, amount_currency = other or (self.currency, amount)
        self.left = self.currency.round(self.left - amount)
        self.balance_left = self.company_currency.round(self.balance_left - balance)
        values = {
            'move_id': self.line.move_id.id,
            'name': self.line.payment_ref,
            'partner_id': self.line.partner_id.id,
            'account_id': account.id,
            'currency_id': currency.id,
            'amount_currency': -amount_currency,
            'balance': -balance,
            **vals,
        }
        self.items.append((values, item or self.env['account.move.line']))
