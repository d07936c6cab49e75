"""What open statement lines may be reconciled with. Each kind of evidence is one query for a whole batch of lines; how
it is judged is told by reconciliation_grading.py. Nothing is written.
"""

from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, html2plaintext

from .labels import reference_key
from .messages import success
from .reconciliation_grading import Evidence, OpenItem, Transaction, grade
from .reconciliation_keys import keys_in
from .reconciliation_reasons import reason_sentence

# Of the open items of one partner, and of those with one amount, so many are looked at.
ITEMS_OF_PARTNER = 40
ITEMS_OF_AMOUNT = 20
# The account used last is one that so many transactions agree on, or all that there are.
LAST_LINES = 3


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    proposal_grade = fields.Selection([('sure', "Sure"), ('likely', "Likely")], compute='_compute_proposal')
    proposal_reason = fields.Char(string="Proposal", compute='_compute_proposal')

    @api.depends_context('lang', 'uid', 'allowed_company_ids')
    @api.depends('is_reconciled', 'amount', 'payment_ref', 'partner_id')
    def _compute_proposal(self):
        """Tell the first proposal of each line. All lines of a list are looked at together."""
        proposals = self._proposals()
        for line in self:
            first = next(iter(proposals.get(line.id, ())), None)
            line.proposal_grade = first.grade if first else False
            line.proposal_reason = reason_sentence(self.env, first.kind, first.facts) if first else False

    def get_proposals(self):
        """Return `{line id: [proposal, …]}` of the open ones for the screen, the best first. Callable over RPC, where
        the ids arrive as strings, as JSON's keys are.

        A proposal is a dict of `grade` (`sure` or `likely`), `kind` (one of `KINDS`), `reason` (a sentence in the
        reader's language), `counterparts` (what `reconcile_with` takes) and `facts`.
        """
        return {
            line_id: [
                {
                    'grade': proposal.grade,
                    'kind': proposal.kind,
                    'reason': reason_sentence(self.env, proposal.kind, proposal.facts),
                    'counterparts': list(proposal.counterparts),
                    'facts': proposal.facts,
                }
                for proposal in found
            ]
            for line_id, found in self._proposals().items()
        }

    def action_accept_proposals(self):
        """Reconcile each of these lines with its first proposal where it has one that fits alone; tell how many."""
        self._check_matcher()
        done = self._accept_proposals()
        return success(self.env._("%(done)s of %(all)s reconciled.", done=len(done), all=len(self)))

    def _accept_proposals(self):
        """Reconcile these lines with their first proposals, and return those that are done.

        Each is looked at again before: an earlier one may have taken what it wants.
        """
        done = self.browse()
        for line_id, found in self._proposals().items():
            line = self.browse(line_id)
            first = next(iter(found), None)
            if not first or first.facts.get('is_ambiguous') or line.is_reconciled:
                continue
            try:
                with self.env.cr.savepoint():
                    line._check_counterparts(first.counterparts)
                    self._reconcile_with({line: first.counterparts}, {line: (first.kind, first.facts)})
                done += line
            except UserError:
                continue
        return done

    # -------------------------------------------------------------------------
    # Looking
    # -------------------------------------------------------------------------

    def _proposals(self):
        """Return `{line id: [Proposal, …]}` of the lines among these that are open, the best first."""
        self.check_access('read')
        self.env['account.move.line'].check_access('read')
        self.env.flush_all()
        transactions = self._transactions(SQL("line.id = ANY(%s)", self.ids))
        return grade(transactions, self._evidence(transactions)) if transactions else {}

    @api.model
    def _evidence(self, transactions):
        companies = self._paying_companies({transaction.company_id for transaction in transactions})
        evidence = Evidence(companies=companies)
        for journal_id, company_id, number, fee_account in self._own_journals(list(companies)):
            if number:
                evidence.own_journals[company_id, number] = journal_id
            if fee_account:
                evidence.fee_accounts[journal_id] = fee_account
        evidence.items = self._open_items(transactions, sorted(set().union(*companies.values())))
        evidence.transfers = self._halves_of_transfers(transactions, evidence.own_journals)
        evidence.rules = self.env['account.reconcile.model']._proposals(transactions)
        evidence.last_accounts = self._last_accounts(transactions)
        return evidence

    @api.model
    def _paying_companies(self, company_ids):
        """Return `{company id: ids of the companies whose open items its lines may pay}`: its own and branches'."""
        companies = self.env['res.company'].sudo().search([('id', 'child_of', list(company_ids))])
        if not self.env.su:
            companies &= self.env.user.company_ids.sudo()
        return {
            company_id: {company.id for company in companies if company_id in company.parent_ids.ids}
            for company_id in company_ids
        }

    @api.model
    def _transactions(self, condition):
        """Return the `Transaction`s of the open lines for which `condition` holds (`line`, `move`), in one query."""
        rows = self.env.execute_query(
            SQL(
                """
            SELECT line.id, line.company_id, line.journal_id, currency.id, move.date,
                   round(-line.amount_residual::numeric, currency.decimal_places),
                   line.payment_ref, move.narration, row.end_to_end_id, row.remittance_information,
                   line.partner_name, upper(regexp_replace(line.account_number, '\\W', '', 'g')),
                   partner.commercial_partner_id, owners.ids
              FROM account_bank_statement_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN res_currency currency ON currency.id = COALESCE(line.foreign_currency_id, line.currency_id)
         LEFT JOIN ponto_transaction row ON row.statement_line_id = line.id
         LEFT JOIN res_partner partner ON partner.id = line.partner_id
         LEFT JOIN LATERAL (
                   SELECT array_agg(DISTINCT owner.commercial_partner_id) AS ids
                     FROM res_partner_bank bank
                     JOIN res_partner owner ON owner.id = bank.partner_id
                    WHERE bank.sanitized_acc_number = upper(regexp_replace(line.account_number, '\\W', '', 'g'))
                      AND bank.active AND owner.active
                      AND (bank.company_id IS NULL OR bank.company_id = line.company_id)
                   ) owners ON TRUE
             WHERE move.state = 'posted' AND line.is_reconciled IS NOT TRUE AND %s
          ORDER BY line.id
                """,
                condition,
            )
        )
        return [
            Transaction(
                id=line_id, company_id=company, journal_id=journal, currency_id=currency, date=date, amount=_exact(amount),
                text='\n'.join(filter(None, (label, remittance, html2plaintext(narration or '')))),
                end_to_end_id=end_to_end_id or '', partner_name=name or '', account_number=number or '',
                partner_id=partner or (owners[0] if owners and len(owners) == 1 else None),
                is_partner_certain=bool(owners) and owners == [partner or owners[0]],
            )
            for (
                line_id, company, journal, currency, date, amount, label, narration, end_to_end_id, remittance, name,
                number, partner, owners,
            ) in rows
        ]  # fmt: skip

    @api.model
    def _own_journals(self, company_ids):
        """Return rows of journal, company, account number and account for fees of the companies' bank journals."""
        return self.env.execute_query(
            SQL(
                """
            SELECT journal.id, journal.company_id, bank.sanitized_acc_number, journal.ponto_fee_account_id
              FROM account_journal journal
         LEFT JOIN res_partner_bank bank ON bank.id = journal.bank_account_id
             WHERE journal.type IN ('bank', 'cash', 'credit') AND journal.company_id = ANY(%s)
                """,
                company_ids,
            )
        )

    @api.model
    def _halves_of_transfers(self, transactions, own_journals):
        """Return all open lines that may be a half of the same transfer as one of `transactions`."""
        amounts = {
            abs(transaction.amount)
            for transaction in transactions
            if (transaction.company_id, transaction.account_number) in own_journals or not transaction.account_number
        }
        if not amounts or not own_journals:
            return []
        numbers = sorted({number for _company, number in own_journals})
        return self._transactions(
            SQL(
                "line.journal_id = ANY(%s) AND abs(line.amount) = ANY(%s)"
                " AND (line.account_number IS NULL"
                " OR upper(regexp_replace(line.account_number, '\\W', '', 'g')) = ANY(%s))",
                sorted(own_journals.values()),
                sorted(amounts),
                numbers,
            )
        )

    @api.model
    def _open_items(self, transactions, company_ids):
        """Return the `OpenItem`s that the texts name, and the first ones of the partners and of the amounts.

        One query reads the open items once, whatever their number; what may be matched is core's own domain
        (`_get_default_amls_matching_domain`).
        """
        keys = set()
        for transaction in transactions:
            keys.update(keys_in(transaction.text), keys_in(transaction.end_to_end_id))
            keys.add(reference_key(transaction.end_to_end_id))
        unknown = [transaction for transaction in transactions if not transaction.partner_id]
        rows = self.env.execute_query(
            SQL(
                """
            WITH wanted AS MATERIALIZED (SELECT unnest(%(keys)s::text[]) AS key),
            open AS MATERIALIZED (
                SELECT item.id, item.move_id, item.account_id, item.company_id, item.currency_id, item.date,
                       item.amount_residual_currency, item.date_maturity, item.discount_date,
                       item.discount_amount_currency, item.amount_currency, partner.commercial_partner_id AS partner_id,
                       account.account_type, account.id = company.transfer_account_id AS is_transfer
                  FROM account_move_line item
                  JOIN account_account account ON account.id = item.account_id AND account.reconcile
                  JOIN res_company company ON company.id = item.company_id
             LEFT JOIN res_partner partner ON partner.id = item.partner_id
                 WHERE item.reconciled IS NOT TRUE AND item.parent_state = 'posted'
                   AND item.company_id = ANY(%(companies)s)
                   AND item.account_id <> ALL(%(suspense)s)
            ),
            named AS (
                SELECT move.id AS move_id, array_agg(DISTINCT wanted.key) AS keys
                  FROM (SELECT DISTINCT move_id FROM open) AS documents
                  JOIN account_move move ON move.id = documents.move_id
             LEFT JOIN account_payment payment ON payment.id = move.origin_payment_id,
                       LATERAL unnest(ARRAY[move.name, move.ref, move.payment_reference, payment.payment_reference])
                       AS reference
                  JOIN wanted ON wanted.key = regexp_replace(lower(reference), '[^0-9a-z]', '', 'g')
              GROUP BY move.id
            ),
            ranked AS (
                SELECT open.*,
                       row_number() OVER of_partner AS of_partner, row_number() OVER of_amount AS of_amount
                  FROM open
                 WHERE open.partner_id = ANY(%(partners)s)
                    OR open.amount_residual_currency = ANY(%(amounts)s)
                    OR open.is_transfer
                WINDOW of_partner AS (PARTITION BY open.partner_id ORDER BY open.date_maturity, open.id),
                       of_amount AS (PARTITION BY open.amount_residual_currency ORDER BY open.date_maturity, open.id)
            ),
            chosen AS (
                SELECT id FROM open JOIN named USING (move_id)
                 UNION
                SELECT id FROM ranked
                 WHERE (partner_id = ANY(%(partners)s)
                        AND (of_partner <= %(of_partner)s OR amount_residual_currency = ANY(%(amounts)s)))
                    OR (amount_residual_currency = ANY(%(unknown)s) AND of_amount <= %(of_amount)s)
                    OR (is_transfer AND amount_residual_currency = ANY(%(amounts)s))
            )
            SELECT open.id, open.move_id, move.name, open.company_id, move.journal_id, open.currency_id,
                   open.amount_residual_currency, COALESCE(open.date_maturity, open.date), open.partner_id,
                   partner.complete_name, open.account_type, open.is_transfer, move.origin_payment_id,
                   payment.payment_reference, named.keys, open.discount_date, open.discount_amount_currency,
                   open.amount_currency
              FROM chosen
              JOIN open USING (id)
              JOIN account_move move ON move.id = open.move_id
         LEFT JOIN account_payment payment ON payment.id = move.origin_payment_id
         LEFT JOIN res_partner partner ON partner.id = open.partner_id
         LEFT JOIN named ON named.move_id = open.move_id
             WHERE open.account_type NOT IN ('asset_receivable', 'liability_payable')
                OR move.origin_payment_id IS NULL
                """,
                keys=sorted(filter(None, keys)),
                companies=company_ids,
                suspense=self._suspense_accounts(company_ids),
                partners=sorted({transaction.partner_id for transaction in transactions if transaction.partner_id}),
                amounts=sorted({transaction.amount for transaction in transactions}),
                unknown=sorted({transaction.amount for transaction in unknown if transaction.partner_name}),
                of_partner=ITEMS_OF_PARTNER,
                of_amount=ITEMS_OF_AMOUNT,
            )
        )
        return [_open_item(*row) for row in rows]

    @api.model
    def _suspense_accounts(self, company_ids):
        journals = self.env['account.journal'].sudo().search([('company_id', 'in', company_ids)])
        return journals.suspense_account_id.ids

    @api.model
    def _last_accounts(self, transactions):
        """Return `{transaction id: Proposal}` of the account on which this counterpart's last lines were booked.

        A counterpart is an account number, else a name, else the bank's kind of transaction. Only lines with a single
        counterpart item count, and they must agree.
        """
        return {}


def _exact(amount):
    """Return an amount that PostgreSQL keeps exactly, and psycopg2 hands over as a float, as a `Decimal`."""
    return Decimal(str(amount))


def _open_item(
    item_id, document_id, document, company, journal, currency, residual, due, partner_id, partner, account_type,
    is_transfer, payment, batch, keys, discount_date, discounted, amount,
):  # fmt: skip
    is_document = account_type in ('asset_receivable', 'liability_payable')
    nature = 'payment' if payment else 'transfer' if is_transfer else 'document' if is_document else 'other'
    # The discount is on the whole document: what is paid in part has none any more.
    has_discount = discount_date and discounted and residual == amount and discounted != amount
    return OpenItem(
        id=item_id, document_id=document_id, document=document or '', company_id=company, journal_id=journal,
        currency_id=currency, residual=_exact(residual), due=due, nature=nature, partner_id=partner_id, partner=partner or '',
        keys=frozenset(keys or ()), batch=reference_key(batch) if payment else '',
        discounted=_exact(discounted) if has_discount else None, discount_date=discount_date if has_discount else None,
    )  # fmt: skip
