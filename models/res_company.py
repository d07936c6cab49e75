from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'

    ponto_office_ip = fields.Char(
        string="Office's public IP address",
        help="Banks want to know where a person who asks for news is. People on the office's own network have a private"
        " address; then this one is told.",
    )

    @api.constrains('ponto_office_ip')
    def _check_ponto_office_ip(self):
        for company in self:
            if company.ponto_office_ip and not self.env['ponto.account']._is_public(company.ponto_office_ip):
                raise ValidationError(
                    self.env._("%(address)s is not a public IP address.", address=company.ponto_office_ip)
                )
