"""What the database knows about open statement lines: each kind of evidence in one query for a whole batch of lines.

How it is judged is told by reconciliation_grading.py. Nothing is written.
"""

from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL, html2plaintext

from .labels import MAX_TEXT, reference_key
from .odoo_names import SANITIZED_NUMBER
from .reconciliation_facts import Evidence, OpenItem, Proposal, Transaction
from .reconciliation_grading import grade
from .reconciliation_keys import keys_in

# Of the open items of one partner, and of those with one amount, so many are looked at.
ITEMS_OF_PARTNER = 40
ITEMS_OF_AMOUNT = 20
# So many of a counterpart's last lines must agree on the account.
LAST_LINES = 3
# How far back they are looked for.
LAST_DAYS = 400

SANITIZED = SQL(r"upper(regexp_replace(line.account_number, '\W', '', 'g'))")


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    def _proposals(self):
        """Return `{line id: [Proposal, …]}` of the lines among these that are open, the best first."""
        self.check_access('read')
        self.env['account.move.line'].check_access('read')
        transactions = self._transactions_of_lines()
        return self._grade(transactions) if transactions else {}

    @api.model
    def _grade(self, transactions):
        """Return `{transaction id: [Proposal, …]}`, the best first."""
        companies = self._paying_companies({transaction.company_id for transaction in transactions})
        evidence = Evidence(companies=companies)
        for journal, company, number, fee_account, transfer_account in self._own_journals(list(companies)):
            evidence.transfer_accounts[company] = transfer_account
            if number:
                evidence.own_journals[company, number] = journal
            if fee_account:
                evidence.fee_accounts[journal] = fee_account
        rules = self.env['account.reconcile.model']._of_companies(list(companies))
        transactions = [rules[transaction.company_id]._with_partner(transaction) for transaction in transactions]
        for company, company_rules in rules.items():
            evidence.rules.update(
                company_rules._proposals([item for item in transactions if item.company_id == company])
            )
        evidence.items = self._open_items(transactions, sorted(set().union(*companies.values())))
        evidence.transfers = self._halves_of_transfers(transactions, evidence.own_journals)
        evidence.last_accounts = self._last_accounts(transactions)
        return grade(transactions, evidence)

    @api.model
    def _paying_companies(self, company_ids):
        """Return `{company id: ids of the companies whose open items its lines may pay}`: its own and branches'."""
        rows = self.env.execute_query(
            SQL(
                "SELECT company.id, branch.id FROM res_company company"
                " JOIN res_company branch ON starts_with(branch.parent_path, company.parent_path)"
                " WHERE company.id = ANY(%s)",
                sorted(company_ids),
            )
        )
        allowed = None if self.env.su else set(self.env.user._get_company_ids())
        found = defaultdict(set)
        for company, branch in rows:
            if allowed is None or branch in allowed:
                found[company].add(branch)
        return dict(found)

    def _transactions_of_lines(self):
        """Return the `Transaction`s of the open lines among these."""
        return self._transactions(SQL("line.id = ANY(%s)", self.ids))

    @api.model
    def _transactions(self, condition):
        """Return the `Transaction`s of the open lines for which `condition` holds (`line`, `move`), in one query."""
        for model in ('account.bank.statement.line', 'account.move', 'account.move.line', 'res.partner.bank'):
            self.env[model].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT line.id, line.company_id, line.journal_id, currency.id, move.date,
                   round(-line.amount_residual::numeric, currency.decimal_places),
                   item.balance, line.payment_ref, move.narration, line.transaction_details::text,
                   row.end_to_end_id, row.remittance_information, line.transaction_type, line.partner_name,
                   %(number)s, partner.commercial_partner_id, owners.ids
              FROM account_bank_statement_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN account_journal journal ON journal.id = line.journal_id
              JOIN res_currency currency ON currency.id = COALESCE(line.foreign_currency_id, line.currency_id)
         LEFT JOIN account_move_line item ON item.move_id = move.id AND item.account_id = journal.suspense_account_id
         LEFT JOIN ponto_transaction row ON row.statement_line_id = line.id
         LEFT JOIN res_partner partner ON partner.id = line.partner_id
         LEFT JOIN LATERAL (
                   SELECT array_agg(DISTINCT owner.commercial_partner_id) AS ids
                     FROM res_partner_bank bank
                     JOIN res_partner owner ON owner.id = bank.partner_id
                    WHERE %(bank_number)s = %(number)s AND bank.active AND owner.active
                      AND (bank.company_id IS NULL OR bank.company_id = line.company_id)
                   ) owners ON TRUE
             WHERE move.state = 'posted' AND line.is_reconciled IS NOT TRUE AND %(condition)s
          ORDER BY line.id
                """,
                bank_number=SQL.identifier('bank', SANITIZED_NUMBER),
                number=SANITIZED,
                condition=condition,
            )
        )
        return [_transaction(*row) for row in rows]

    @api.model
    def _own_journals(self, company_ids):
        """Return rows of journal, company, account number and accounts for fees and for transfers of bank journals."""
        return self.env.execute_query(
            SQL(
                """
            SELECT journal.id, journal.company_id, %(bank_number)s, journal.ponto_fee_account_id,
                   company.transfer_account_id
              FROM account_journal journal
              JOIN res_company company ON company.id = journal.company_id
         LEFT JOIN res_partner_bank bank ON bank.id = journal.bank_account_id
             WHERE journal.type IN ('bank', 'cash', 'credit') AND journal.company_id = ANY(%(company_ids)s)
                """,
                bank_number=SQL.identifier('bank', SANITIZED_NUMBER),
                company_ids=company_ids,
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
        return self._transactions(
            SQL(
                "line.journal_id = ANY(%s) AND abs(line.amount) = ANY(%s)"
                " AND (line.account_number IS NULL OR %s = ANY(%s))",
                sorted(own_journals.values()),
                sorted(amounts),
                SANITIZED,
                sorted({number for _company, number in own_journals}),
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
                       item.amount_residual, item.amount_residual_currency, item.date_maturity, item.discount_date,
                       item.discount_amount_currency, item.amount_currency, partner.commercial_partner_id AS partner_id,
                       account.account_type, account.id = company.transfer_account_id AS is_transfer
                  FROM account_move_line item
                  JOIN account_account account ON account.id = item.account_id AND account.reconcile
                  JOIN res_company company ON company.id = item.company_id
             LEFT JOIN res_partner partner ON partner.id = item.partner_id
                 WHERE item.reconciled IS NOT TRUE AND item.parent_state = 'posted'
                   AND item.company_id = ANY(%(companies)s)
                   AND item.account_id NOT IN (SELECT suspense_account_id FROM account_journal
                                                WHERE suspense_account_id IS NOT NULL)
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
                   open.amount_residual_currency, open.amount_residual,
                   COALESCE(open.date_maturity, open.date), open.partner_id,
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
                partners=sorted({transaction.partner_id for transaction in transactions if transaction.partner_id}),
                amounts=sorted({transaction.amount for transaction in transactions}),
                unknown=sorted({transaction.amount for transaction in unknown if transaction.partner_name}),
                of_partner=ITEMS_OF_PARTNER,
                of_amount=ITEMS_OF_AMOUNT,
            )
        )
        return [_open_item(*row) for row in rows]

    @api.model
    def _last_accounts(self, transactions):
        """Return `{transaction id: Proposal}` of the account on which this counterpart's last lines were booked.

        A counterpart is an account number, else a name, else the bank's kind of transaction in a journal; money that
        comes in is told from money that goes out. A line counts that has a single item beside the bank's and those of
        taxes, on an account where nothing stays open; the last ones must agree on the account.
        """
        wanted = {transaction.id: _counterpart(transaction) for transaction in transactions}
        rows = self.env.execute_query(
            SQL(
                """
            WITH told AS (
                SELECT line.move_id, line.internal_index, line.company_id, sign(line.amount) || CASE
                       WHEN %(number)s <> '' THEN '/number/' || %(number)s
                       WHEN line.partner_name <> '' THEN '/name/' || line.partner_name
                       WHEN line.transaction_type <> '' THEN '/type/' || line.journal_id || line.transaction_type
                       END AS counterpart
                  FROM account_bank_statement_line line
                 WHERE line.company_id = ANY(%(companies)s) AND line.is_reconciled
                   AND line.internal_index > to_char(CURRENT_DATE - %(days)s, 'YYYYMMDD')
            ),
            last AS (
                SELECT told.*,
                       row_number() OVER (PARTITION BY company_id, counterpart ORDER BY internal_index DESC) AS place
                  FROM told JOIN unnest(%(counterparts)s::text[]) AS counterpart USING (counterpart)
            )
            SELECT last.company_id, last.counterpart, item.account_id, item.analytic_distribution,
                   ARRAY(SELECT account_tax_id FROM account_move_line_account_tax_rel
                          WHERE account_move_line_id = item.id ORDER BY account_tax_id)
              FROM last
              JOIN account_move_line item ON item.move_id = last.move_id AND item.tax_line_id IS NULL
              JOIN account_account account ON account.id = item.account_id
               AND NOT account.reconcile
               AND account.account_type NOT IN ('asset_cash', 'liability_credit_card')
             WHERE last.place <= %(lines)s
          ORDER BY last.internal_index DESC
                """,
                bank_number=SQL.identifier('bank', SANITIZED_NUMBER),
                number=SANITIZED,
                companies=sorted({transaction.company_id for transaction in transactions}),
                counterparts=sorted({counterpart for counterpart in wanted.values() if counterpart}),
                days=LAST_DAYS,
                lines=LAST_LINES,
            )
        )
        found = defaultdict(list)
        for company, counterpart, *booked in rows:
            found[company, counterpart].append(booked)
        agreed = {key: booked for key, booked in found.items() if len({account for account, *_more in booked}) == 1}
        return {
            transaction.id: _last_account(agreed[transaction.company_id, wanted[transaction.id]])
            for transaction in transactions
            if (transaction.company_id, wanted[transaction.id]) in agreed
        }


def _counterpart(transaction):
    """Return what tells the counterpart of a `Transaction`, as the query of `_last_accounts` makes it, or None."""
    sign = '1' if transaction.amount > 0 else '-1'
    if transaction.account_number:
        return f'{sign}/number/{transaction.account_number}'
    if transaction.partner_name:
        return f'{sign}/name/{transaction.partner_name}'
    return transaction.transaction_type and f'{sign}/type/{transaction.journal_id}{transaction.transaction_type}'


def _last_account(booked):
    account_id, analytic_distribution, tax_ids = booked[0]
    counterpart = {
        'account_id': account_id,
        'tax_ids': tax_ids,
        'analytic_distribution': analytic_distribution or False,
    }
    return Proposal('likely', 'last_account', (counterpart,), {'account_id': account_id})


def _exact(amount):
    """Return an amount that PostgreSQL keeps exactly, and psycopg2 hands over as a float, as a `Decimal`."""
    return Decimal(str(amount))


def _transaction(
    line_id, company, journal, currency, date, amount, balance, label, narration, details, end_to_end_id, remittance,
    kind, name, number, partner, owners,
):  # fmt: skip
    owners = owners or []
    partner = partner or (owners[0] if len(owners) == 1 else None)
    return Transaction(
        id=line_id,
        company_id=company,
        journal_id=journal,
        currency_id=currency,
        date=date,
        amount=_exact(amount),
        balance=_exact(-(balance or 0.0)),
        # The rules of people search here with patterns of their own.
        text='\n'.join(filter(None, (label, remittance, html2plaintext(narration or ''))))[:MAX_TEXT],
        details=(details or '')[:MAX_TEXT],
        end_to_end_id=end_to_end_id or '',
        transaction_type=kind or '',
        partner_id=partner,
        partner_name=name or '',
        account_number=number or '',
        is_partner_certain=bool(partner) and owners == [partner],
    )


def _open_item(
    item_id, document_id, document, company, journal, currency, residual, company_residual, due, partner_id, partner,
    account_type, is_transfer, payment, batch, keys, discount_date, discounted, amount,
):  # fmt: skip
    is_document = account_type in ('asset_receivable', 'liability_payable')
    nature = 'payment' if payment else 'transfer' if is_transfer else 'document' if is_document else 'other'
    # The discount is on the whole document: what is paid in part has none any more.
    has_discount = discount_date and discounted and residual == amount and discounted != amount
    return OpenItem(
        id=item_id,
        document_id=document_id,
        document=document or '',
        company_id=company,
        journal_id=journal,
        currency_id=currency,
        residual=_exact(residual),
        company_residual=_exact(company_residual),
        due=due,
        nature=nature,
        partner_id=partner_id,
        partner=partner or '',
        keys=frozenset(keys or ()),
        batch=reference_key(batch) if payment else '',
        discounted=_exact(discounted) if has_discount else None,
        discount_date=discount_date if has_discount else None,
    )
