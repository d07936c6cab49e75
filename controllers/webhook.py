import logging

from odoo import SUPERUSER_ID, api, http
from odoo.http import request
from odoo.modules.registry import Registry

from ..ponto import PontoError, PontoWebhookError, utcnow, webhook

_logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024


class PontoWebhookController(http.Controller):
    """Ponto Connect's notices: verify, keep, answer. The runner does the rest."""

    # Ibanity's public keys, one cache for each database of this process.
    key_sets = {}

    @http.route('/ponto/webhook', type='http', auth='public', methods=['POST'], csrf=False, save_session=False,
                max_content_length=MAX_BODY)
    def receive(self):
        """Answer 204 for a genuine notice, 4xx for anything else, 503 while Ibanity's keys are out of reach.

        The signature covers the raw bytes (API reference, section 4.9).
        """
        integrations = request.env['ponto.integration'].sudo()
        application = integrations._connect_parameter('connect_application_id')
        if not (application and integrations._has_connect_application()):
            return request.make_response('', status=404)
        try:
            event = webhook.verify(
                request.httprequest.get_data(), request.httprequest.headers.get('Signature'),
                keys=self._keys(), audience=application, now=utcnow())
        except PontoWebhookError as error:
            _logger.info("A notice that claims to be Ponto's was refused: %s", error.reason)
            return request.make_response('', status=403)
        except PontoError as error:
            _logger.warning("Ibanity's keys cannot be read: %s", type(error).__name__)
            return request.make_response('', status=503)
        request.env['ponto.event'].sudo()._receive({
            'ponto_id': event['id'],
            'type': event['type'],
            'organization_id': webhook.related_id(event, 'organization'),
            'account_id': webhook.related_id(event, 'account'),
        })
        return request.make_response('', status=204)

    def _keys(self):
        database = request.db
        if database not in self.key_sets:
            self.key_sets[database] = webhook.KeySet(lambda: self._fetch_keys(database))
        return self.key_sets[database]

    @staticmethod
    def _fetch_keys(database):
        """Read the keys with short timeouts: Ponto is waiting for the answer."""
        with Registry(database).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return env['ponto.integration']._webhook_client().get_webhook_keys()
