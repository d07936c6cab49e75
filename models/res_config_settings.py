from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    ponto_office_ip = fields.Char(related='company_id.ponto_office_ip', readonly=False)
