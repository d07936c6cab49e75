from odoo import api, fields, models

from .encryption import encrypt
from .odoo_names import set_parameter
from .ponto_integration import CONNECT_SECRET
from .ponto_integration_connect import CONSENT_RETURN


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    ponto_office_ip = fields.Char(related='company_id.ponto_office_ip', readonly=False)
    # The application of an integrator at Ibanity; one for the whole database.
    ponto_connect_client_id = fields.Char(
        string="Ponto Connect client ID", config_parameter='account_online_ponto.connect_client_id'
    )
    ponto_connect_client_secret = fields.Char(
        string="Ponto Connect client secret", compute='_compute_ponto_secret', inverse='_inverse_ponto_secret'
    )
    ponto_connect_application_id = fields.Char(
        string="Application ID at Ibanity",
        config_parameter='account_online_ponto.connect_application_id',
        help="Ibanity's id of the application; webhooks carry it.",
    )
    ponto_connect_certificate_id = fields.Many2one(
        'certificate.certificate',
        string="Ponto TLS certificate",
        domain=[('private_key_id', '!=', False)],
        config_parameter='account_online_ponto.connect_certificate_id',
    )
    ponto_connect_signature_certificate_id = fields.Many2one(
        'certificate.certificate',
        string="Ponto signature certificate",
        domain=[('private_key_id', '!=', False)],
        config_parameter='account_online_ponto.connect_signature_certificate_id',
    )
    ponto_connect_signature_key_id = fields.Char(
        string="Signature certificate's ID at Ibanity", config_parameter='account_online_ponto.connect_signature_key_id'
    )
    ponto_connect_sandbox = fields.Boolean(
        string="Ponto sandbox application", config_parameter='account_online_ponto.connect_sandbox'
    )
    ponto_redirect_uri = fields.Char(string="Ponto redirect URI", compute='_compute_ponto_redirect_uri')

    def _compute_ponto_secret(self):
        # Shown to nobody once it is saved.
        self.ponto_connect_client_secret = False

    def _inverse_ponto_secret(self):
        for settings in self.filtered('ponto_connect_client_secret'):
            set_parameter(self.env, CONNECT_SECRET, encrypt(settings.ponto_connect_client_secret.strip()))

    @api.depends('company_id')
    def _compute_ponto_redirect_uri(self):
        self.ponto_redirect_uri = self.env['ponto.integration']._return_url(CONSENT_RETURN)
