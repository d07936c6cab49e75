"""Core's reconciliation rules. Community has the model, and nothing that applies it."""

from odoo import api, models


class AccountReconcileModel(models.Model):
    _inherit = 'account.reconcile.model'

    @api.model
    def _proposals(self, transactions):
        """Return `{transaction id: [Proposal, …]}` of the rules that apply to `Transaction`s, in the rules' order."""
        return {}
