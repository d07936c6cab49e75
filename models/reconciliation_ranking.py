"""Which proposal comes first, and which may be carried out without a person. No records here."""

from collections import defaultdict
from dataclasses import replace

KIND_ORDER = (
    'outstanding_payment', 'outstanding_batch', 'structured_communication', 'end_to_end_id', 'document_number',
    'several_documents', 'own_transfer', 'rule', 'bank_fee', 'part_payment', 'only_open_item', 'oldest_items',
    'over_payment', 'last_account',
)  # fmt: skip
"""Of two proposals with the same grade, the one whose kind stands first here comes first."""


def ranked(proposals):
    """Return proposals, the best first, each counterpart once; if two are sure, neither is."""
    best = {}
    for proposal in sorted(proposals, key=_rank):
        best.setdefault(_identity(proposal), proposal)
    found = list(best.values())
    if sum(proposal.grade == 'sure' for proposal in found) > 1:
        found = [likely(proposal, is_ambiguous=True) if proposal.grade == 'sure' else proposal for proposal in found]
    return sorted(found, key=_rank)


def _rank(proposal):
    return (
        proposal.grade != 'sure',
        bool(proposal.facts.get('is_ambiguous')),
        # What the text names comes before what only fits.
        not proposal.facts.get('reference'),
        KIND_ORDER.index(proposal.kind),
        _identity(proposal),
    )


def _identity(proposal):
    return sorted(sorted((key, str(value)) for key, value in item.items()) for item in proposal.counterparts).__repr__()


def likely(proposal, **facts):
    return replace(proposal, grade='likely', facts={**proposal.facts, **facts})


def without_rivals(proposals):
    """Return `{transaction id: Proposal}` of those that may be reconciled without a person.

    Of two transactions that claim the same item neither is reconciled, so the order of transactions does not matter. A
    transfer is there once, and only if each of its two lines is sure of the other.

    :param proposals: what `grade` returns for all open transactions at once
    """
    sure = {line_id: found[0] for line_id, found in proposals.items() if found and found[0].grade == 'sure'}
    claimants = defaultdict(set)
    for line_id, proposal in sure.items():
        for counterpart in proposal.counterparts:
            claimants[counterpart.get('item_id')].add(line_id)
    claimants.pop(None, None)
    alone = {}
    for line_id, proposal in sure.items():
        [first, *_more] = proposal.counterparts
        other = first.get('line_id')
        if other and (other < line_id or other not in sure or sure[other].counterparts != ({'line_id': line_id},)):
            continue
        if all(claimants[item['item_id']] == {line_id} for item in proposal.counterparts if item.get('item_id')):
            alone[line_id] = proposal
    return alone
