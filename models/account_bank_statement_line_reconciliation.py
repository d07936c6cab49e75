"""The third stage: a statement line's suspense item gives way to what the transaction pays.

There is one way to reconcile, `_reconcile_with`. Whoever uses it, a person or the runner, only decides what goes in.
The values of the new journal items come from reconciliation_entry.py.
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from .messages import success
from .reconciliation_entry import EntryPlan
from .reconciliation_reasons import KINDS, reason_sentences
from .rights import check_may_book

# Which record each key of a counterpart names.
MODELS = {
    'item_id': 'account.move.line',
    'line_id': 'account.bank.statement.line',
    'account_id': 'account.account',
    'partner_id': 'res.partner',
    'reconcile_model_id': 'account.reconcile.model',
}
# The entries are complete when they are written: nothing is for core to add, and the statement line does not change.
WRITE_ENTRY = {'skip_invoice_sync': True, 'skip_account_move_synchronization': True, 'force_delete': True}


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    match_kind = fields.Selection(KINDS, string="Kind of Match", readonly=True, copy=False)
    match_facts = fields.Json(readonly=True, copy=False, help="What the reason is made of, in any language.")
    match_reason = fields.Char(string="Why", compute='_compute_match_reason')
    matched_uid = fields.Many2one('res.users', string="Matched by", readonly=True, copy=False)
    matched_at = fields.Datetime(string="Matched on", readonly=True, copy=False)
    is_matched_by_itself = fields.Boolean(string="Matched Automatically", readonly=True, copy=False)
    is_match_undone = fields.Boolean(
        readonly=True,
        copy=False,
        help="A person has undone the match: the transaction is not matched automatically again.",
    )
    is_partner_matched = fields.Boolean(readonly=True, copy=False, help="The partner came with the match.")

    @api.depends_context('lang')
    @api.depends('match_kind', 'match_facts')
    def _compute_match_reason(self):
        sentences = reason_sentences(self.env, [(line.match_kind, line.match_facts) for line in self])
        for line, sentence in zip(self, sentences, strict=True):
            line.match_reason = sentence

    # -------------------------------------------------------------------------
    # What people do
    # -------------------------------------------------------------------------

    def reconcile_with(self, counterparts=(), kind='by_hand', facts=None):
        """Reconcile this one line with what a person chose. Callable over RPC.

        :param counterparts: list of dicts, see `_reconcile_with`
        :param kind: one of `KINDS`, with the facts of the proposal that the person accepted
        :raise AccessError: without the right to match, or to read a record that `counterparts` names
        :raise UserError: when something is not open any more, belongs elsewhere, or is more than the line
        """
        self.ensure_one()
        self._check_matcher()
        if not counterparts:
            raise UserError(self.env._("Choose what to reconcile the transaction with."))
        self._check_counterparts(counterparts)
        self._reconcile_with({self: counterparts}, {self: (kind, facts or {})})
        return True

    def action_undo_reconciliation(self):
        """Undo as core does, for both lines of a transfer; what a person has undone is not matched by itself again."""
        if not self:
            return None
        self._check_matcher()
        lines = self.sudo()
        lines |= lines._other_halves()
        result = super(AccountBankStatementLine, lines).action_undo_reconciliation()
        lines.filtered('is_partner_matched').partner_id = False
        lines.write(
            {
                'match_kind': False,
                'match_facts': False,
                'matched_uid': False,
                'matched_at': False,
                'is_matched_by_itself': False,
                'is_partner_matched': False,
                'is_match_undone': not self.env.user._is_superuser(),
            }
        )
        return result

    def action_undo_matches(self):
        """Undo the reconciliation of the selected lines, and tell how many there were."""
        self._check_matcher()
        lines = self.filtered(lambda line: line.is_reconciled or line.match_kind)
        lines.action_undo_reconciliation()
        return success(self.env._("The reconciliation of %(count)s transactions was undone.", count=len(lines)))

    def _check_matcher(self):
        """Raise unless the user may read these lines and reconcile."""
        self.check_access('read')
        check_may_book(self.env)

    def _check_counterparts(self, counterparts):
        """Raise unless the user may read all records that `counterparts` name."""
        for key, model in MODELS.items():
            self.env[model].browse(item[key] for item in counterparts if item.get(key)).check_access('read')
        tax_ids = [tax_id for item in counterparts for tax_id in item.get('tax_ids') or ()]
        self.env['account.tax'].browse(tax_ids).check_access('read')

    # -------------------------------------------------------------------------
    # The one way to reconcile
    # -------------------------------------------------------------------------

    @api.model
    def _reconcile_with(self, counterparts, reasons=None, *, by_itself=False):
        """Replace the suspense items of lines by counterparts, and reconcile these with core's own reconciliation.

        What the counterparts leave of a line stays on its suspense account, and the line stays to be reconciled. A
        line without a partner takes that of its counterparts. No right is checked here, and nothing is committed.

        :param counterparts: `{line: [counterpart, …]}`; each counterpart is a dict, one of these three. An amount is
            signed as a line's is: positive when money comes in.

            - ``{'item_id': id}``: an open journal item, such as the receivable item of an invoice. Optional:
              ``'amount'``, the part that is paid, in the item's currency and with the sign of its residual (default:
              all that is open). ``'line_amount'``, the part of the line that pays it, in the line's currency (default:
              the same amount, at the line's rate for an item in another currency). ``'early_discount': True``
              deducts core's discount for early payment.
            - ``{'account_id': id}``: a new item on an account. Optional: ``'line_amount'``, the part of the line that
              it takes, taxes included (default: all that the other counterparts leave), ``'tax_ids'``,
              ``'partner_id'``, ``'label'``, ``'analytic_distribution'``, ``'reconcile_model_id'``.
            - ``{'line_id': id}``: the other line of a transfer between two accounts of the company. Both lines go
              through the company's transfer account. It stands alone.
        :param reasons: `{line: (kind, facts)}` as in a `Proposal`, to be noted on the line (default: by hand)
        :param by_itself: no person has asked for it
        :raise UserError: when an item is not open any more, belongs to another company, or more is paid than there is
        """
        counterparts = {line.sudo(): items for line, items in counterparts.items()}
        transfers = {line: line._transfer_line(items) for line, items in counterparts.items()}
        self._take_partners(counterparts)
        plans = {}
        for line, items in counterparts.items():
            if transfers[line]:
                plans.update({half: EntryPlan(half).transfer() for half in line + transfers[line]})
            else:
                plans[line] = line._plan_entry(items)
        created = self._write_entries(plans)
        pairs = [
            item + new
            for half, plan in plans.items()
            for (_vals, item), new in zip(plan.items, created[half], strict=True)
            if item
        ]
        pairs += [created[line] + created[other] for line, other in transfers.items() if other]
        self.env['account.move.line'].sudo()._reconcile_plan(pairs)
        for line, other in transfers.items():
            kind, facts = (reasons or {}).get(line, ('by_hand', {}))
            line._note_match(kind, facts, by_itself)
            if other:
                other._note_match(kind, {**facts, 'journal_id': line.journal_id.id, 'date': str(line.date)}, by_itself)

    def _plan_entry(self, counterparts):
        """Return the `EntryPlan` of this line for these counterparts, none of which is a transfer."""
        plan = EntryPlan(self)
        accounts = [counterpart for counterpart in counterparts if not counterpart.get('item_id')]
        for counterpart in counterparts:
            if counterpart.get('item_id'):
                plan.pay(counterpart)
        # What takes the rest comes after what says how much it takes.
        for counterpart in sorted(accounts, key=lambda counterpart: counterpart.get('line_amount') is None):
            plan.book(counterpart)
        return plan.finish()

    def _transfer_line(self, counterparts):
        """Return the other line of the transfer that `counterparts` name, else nothing."""
        other = self.browse(item['line_id'] for item in counterparts if item.get('line_id'))
        if not other:
            return other
        mine, theirs = self._suspense_items(), other._suspense_items()
        if (
            len(counterparts) != 1
            or len(mine) != 1
            or len(theirs) != 1
            or mine.company_id != theirs.company_id
            or mine.currency_id != theirs.currency_id
            or mine.currency_id.compare_amounts(mine.amount_currency, -theirs.amount_currency)
            or not self.company_id.transfer_account_id
        ):
            raise UserError(self.env._("These are not the two open lines of one transfer between own accounts."))
        return other

    @api.model
    def _write_entries(self, plans):
        """Write the items of each `EntryPlan` in place of the suspense item.

        :param plans: `{line: plan}`
        :return: `{line: the new items, in the order of its plan}`
        """
        items = self.env['account.move.line'].sudo()
        suspense = items.union(*(plan.suspense for plan in plans.values()))
        moves = suspense.move_id
        # The line says why and by whom; the journal entry tells of each item where the law asks for it.
        is_tracked = any(moves.company_id.mapped('restrictive_audit_trail'))
        context = {**WRITE_ENTRY, 'tracking_disable': not is_tracked}
        with moves._check_balanced({'records': moves}):
            suspense.with_context(**context).unlink()
            vals_list = [vals for plan in plans.values() for vals, _item in plan.items]
            new = items.with_context(**context).create(vals_list).with_env(items.env)
        created, start = {}, 0
        for line, plan in plans.items():
            created[line] = new[start : start + len(plan.items)]
            start += len(plan.items)
        return created

    @api.model
    def _take_partners(self, counterparts):
        """Give lines without a partner the one partner that their counterparts have."""
        items = self.env['account.move.line'].sudo()
        ids = {line: [item['item_id'] for item in found if item.get('item_id')] for line, found in counterparts.items()}
        items.browse(item_id for item_ids in ids.values() for item_id in item_ids).fetch(['partner_id'])
        by_partner = defaultdict(self.sudo().browse)
        for line, found in counterparts.items():
            partners = items.browse(ids[line]).partner_id.commercial_partner_id
            partners |= partners.browse(item['partner_id'] for item in found if item.get('partner_id'))
            if not line.partner_id and len(partners) == 1:
                by_partner[partners] += line
        for partner, lines in by_partner.items():
            lines._take_partner(partner)

    def _take_partner(self, partner):
        """Give these lines, their entries and the bank's items a partner: all that core writes, without a new entry."""
        context = {**WRITE_ENTRY, 'tracking_disable': True, 'skip_readonly_check': True}
        liquidity = self.env['account.move.line'].union(*(line._seek_for_lines()[0] for line in self))
        liquidity.with_context(**context).write({'partner_id': partner.id})
        self.move_id.with_context(**context).write({'partner_id': partner.id})
        self.with_context(**context).write({'partner_id': partner.id, 'is_partner_matched': True})

    def _note_match(self, kind, facts, by_itself):
        """Note on these lines why and by whom they are matched."""
        self.write(
            {
                'match_kind': kind,
                'match_facts': facts or False,
                'matched_uid': False if by_itself else self.env.uid,
                'matched_at': fields.Datetime.now(),
                'is_matched_by_itself': by_itself,
                'is_match_undone': False,
            }
        )

    def _other_halves(self):
        """Return the other lines of the transfers that these lines are a half of."""
        accounts = self.company_id.transfer_account_id
        items = self.move_id.line_ids.filtered(lambda item: item.account_id in accounts)
        partials = items.matched_debit_ids.debit_move_id + items.matched_credit_ids.credit_move_id
        return partials.statement_line_id - self
