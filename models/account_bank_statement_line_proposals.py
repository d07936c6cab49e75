"""What open statement lines are proposed to be reconciled with, for people to look at and to accept."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .messages import success
from .reconciliation_reasons import reason_sentences


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    proposal_grade = fields.Selection(
        [('sure', "Sure"), ('likely', "Likely")], compute='_compute_proposal', search='_search_proposal_grade'
    )
    proposal_reason = fields.Char(string="Proposal", compute='_compute_proposal')
    matching_invoice_id = fields.Many2one(
        'account.move', string="Matching Document", compute='_compute_proposal', help="What a sure proposal pays."
    )

    @api.depends_context('lang', 'uid', 'allowed_company_ids')
    @api.depends('is_reconciled', 'amount', 'payment_ref', 'partner_id')
    def _compute_proposal(self):
        """Tell the first proposal of each line. All lines of a list are looked at together."""
        first = {line_id: found[0] for line_id, found in self._proposals().items() if found}
        sentences = reason_sentences(self.env, [(proposal.kind, proposal.facts) for proposal in first.values()])
        reasons = dict(zip(first, sentences, strict=True))
        for line in self:
            line.proposal_grade = first[line.id].grade if line.id in first else False
            line.proposal_reason = reasons.get(line.id, False)
            line.matching_invoice_id = line._document_of(first.get(line.id))

    def _document_of(self, proposal):
        """Return the one document that a sure `Proposal` pays, else nothing."""
        counterparts = proposal.counterparts if proposal and proposal.grade == 'sure' else ()
        items = (
            self.env['account.move.line'].sudo().browse(item['item_id'] for item in counterparts if 'item_id' in item)
        )
        return items.move_id if len(items.move_id) == 1 else items.move_id.browse()

    def _search_proposal_grade(self, operator, value):
        """Look at the open lines of the user's companies, which are few beside all lines."""
        if operator != 'in':
            return NotImplemented
        lines = self.search([('is_reconciled', '=', False), ('state', '=', 'posted')])
        grades = {line_id: found[0].grade for line_id, found in lines._proposals().items() if found}
        found = [line_id for line_id, grade in grades.items() if grade in value]
        if False in value:
            # Without a proposal.
            return ['|', ('id', 'in', found), ('id', 'not in', list(grades))]
        return [('id', 'in', found)]

    def get_proposals(self):
        """Return `{line id: [proposal, …]}` of the open ones for the screen, the best first. Callable over RPC, where
        the ids arrive as strings, as JSON's keys are.

        A proposal is a dict of `grade` (`sure` or `likely`), `kind` (one of `KINDS`), `reason` (a sentence in the
        reader's language), `counterparts` (what `reconcile_with` takes) and `facts`.
        """
        proposals = self._proposals()
        everything = [proposal for found in proposals.values() for proposal in found]
        sentences = iter(reason_sentences(self.env, [(proposal.kind, proposal.facts) for proposal in everything]))
        return {
            line_id: [
                {
                    'grade': proposal.grade,
                    'kind': proposal.kind,
                    'reason': next(sentences),
                    'counterparts': list(proposal.counterparts),
                    'facts': proposal.facts,
                }
                for proposal in found
            ]
            for line_id, found in proposals.items()
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
