"""Matching without a person: what is certain is reconciled, in the journals where that is switched on."""

import logging

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError

from .reconciliation_grading import without_rivals

_logger = logging.getLogger(__name__)

# So many lines are looked at by one set of queries.
LINES_AT_A_LOOK = 1000


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

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
        """Return `{line: Proposal}` of the open lines of `companies` whose match is certain.

        All open lines count, also those that are left to people: one that claims the same invoice makes both uncertain.
        """
        proposals = {}
        lines = self.sudo().search(
            [('is_reconciled', '=', False), ('state', '=', 'posted'), ('company_id', 'in', companies.ids)]
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

    def _match_certain(self, matches):
        """Reconcile these lines as `matches` of `_certain_matches` says, where it is still so. Does not commit.

        :return: the lines that are reconciled
        """
        fresh = self.filtered_domain(self._automatic_domain())._proposals()
        lines = self.filtered(lambda line: fresh.get(line.id) and fresh[line.id][0] == matches[line])
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
                )
            return self
        except psycopg2.OperationalError:
            # Another transaction is at the same records, and this one is over.
            raise
        except Exception as error:  # whatever Odoo or another addon objects to, the others go on
            if len(self) > 1:
                half = len(self) // 2
                return self[:half]._match_in_halves(matches) + self[half:]._match_in_halves(matches)
            if not isinstance(error, UserError):
                _logger.warning("Statement line %s cannot be matched", self.id, exc_info=True)
            return self.browse()
