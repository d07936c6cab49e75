import logging

from odoo import SUPERUSER_ID, api, fields, http
from odoo.http import request
from odoo.modules.registry import Registry

from ..models.conversions import naive_utc
from ..ponto import PontoError, PontoWebhookError, utcnow, webhook
from .rate_limit import RateLimit

_logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024


class PontoWebhookController(http.Controller):
    """Ponto Connect's notices: verify, keep, answer. The runner does the rest."""

    # Ibanity's public keys, one cache for each database of this process.
    key_sets = {}
    rate_limit = RateLimit()

    @http.route(
        '/ponto/webhook',
        type='http',
        auth='public',
        methods=['POST'],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BODY,
    )
    def receive(self):
        """Answer 204 for a genuine notice, 4xx for anything else, 503 while Ibanity's keys are out of reach.

        The signature covers the raw bytes (API reference, section 4.9). Whoever keeps sending what is refused hears
        429, see `RateLimit`; reading the keys has a limit of its own in `webhook.KeySet`.
        """
        integrations = request.env['ponto.integration'].sudo()
        application = integrations._connect_parameter('connect_application_id')
        if not (application and integrations._has_connect_application()):
            return request.make_response('', status=404)
        try:
            event = webhook.verify(
                request.httprequest.get_data(),
                request.httprequest.headers.get('Signature'),
                keys=self._keys(),
                audience=application,
                now=utcnow(),
            )
        except PontoWebhookError as error:
            return self._refuse(403, "A notice that claims to be Ponto's was refused", error.reason)
        except PontoError as error:
            return self._refuse(503, "Ibanity's keys cannot be read", type(error).__name__)
        request.env['ponto.event'].sudo()._receive(
            {
                'ponto_id': event['id'],
                'type': event['type'],
                'organization_id': webhook.related_id(event, 'organization'),
                'account_id': webhook.related_id(event, 'account'),
                'created_at': naive_utc(webhook.created_at(event)) or fields.Datetime.now(),
            }
        )
        return request.make_response('', status=204)

    def _refuse(self, status, sentence, reason):
        """Answer and log a refusal; of too many from one address there is neither, only 429."""
        wait = self.rate_limit.add(request.httprequest.remote_addr)
        if wait:
            return request.make_response('', headers={'Retry-After': str(wait)}, status=429)
        _logger.info("%s: %s", sentence, reason)
        return request.make_response('', status=status)

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
