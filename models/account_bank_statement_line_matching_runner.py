"""Matching without a person: what is certain is reconciled, in the journals where that is switched on."""

import logging

from odoo import api, models
from odoo.exceptions import UserError

from .database_errors import is_passing
from .reconciliation_ranking import without_rivals
from .turns import for_all_companies, in_turns

_logger = logging.getLogger(__name__)

# So many lines are looked at by one set of queries.
LINES_AT_A_LOOK = 1000
# So many are reconciled before a commit.
LINES_AT_ONCE = 50


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    def _register_hook(self):
        """Have OCA's account_reconcile_oca leave to this addon the journals where matching by itself is switched on.

        It reconciles lines when they are created, by `_auto_reconcile`. What its widget proposes stays as it is.
        """
        super()._register_hook()
        theirs = getattr(type(self), '_auto_reconcile', None)
        if theirs and not hasattr(theirs, 'origin'):

            def _auto_reconcile(lines):
                ours = lines.filtered('journal_id.ponto_match_automatically')
                ours._do_auto_reconcile(False)
                return theirs(lines - ours)

            _auto_reconcile.origin = theirs
            type(self)._auto_reconcile = _auto_reconcile

    # -------------------------------------------------------------------------
    # Scheduled action
    # -------------------------------------------------------------------------

    @api.model
    @for_all_companies
    def _cron_match(self):
        """Reconcile what is certain in the journals where that is switched on. Never raises.

        Any number of workers may run this at once: what another one has locked is left to that one.
        """
        journals = self.env['account.journal'].search([('ponto_match_automatically', '=', True)])
        for company in journals.company_id.root_id:
            if not self._cron_match_company(company):
                break

    @api.model
    def _cron_match_company(self, company):
        """Reconcile what is certain in `company` and its branches; return whether time was left for all."""
        matches = {}

        def look(company):
            matches.update(self._certain_matches(company))

        in_turns(self.env, [company], look, lock=bool)
        lines = self.sudo().browse([line.id for line in matches])
        batches = [lines[start : start + LINES_AT_ONCE] for start in range(0, len(lines), LINES_AT_ONCE)]
        return in_turns(self.env, batches, lambda batch: batch._match_batch(matches))

    def _match_batch(self, matches):
        """Reconcile these lines as `matches` says. One turn's step: there is no more to do."""
        self._match_certain({line: matches[line] for line in self})

    # -------------------------------------------------------------------------
    # Matching
    # -------------------------------------------------------------------------

    @api.model
    def _automatic_domain(self):
        """Return the domain of the open lines that may be matched without a person."""
        return [
            ('is_reconciled', '=', False),
            ('state', '=', 'posted'),
            ('journal_id.ponto_match_automatically', '=', True),
            ('is_match_undone', '=', False),
            ('is_ponto_opening', '=', False),
        ]

    @api.model
    def _certain_matches(self, companies):
        """Return `{line: Proposal}` of the open lines of `companies` and their branches whose match is certain.

        All open lines count, also those that are left to people: one that claims the same invoice makes both uncertain.
        """
        proposals = {}
        lines = self.sudo().search(
            [('is_reconciled', '=', False), ('state', '=', 'posted'), ('company_id', 'child_of', companies.ids)]
        )
        for start in range(0, len(lines), LINES_AT_A_LOOK):
            proposals.update(lines[start : start + LINES_AT_A_LOOK]._proposals())
        certain = without_rivals(proposals)
        automatic = set(lines.filtered_domain(self._automatic_domain()).ids)
        return {
            lines.browse(line_id): proposal
            for line_id, proposal in certain.items()
            if {line_id, *(item['line_id'] for item in proposal.counterparts if item.get('line_id'))} <= automatic
        }

    @api.model
    def _match_certain(self, matches):
        """Reconcile lines as `matches`, all of `_certain_matches` or a part of them, says. Does not commit.

        What is not as certain any more as when the matches were found is left alone.

        :return: the lines that are reconciled
        """
        lines = self.sudo().browse([line.id for line in matches]).filtered_domain(self._automatic_domain())
        fresh = lines._proposals()
        lines = lines.filtered(lambda line: fresh.get(line.id) and fresh[line.id][0] == matches[line])
        return lines._match_in_halves(matches)

    def _match_in_halves(self, matches):
        """Reconcile these lines. If Odoo refuses, they are halved, until the one that it refuses stands alone."""
        if not self:
            return self
        try:
            with self.env.cr.savepoint():
                self._reconcile_with(
                    {line: matches[line].counterparts for line in self},
                    {line: (matches[line].kind, matches[line].facts) for line in self},
                    by_itself=True,
                )
            return self
        except Exception as error:  # whatever Odoo or another addon objects to, the others go on
            if is_passing(error):
                raise
            if len(self) > 1:
                half = len(self) // 2
                return self[:half]._match_in_halves(matches) + self[half:]._match_in_halves(matches)
            if not isinstance(error, UserError):
                _logger.warning("Statement line %s cannot be matched", self.id, exc_info=True)
            return self.browse()
