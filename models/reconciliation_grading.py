"""What a bank transaction may be the payment of, and how sure that is: pure functions over reconciliation_facts.py."""

from collections import defaultdict
from decimal import Decimal

from .reconciliation_facts import Proposal
from .reconciliation_keys import is_structured, is_weak, name_key, named_keys
from .reconciliation_ranking import likely, ranked

# Days between the two lines of one transfer between own accounts.
TRANSFER_DAYS = 5
# What may be missing when a bank has kept its fee, or somebody has rounded.
FEE = Decimal(30)
FEE_PART = Decimal('0.05')
CENTS = Decimal('0.05')
# More documents than this are not proposed together.
MAX_ITEMS = 30
# How far the bank's rate may be from the rate in Odoo.
RATE_PART = Decimal('0.1')


def grade(transactions, evidence):
    """Return `{transaction id: [Proposal, …]}`, the best first. Two things that fit equally well are never sure."""
    index = _Index(evidence)
    return {transaction.id: ranked(index.proposals(transaction)) for transaction in transactions}


class _Index:
    """The evidence, ordered by what it is asked for."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.by_key = defaultdict(list)
        self.by_partner = defaultdict(list)
        self.by_amount = defaultdict(list)
        self.by_document = defaultdict(list)
        self.by_batch = defaultdict(list)
        for item in sorted(evidence.items, key=lambda item: (item.due, item.id)):
            for key in item.keys:
                self.by_key[key].append(item)
            self.by_document[item.document_id].append(item)
            self.by_amount[item.residual, item.currency_id].append(item)
            if item.partner_id:
                self.by_partner[item.partner_id].append(item)
            if item.batch:
                self.by_batch[item.batch].append(item)

    def proposals(self, transaction):
        """Yield all proposals for one transaction, in no order."""
        if not transaction.amount:
            return
        yield from self._named(transaction, transaction.end_to_end_id, 'end_to_end_id')
        yield from self._named(transaction, transaction.text, None)
        yield from self._named_in_other_currency(transaction)
        yield from self._payments(transaction)
        yield from self._transfers(transaction)
        yield from self.evidence.rules.get(transaction.id, ())
        yield from self._partners_items(transaction)
        yield from self._namesakes_items(transaction)
        if transaction.id in self.evidence.last_accounts:
            yield self.evidence.last_accounts[transaction.id]

    def _reachable(self, transaction, items):
        """Return those of `items` that `transaction` may pay: of its company and its currency."""
        companies = self.evidence.companies.get(transaction.company_id, {transaction.company_id})
        return [item for item in items if item.company_id in companies and item.currency_id == transaction.currency_id]

    # -------------------------------------------------------------------------
    # Named in the text
    # -------------------------------------------------------------------------

    def _named(self, transaction, text, kind):
        """Yield proposals from the references that `text` names; `kind` tells where they stand, None for the label."""
        keys = {key for key in named_keys(text, self.by_key) if self._reachable(transaction, self.by_key[key])}
        batches = named_keys(text, self.by_batch)
        yield from self._batches(transaction, batches)
        if not keys:
            return
        choices = [self._choices(transaction, key) for key in sorted(keys)]
        documents = []
        for choice in choices:
            documents += [choice[0]] if len(choice) == 1 and choice[0] not in documents else []
        is_certain = all(len(choice) == 1 for choice in choices)
        sure = is_certain and all(self._is_trusted(transaction, document, keys) for document in documents)
        if is_certain and len(documents) == 1:
            yield from self._one_document(transaction, documents[0], keys, kind, sure)
        elif is_certain:
            yield from self._several_documents(transaction, documents, sure)
        # Of several that are meant, one alone may have the right amount.
        if not is_certain or len(documents) > 1:
            for document in dict.fromkeys(document for choice in choices for document in choice):
                yield from (
                    likely(proposal, is_ambiguous=True)
                    for proposal in self._one_document(transaction, document, keys, kind, False)
                    if proposal.kind not in ('part_payment', 'over_payment')
                )

    def _named_in_other_currency(self, transaction):
        """Yield the one document in another currency that the text names and that is worth about as much."""
        companies = self.evidence.companies.get(transaction.company_id, {transaction.company_id})
        keys = named_keys(transaction.text, self.by_key)
        items = {item for key in keys for item in self.by_key[key] if item.company_id in companies}
        if len(items) != 1:
            return
        [item] = items
        difference = abs(item.company_residual - transaction.balance)
        if item.currency_id != transaction.currency_id and difference <= abs(transaction.balance) * RATE_PART:
            kind = self._kind([item], keys, None)
            counterpart = {'item_id': item.id, 'line_amount': float(transaction.amount)}
            yield Proposal('likely', kind, (counterpart,), _facts([item], reference=_reference([item], keys)))

    def _choices(self, transaction, key):
        """Return the documents that `key` may mean; of several only those that fit in all respects, if any does."""
        documents = list(dict.fromkeys(item.document_id for item in self._reachable(transaction, self.by_key[key])))
        if len(documents) < 2:
            return documents
        fitting = [
            document
            for document in documents
            if _is_partner_possible(transaction, self._open(transaction, document))
            and transaction.amount in self._amounts(transaction, document)
        ]
        return fitting or documents

    def _open(self, transaction, document):
        return self._reachable(transaction, self.by_document[document])

    def _amounts(self, transaction, document):
        """Return the amounts with which `document` is paid as it is asked: all, the next part, or less a discount."""
        items = self._open(transaction, document)
        return {sum(item.residual for item in items), items[0].residual, *_discounted_totals(transaction, items)}

    def _is_trusted(self, transaction, document, keys):
        """Return whether the reference of `document` is enough to go by; digits alone need the partner as well."""
        items = self._open(transaction, document)
        if not _is_partner_possible(transaction, items):
            return False
        strong = any(not is_weak(key) for item in items for key in item.keys & keys)
        return strong or (transaction.partner_id and transaction.partner_id == items[0].partner_id)

    def _one_document(self, transaction, document, keys, kind, sure):
        items = self._open(transaction, document)
        kind = self._kind(items, keys, kind)
        facts = _facts(items, reference=_reference(items, keys))
        total = sum(item.residual for item in items)
        if transaction.amount == total:
            yield Proposal('sure' if sure else 'likely', kind, _whole(items), facts)
        elif transaction.amount in _discounted_totals(transaction, items):
            counterparts = ({'item_id': items[0].id, 'early_discount': True},)
            yield Proposal('sure' if sure else 'likely', kind, counterparts, {**facts, 'is_discounted': True})
        elif transaction.amount == items[0].residual:
            yield Proposal('sure' if sure else 'likely', kind, _whole(items[:1]), facts)
        else:
            yield from self._inexact(transaction, items, facts)

    def _kind(self, items, keys, kind):
        if items[0].nature == 'payment':
            return 'outstanding_payment'
        if kind:
            return kind
        is_communication = any(is_structured(key) for item in items for key in item.keys & keys)
        return 'structured_communication' if is_communication else 'document_number'

    def _several_documents(self, transaction, documents, sure):
        groups = [self._open(transaction, document) for document in documents]
        items = [item for group in groups for item in group]
        if len(items) > MAX_ITEMS:
            return
        partners = {item.partner_id for item in items}
        sure = sure and (len(partners) == 1 or transaction.partner_id is None)
        kind = 'outstanding_batch' if all(item.nature == 'payment' for item in items) else 'several_documents'
        if sum(item.residual for item in items) == transaction.amount:
            yield Proposal('sure' if sure and len(partners) == 1 else 'likely', kind, _whole(items), _facts(items))
        else:
            yield from self._inexact(transaction, items, _facts(items))

    def _inexact(self, transaction, items, facts):
        """Yield what `items`, whose sum is not the amount, may be: less a fee, paid in part, or paid with too much."""
        total = sum(item.residual for item in items)
        difference = total - transaction.amount
        if total * transaction.amount <= 0:
            return
        facts = {**facts, 'difference': float(difference), 'currency_id': transaction.currency_id}
        fee_account = self.evidence.fee_accounts.get(transaction.journal_id)
        if fee_account and _is_fee(difference, transaction.amount):
            fee = {'account_id': fee_account, 'line_amount': float(-difference)}
            yield Proposal('likely', 'bank_fee', (*_whole(items), fee), facts)
        if difference * transaction.amount < 0:
            yield Proposal('likely', 'over_payment', _whole(items), facts)
        elif len(items) == 1:
            part = ({'item_id': items[0].id, 'amount': float(transaction.amount)},)
            yield Proposal('likely', 'part_payment', part, facts)

    # -------------------------------------------------------------------------
    # Payments made in Odoo
    # -------------------------------------------------------------------------

    def _batches(self, transaction, batches):
        for batch in sorted(batches):
            items = self._reachable(transaction, self.by_batch[batch])
            if len(items) > 1 and sum(item.residual for item in items) == transaction.amount:
                sure = not transaction.partner_id or {item.partner_id for item in items} == {transaction.partner_id}
                yield Proposal('sure' if sure else 'likely', 'outstanding_batch', _whole(items), _facts(items))

    def _payments(self, transaction):
        """Yield the payment that was made in Odoo for this transaction's journal, with its amount and partner."""
        if not transaction.partner_id:
            return
        fitting = self._of_partner(transaction)
        payments = [item for item in fitting if item.nature == 'payment' and item.journal_id == transaction.journal_id]
        sure = len(payments) == len(fitting) == 1 and transaction.is_partner_certain
        for item in payments:
            facts = _facts([item], is_ambiguous=len(fitting) > 1)
            yield Proposal('sure' if sure else 'likely', 'outstanding_payment', _whole([item]), facts)

    def _of_partner(self, transaction):
        """Return the partner's open items that have the transaction's amount."""
        return [
            item
            for item in self._reachable(transaction, self.by_partner[transaction.partner_id])
            if item.residual == transaction.amount
        ]

    # -------------------------------------------------------------------------
    # Transfers between own accounts
    # -------------------------------------------------------------------------

    def _transfers(self, transaction):
        journal = self._own_journal(transaction)
        if not journal or journal == transaction.journal_id:
            return
        halves = [other for other in self.evidence.transfers if self._are_halves(transaction, other)]
        items = [
            item
            for item in self._reachable(transaction, self.by_amount[transaction.amount, transaction.currency_id])
            if item.nature == 'transfer' and item.journal_id == journal
        ]
        account = self.evidence.transfer_accounts.get(transaction.company_id)
        if account and not halves and not items:
            # The other half is not here, or not yet.
            yield Proposal('likely', 'own_transfer', ({'account_id': account},), {'journal_id': journal})
        for other in halves:
            rivals = [third for third in self.evidence.transfers if self._are_halves(other, third)]
            mutual = self._own_journal(other) == transaction.journal_id
            sure = mutual and not items and len(halves) == len(rivals) == 1
            facts = {'journal_id': journal, 'date': str(other.date), 'is_ambiguous': len(halves) > 1}
            yield Proposal('sure' if sure else 'likely', 'own_transfer', ({'line_id': other.id},), facts)
        for item in items:
            sure = not halves and len(items) == 1
            facts = {**_facts([item]), 'journal_id': journal, 'is_ambiguous': len(items) > 1}
            yield Proposal('sure' if sure else 'likely', 'own_transfer', _whole([item]), facts)

    def _own_journal(self, transaction):
        return self.evidence.own_journals.get((transaction.company_id, transaction.account_number))

    def _are_halves(self, one, other):
        """Return whether `other` may be the other half of `one`; a line that tells no account number may be."""
        journals = (self._own_journal(one), self._own_journal(other))
        return (
            one.id != other.id
            and one.company_id == other.company_id
            and one.currency_id == other.currency_id
            and one.amount == -other.amount
            and abs((one.date - other.date).days) <= TRANSFER_DAYS
            and (journals[0] == other.journal_id or (not one.account_number and journals[1] == one.journal_id))
            and (journals[1] == one.journal_id or not other.account_number)
        )

    # -------------------------------------------------------------------------
    # By partner and amount: never sure
    # -------------------------------------------------------------------------

    def _partners_items(self, transaction):
        if not transaction.partner_id:
            return
        everything = self._reachable(transaction, self.by_partner[transaction.partner_id])
        items = [item for item in everything if item.nature == 'document']
        yield from self._single_items(transaction, items)
        payable = [item for item in items if item.residual * transaction.amount > 0]
        total = Decimal(0)
        for count, item in enumerate(payable[:MAX_ITEMS], 1):
            total += item.residual
            if total == transaction.amount and count > 1:
                yield Proposal('likely', 'oldest_items', _whole(payable[:count]), _facts(payable[:count]))
        if (
            1 < len(items) <= MAX_ITEMS
            and items != payable
            and sum(item.residual for item in items) == transaction.amount
        ):
            yield Proposal('likely', 'oldest_items', _whole(items), _facts(items))

    def _single_items(self, transaction, items):
        equal = [item for item in items if item.residual == transaction.amount]
        for item in equal:
            facts = _facts([item], is_ambiguous=len(equal) > 1)
            yield Proposal('likely', 'only_open_item', _whole([item]), facts)
        if not equal:
            short = [item for item in items if _is_fee(item.residual - transaction.amount, transaction.amount)]
            for item in short:
                facts = _facts([item], is_ambiguous=len(short) > 1)
                yield from (
                    proposal for proposal in self._inexact(transaction, [item], facts) if proposal.kind == 'bank_fee'
                )

    def _namesakes_items(self, transaction):
        """Yield items of this amount whose partner's name has the same words: Odoo did not find the partner."""
        words = name_key(transaction.partner_name)
        if transaction.partner_id or not words:
            return
        items = [
            item
            for item in self._reachable(transaction, self.by_amount[transaction.amount, transaction.currency_id])
            if item.nature == 'document' and (name := name_key(item.partner)) and (name <= words or words <= name)
        ]
        for item in items:
            facts = _facts([item], is_ambiguous=len(items) > 1)
            yield Proposal('likely', 'only_open_item', _whole([item]), facts)


def _whole(items):
    """Return the counterparts that pay all that is open of `items`."""
    return tuple({'item_id': item.id} for item in items)


def _facts(items, is_ambiguous=False, **facts):
    found = {'documents': list(dict.fromkeys(item.document for item in items)), 'partner': items[0].partner}
    found.update({key: value for key, value in facts.items() if value})
    if is_ambiguous:
        found['is_ambiguous'] = True
    return found


def _reference(items, keys):
    return next((key for item in items for key in sorted(item.keys & keys)), '')


def _is_partner_possible(transaction, items):
    """Return whether the partners are the same where both are known."""
    partners = {item.partner_id for item in items if item.partner_id}
    return not partners or not transaction.partner_id or partners == {transaction.partner_id}


def _discounted_totals(transaction, items):
    """Return what is to be paid with the discount for early payment, if it is to be had on the transaction's day."""
    if len(items) == 1 and items[0].discounted is not None and transaction.date <= items[0].discount_date:
        return {items[0].discounted}
    return set()


def _is_fee(difference, amount):
    """Return whether `difference`, what is missing of a document, may be a bank's fee or somebody's rounding."""
    if difference * amount < 0:
        return abs(difference) <= CENTS
    return bool(difference) and (abs(difference) <= CENTS or abs(difference) <= min(FEE, abs(amount) * FEE_PART))
