"""From 19.0.1.0.0: rows of the inbox are noted as removed at once when their entries are deleted."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    rows = api.Environment(cr, SUPERUSER_ID, {})['ponto.transaction']
    rows.search([('state', '=', 'booked'), ('statement_line_id', '=', False)])._remove()
