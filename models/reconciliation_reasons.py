"""Why a bank transaction is matched: the kinds of reasons, and the sentence that a person reads for each."""

from odoo import fields
from odoo.tools import format_amount, format_date

KINDS = [
    ('structured_communication', "Structured communication"),
    ('document_number', "Document number"),
    ('several_documents', "Several document numbers"),
    ('end_to_end_id', "End-to-end ID"),
    ('outstanding_payment', "Payment made in Odoo"),
    ('outstanding_batch', "Batch of payments made in Odoo"),
    ('own_transfer', "Transfer between own accounts"),
    ('rule', "Reconciliation rule"),
    ('only_open_item', "Only open item of this amount"),
    ('bank_fee', "Document less a bank fee"),
    ('oldest_items', "Oldest open items"),
    ('part_payment', "Partial payment"),
    ('over_payment', "Overpayment"),
    ('last_account', "Account used last"),
    ('by_hand', "Chosen by a person"),
]
"""The values of `match_kind`, and of `Proposal.kind` except for the last."""


# The records that facts tell, by their ids.
_NAMED = {'rule': 'account.reconcile.model', 'account': 'account.account', 'journal': 'account.journal'}


def reason_sentences(env, reasons):
    """Return why lines are or would be matched, a sentence for each of `reasons`, in the language of `env`.

    :param reasons: pairs of a kind, one of `KINDS`, or nothing, and of the facts of a `Proposal`
        (models/reconciliation_facts.py) as JSON keeps them. A missing fact leaves a sentence that does without it.
    """
    reasons = [(kind, facts or {}) for kind, facts in reasons]
    names = {key: _names(env, key, [facts.get(f'{key}_id') for _kind, facts in reasons]) for key in _NAMED}
    return [_sentence(env, kind, facts, names) if kind else '' for kind, facts in reasons]


def _names(env, key, ids):
    """Return `{id: name}` of the records that are still there and that the reader may see.

    Facts may come from a person over RPC: they must not tell the names of another company.
    """
    records = env[_NAMED[key]].browse(dict.fromkeys(filter(None, ids))).exists()._filtered_access('read')
    return {record.id: record.display_name for record in records}


def _sentence(env, kind, facts, records):
    values = {
        'documents': ', '.join(facts.get('documents') or ()),
        'partner': facts.get('partner') or env._("the partner"),
        'reference': facts.get('reference') or '',
        **{key: records[key].get(facts.get(f'{key}_id'), '') for key in _NAMED},
        'difference': _amount(env, facts.get('difference'), facts.get('currency_id')),
        'date': format_date(env, fields.Date.to_date(facts['date'])) if facts.get('date') else '',
    }
    sentences = {
        'structured_communication': env._("The structured communication is that of %(documents)s.", **values),
        'document_number': env._("The text names %(documents)s, and the amount is right.", **values),
        'several_documents': env._("The text names %(documents)s, which add up to the amount.", **values),
        'end_to_end_id': env._("The end-to-end ID is that of %(documents)s.", **values),
        'outstanding_payment': env._("It is the payment %(documents)s, which was made in Odoo.", **values),
        'outstanding_batch': env._(
            "The payments %(documents)s were made together in Odoo and add up to the amount.", **values
        ),
        'own_transfer': env._("It is a transfer from or to your own account %(journal)s.", **values),
        'rule': env._("The rule %(rule)s applies.", **values),
        'only_open_item': env._("%(documents)s is the only open item of %(partner)s with this amount.", **values),
        'bank_fee': env._("It pays %(documents)s except for %(difference)s, which may be a bank fee.", **values),
        'oldest_items': env._("The oldest open items of %(partner)s add up to the amount: %(documents)s.", **values),
        'part_payment': env._("It pays a part of %(documents)s.", **values),
        'over_payment': env._("It pays %(documents)s, and %(difference)s is left over.", **values),
        'last_account': env._("The last transactions of this counterpart were booked on %(account)s.", **values),
        'by_hand': env._("A person chose the counterpart."),
    }
    more = {
        'is_discounted': env._("The early payment discount is deducted."),
        'is_ambiguous': env._("Another proposal fits as well."),
    }
    return ' '.join([sentences[kind], *(text for fact, text in more.items() if facts.get(fact))])


def _amount(env, amount, currency_id):
    currency = env['res.currency'].browse(currency_id or env.company.currency_id.id)
    return format_amount(env, abs(amount or 0.0), currency)
