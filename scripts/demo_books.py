"""The books of the demo's company: what its bank's rows are to be reconciled with, and how much of that comes right.

Used by `demo_steps.py` inside Odoo. The right answer for each row comes from `demo/`, never from the addon.
"""

import importlib
from collections import Counter
from datetime import datetime, timedelta, timezone

DEMO = 'odoo.addons.account_online_ponto.demo'
LEAST_WITHOUT_A_CLICK = 0.85
LEAST_FIRST_RIGHT = 0.95
# What a person books at first, so that the account is known from then on.
BY_HAND = ('leasing', 'insurance', 'office')
FIRST_DAYS = 62


class Books:
    """The company's documents in Odoo, and the answers to its bank's rows.

    :param accounts: the `ponto.account` records, each with its journal
    """

    def __init__(self, accounts):
        self.env = accounts.env(context={**accounts.env.context, 'tracking_disable': True})
        self.company = accounts.company_id
        self.books = importlib.import_module(f'{DEMO}.books')
        company = importlib.import_module(f'{DEMO}.company')
        entries = list(company.Company(datetime.now(timezone.utc)).entries())
        self.answers = {entry.attributes['internal_reference']: entry.answer for entry in entries}
        self.journals = self._journals(accounts)
        self.accounts = {}
        self.moves = {}

    def _journals(self, accounts):
        parties = importlib.import_module(f'{DEMO}.parties')
        names = {
            (parties.IBAN_CHECKING, 'EUR'): 'checking',
            (parties.IBAN_PROJECT, 'EUR'): 'project',
            (parties.IBAN_BUSINESS, 'EUR'): 'business',
        }
        found = {names.get((account.reference, account.currency_id.name)): account.journal_id for account in accounts}
        return {name: journal for name, journal in found.items() if name}

    # --- What the company enters --------------------------------------------------------------------------------------

    def enter(self):
        """Enter accounts, rules, documents and the payments that are made from Odoo, and switch matching on."""
        self._make_accounts()
        self._make_rules()
        self._make_documents()
        self._pay_from_odoo()
        journals = self.env['account.journal'].search(
            [('type', 'in', ('bank', 'credit')), ('company_id', '=', self.company.id)]
        )
        journals.write({'ponto_match_automatically': True, 'ponto_fee_account_id': self.accounts['charges'].id})

    def _make_accounts(self):
        kinds = {'4': 'liability_current', '6': 'expense', '7': 'income'}
        accounts = self.env['account.account'].with_company(self.company)
        for key, (code, name) in self.books.ACCOUNTS.items():
            self.accounts[key] = accounts.search([('code', '=', code)], limit=1) or accounts.create(
                {'code': code, 'name': name, 'account_type': kinds[code[0]], 'company_ids': [(6, 0, self.company.ids)]}
            )
        self.accounts['transfer'] = self.company.transfer_account_id

    def _make_rules(self):
        self.env['account.reconcile.model'].with_company(self.company).create(
            [
                {
                    'name': rule.name,
                    'sequence': place,
                    'trigger': 'auto_reconcile' if rule.is_automated else 'manual',
                    'match_label': 'match_regex',
                    'match_label_param': rule.pattern,
                    'line_ids': [(0, 0, vals) for vals in self._rule_lines(rule)],
                }
                for place, rule in enumerate(self.books.RULES)
            ]
        )

    def _rule_lines(self, rule):
        account = self.accounts[rule.account].id
        if not rule.gross:
            return [{'account_id': account}]
        return [
            {'account_id': account, 'amount_type': 'regex', 'amount_string': rule.gross},
            {'account_id': self.accounts['charges'].id, 'amount_type': 'percentage', 'amount_string': '100'},
        ]

    def _make_documents(self):
        documents = list(dict.fromkeys(document for answer in self.answers.values() for document in answer.documents))
        partners = self.env['res.partner']
        by_name = {}
        for name in dict.fromkeys(document.party for document in documents):
            by_name[name] = partners.search([('name', '=', name)], limit=1) or partners.create({'name': name})
        term = self.env['account.payment.term'].create(
            {
                'name': "2 % within 10 days", 'early_discount': True, 'discount_percentage': 2, 'discount_days': 10,
                'early_pay_discount_computation': 'excluded',
                'line_ids': [(0, 0, {'value': 'percent', 'value_amount': 100, 'nb_days': 30})],
            }
        )  # fmt: skip
        moves = self.env['account.move'].with_company(self.company)
        moves = moves.create([self._document_vals(document, by_name[document.party], term) for document in documents])
        moves.action_post()
        self.moves = dict(zip(documents, moves, strict=True))

    def _document_vals(self, document, partner, term):
        currency = self.env['res.currency'].with_context(active_test=False).search([('name', '=', document.currency)])
        vals = {
            'move_type': document.kind,
            'partner_id': partner.id,
            'currency_id': currency.id,
            'date': document.date,
            'invoice_date': document.date,
            'payment_reference': document.reference,
            'invoice_payment_term_id': term.id if document.is_discounted else False,
            'invoice_line_ids': [(0, 0, {'name': document.reference, 'price_unit': document.amount, 'tax_ids': False})],
        }
        return vals if document.kind.startswith('out') else {**vals, 'ref': document.reference}

    def _pay_from_odoo(self):
        for document, move in self.moves.items():
            if not document.paid_from:
                continue
            wizard = self.env['account.payment.register'].with_context(active_model='account.move', active_ids=move.ids)
            payment = wizard.create(
                {'journal_id': self.journals[document.paid_from].id, 'payment_date': document.date + timedelta(days=2)}
            )._create_payments()
            if document.batch:
                payment.payment_reference = document.batch

    # --- What becomes of it -------------------------------------------------------------------------------------------

    def answer(self, line):
        return self.answers[line.transaction_details['internalReference']]

    def book_first_by_hand(self, lines):
        """Book what a person does at first; return those lines."""
        end = min(lines.mapped('date')) + timedelta(days=FIRST_DAYS)
        first = lines.filtered(lambda line: self.answer(line).account in BY_HAND and line.date <= end)
        for line in first:
            line.reconcile_with([{'account_id': self.accounts[self.answer(line).account].id}])
        return first

    def is_right(self, line, items, other_lines, accounts):
        """Return whether the items, lines and accounts that a line is, or would be, reconciled with are right."""
        answer = self.answer(line)
        documents = {self.moves[document] for document in answer.documents}
        if answer.other:
            return {other.transaction_details['internalReference'] for other in other_lines} == {answer.other}
        found = {self._document_of(item.move_id) for item in items}
        wanted = {self.accounts[answer.account]} if answer.account else set()
        # The fee of the card terminal is beside what it has taken.
        extra = {self.accounts['charges']} if answer.account == 'sales' else set()
        discount = (
            {self.company.account_journal_early_pay_discount_gain_account_id}
            if any(document.is_discounted for document in answer.documents)
            else set()
        )
        return found == documents and wanted <= set(accounts) <= wanted | extra | discount

    def _document_of(self, move):
        """Return the document itself, or the one that a payment made in Odoo has paid."""
        payment = move.origin_payment_id
        return payment.reconciled_invoice_ids + payment.reconciled_bill_ids if payment else move

    def outcome(self, line):
        """Return what a reconciled line is reconciled with, for `is_right`."""
        _liquidity, _suspense, items = line._seek_for_lines()
        partners = items.matched_debit_ids.debit_move_id + items.matched_credit_ids.credit_move_id
        open_items = partners.filtered(lambda item: not item.statement_line_id)
        booked = items.filtered(
            lambda item: not item.account_id.reconcile or item.account_id == self.accounts['transfer']
        )
        lines = partners.statement_line_id
        return open_items, lines, booked.account_id if not lines else ()

    def proposed(self, proposal):
        counterparts = proposal.counterparts
        items = self.env['account.move.line'].browse(item['item_id'] for item in counterparts if item.get('item_id'))
        lines = self.env['account.bank.statement.line'].browse(
            item['line_id'] for item in counterparts if item.get('line_id')
        )
        accounts = self.env['account.account'].browse(
            item['account_id'] for item in counterparts if item.get('account_id')
        )
        return items, lines, accounts


def report(books, lines, by_hand, differences):
    """Print how much was matched by itself and how good the proposals are; append what is not good enough."""
    alone = lines.filtered('is_matched_by_itself')
    wrong = alone.filtered(lambda line: not books.is_right(line, *books.outcome(line)))
    left = lines - alone - by_hand
    proposals = left._proposals()
    first = {line: proposals[line.id][0] for line in left if proposals.get(line.id)}
    right = [line for line, proposal in first.items() if books.is_right(line, *books.proposed(proposal))]
    share = len(alone) / len(lines)
    all_right = (len(alone) - len(wrong) + len(right)) / (len(lines) - len(by_hand))
    print(f'\nLines: {len(lines)}; booked by a person to begin with: {len(by_hand)}')
    print(f'Matched by itself: {len(alone)} ({share:.1%}); of these wrong: {len(wrong)}')
    print(f'Left with a proposal: {len(first)}; of these the first one right: {len(right)}')
    print(f'The first proposal is right for {all_right:.1%} of the lines')
    print(f'Left for a person without a proposal: {len(left) - len(first)}')
    print('\nReason                                 by itself  proposed   right')
    kinds = Counter(alone.mapped('match_kind'))
    shown, good = Counter(proposal.kind for proposal in first.values()), Counter(first[line].kind for line in right)
    for kind, name in lines._fields['match_kind'].selection:
        if kinds[kind] or shown[kind]:
            print(f'{name:<36}{kinds[kind]:>12}{shown[kind]:>10}{good[kind]:>8}')
    for line in wrong:
        differences.append(f'{line.payment_ref} of {line.date} is matched wrongly: {line.match_reason}')
    if share < LEAST_WITHOUT_A_CLICK:
        differences.append(f'only {share:.1%} of the lines are matched by themselves')
    if all_right < LEAST_FIRST_RIGHT:
        differences.append(f'the first proposal is right for {all_right:.1%} of the lines only')
    return left, first, right
