from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'

    ponto_office_ip = fields.Char(
        string="Office's public IP address",
        help="Banks want to know the IP address of the person who asks for new transactions. On the office's own"
        " network people have a private address; banks are then given this one.",
    )

    @api.constrains('ponto_office_ip')
    def _check_ponto_office_ip(self):
        for company in self:
            if company.ponto_office_ip and not self.env['ponto.account']._is_public(company.ponto_office_ip):
                raise ValidationError(
                    self.env._("%(address)s is not a public IP address.", address=company.ponto_office_ip)
                )
