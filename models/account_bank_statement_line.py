from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .labels import reference_key

# Amounts that come in pay invoices and vendors' refunds; amounts that go out pay bills and refunds.
PAID_BY = {True: ('out_invoice', 'in_refund'), False: ('in_invoice', 'out_refund')}


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    ponto_transaction_ids = fields.One2many('ponto.transaction', 'statement_line_id')
    is_ponto_opening = fields.Boolean(
        string="Opening Line",
        readonly=True,
        copy=False,
        help="Made with the first import, so that Odoo's balance equals the bank's.",
    )
    reconciliation_state = fields.Selection(
        [('open', "To Reconcile"), ('done', "Reconciled")], string="State", compute='_compute_reconciliation_state'
    )
    line_source = fields.Selection(
        [('ponto', "Ponto"), ('other', "Other")], string="Source", compute='_compute_line_source', compute_sudo=True
    )
    matching_invoice_id = fields.Many2one(
        'account.move',
        compute='_compute_matching_invoice_id',
        help="The only open invoice with this payment reference and this amount.",
    )

    @api.depends('is_reconciled')
    def _compute_reconciliation_state(self):
        for line in self:
            line.reconciliation_state = 'done' if line.is_reconciled else 'open'

    @api.depends('ponto_transaction_ids', 'is_ponto_opening')
    def _compute_line_source(self):
        for line in self:
            line.line_source = 'ponto' if line.ponto_transaction_ids or line.is_ponto_opening else 'other'

    @api.depends('is_reconciled', 'payment_ref', 'amount', 'currency_id', 'company_id')
    def _compute_matching_invoice_id(self):
        for company, lines in self.grouped('company_id').items():
            matches = lines.filtered(lambda line: not line.is_reconciled)._matching_invoices(company)
            for line in lines:
                line.matching_invoice_id = matches.get(line, False)

    def _matching_invoices(self, company):
        """Return `{line: invoice}` where one open invoice of `company` has a line's reference, amount and currency."""
        keys = {line: reference_key(line.payment_ref) for line in self}
        wanted = {line: key for line, key in keys.items() if key}
        if not wanted:
            return {}
        # Exact as it is stored, and selective: far fewer references are to be compared.
        amounts = {Decimal(str(line.currency_id.round(abs(line.amount)))) for line in wanted}
        moves = self.env['account.move']
        moves.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT id, regexp_replace(lower(reference), '[^0-9a-z]', '', 'g')
              FROM account_move, LATERAL unnest(ARRAY[payment_reference, ref, name]) AS reference
             WHERE company_id = %(company)s
               AND state = 'posted'
               AND move_type = ANY(%(types)s)
               AND payment_state IN ('not_paid', 'partial')
               AND amount_residual = ANY(%(amounts)s)
               AND regexp_replace(lower(reference), '[^0-9a-z]', '', 'g') = ANY(%(keys)s)
            """,
                company=company.id,
                types=[*PAID_BY[True], *PAID_BY[False]],
                amounts=list(amounts),
                keys=list(set(wanted.values())),
            )
        )
        invoices = moves.browse({move_id for move_id, _key in rows})._filtered_access('read')
        candidates = {}
        for move_id, key in rows:
            if move_id in invoices.ids:
                candidates.setdefault(key, set()).add(move_id)
        matches = {}
        for line, key in keys.items():
            found = moves.browse(candidates.get(key, ())).with_prefetch(invoices.ids).filtered(line._is_paid_by)
            if len(found) == 1:
                matches[line] = found
        return matches

    def _is_paid_by(self, invoice):
        return (
            invoice.move_type in PAID_BY[self.amount > 0]
            and invoice.currency_id == self.currency_id
            and not self.foreign_currency_id
            and not self.currency_id.compare_amounts(invoice.amount_residual, abs(self.amount))
        )

    def action_pay_matching_invoice(self):
        """Reconcile each line with its matching invoice, by core's own reconciliation."""
        self.check_access('write')
        for line in self:
            invoice = line.matching_invoice_id
            if not invoice:
                raise UserError(self.env._("No open invoice has exactly this payment reference and amount any more."))
            receivable = invoice.line_ids.filtered(
                lambda item: item.account_type in ('asset_receivable', 'liability_payable') and not item.reconciled
            )
            if len(receivable.account_id) != 1:
                raise UserError(
                    self.env._(
                        "%(invoice)s is to be paid on several accounts: please reconcile it by hand.",
                        invoice=invoice.name,
                    )
                )
            line.partner_id = invoice.commercial_partner_id
            _liquidity, suspense, _other = line._seek_for_lines()
            suspense.account_id = receivable.account_id
            (suspense + receivable).reconcile()

    def unlink(self):
        """Remember what the user removes: it never comes back by itself."""
        self.sudo().ponto_transaction_ids.write({'state': 'removed'})
        return super().unlink()
