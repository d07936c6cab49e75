import logging

from odoo import http
from odoo.exceptions import AccessError
from odoo.http import request

from ..models.error_sentences import error_sentence
from ..models.ponto_integration_connect import CONSENT_RETURN, REAUTHORIZATION_RETURN
from ..models.rights import check_may_connect
from ..ponto.errors import PontoError, PontoGrantError
from .rate_limit import RateLimit

_logger = logging.getLogger(__name__)

CONTINUE = '/odoo/action-account_online_ponto.ponto_connect_continue_action'
AGAIN = '/odoo/action-account_online_ponto.ponto_connect_action'
LINKS = '/odoo/action-account_online_ponto.ponto_link_action'
# Longer values are not Ponto's.
MAX_PARAMETER = 4096


class PontoController(http.Controller):
    """Where a person's browser comes back from Ponto. Every way out is a page that says what happened and goes on.

    Returns that belong to nothing are cheap to refuse and limited for each user, see `RateLimit`; one that somebody has
    started always counts, once.
    """

    rate_limit = RateLimit()

    @http.route(CONSENT_RETURN, type='http', auth='user', methods=['GET'])
    def consent_return(self, state='', code='', error='', **_ignored):
        """Take the code of a consent, which works once, and go on with the choice of accounts."""
        try:
            check_may_connect(request.env)
        except AccessError as refusal:
            return self._refuse(str(refusal), 403)
        started = self._started(state)
        if not started or 'verifier' not in started:
            return self._refuse(
                request.env._(
                    "Odoo cannot match this return from Ponto with anything that you have started here: it was used"
                    " already, came too late, or was started by somebody else or in another browser. Nothing was"
                    " changed."
                ),
                400,
            )
        if error:
            return self._page(
                request.env._(
                    "You have not given Odoo permission to read accounts at Ponto, so nothing was connected."
                ),
                200,
            )
        try:
            integration = request.env['ponto.integration']._complete_consent(code[:MAX_PARAMETER], started)
        except PontoGrantError:
            return self._page(
                request.env._("The permission from Ponto came too late or was used already. Please connect once more."),
                400,
            )
        except PontoError as failure:
            return self._page(error_sentence(request.env, failure), 502)
        request.env['ponto.connect'].create(
            {
                'company_id': started['company_id'],
                'integration_id': integration.id,
                'institution_id': started['institution_id'],
                'connection': 'connect',
            }
        )
        return request.redirect(CONTINUE)

    @http.route(REAUTHORIZATION_RETURN, type='http', auth='user', methods=['GET'])
    def reauthorization_return(self, state='', **_ignored):
        """Read the accounts again after a renewal, and say whether the end of the consent has moved."""
        started = self._started(state)
        link = request.env['ponto.link'].browse(started.get('link_id') or []).exists() if started else None
        if not link or not link.has_access('write'):
            return self._refuse(
                request.env._(
                    "Odoo cannot match this return from Ponto with a renewal that you have started here. Nothing was"
                    " changed."
                ),
                400,
            )
        request.session['ponto_renewed_link'] = link.id
        return request.redirect('/odoo/action-account_online_ponto.ponto_reauthorize_continue_action')

    def _started(self, state):
        return request.env['ponto.integration']._finish_oauth_state(state) if len(state) <= MAX_PARAMETER else None

    def _refuse(self, message, status):
        wait = self.rate_limit.add(request.env.uid)
        if wait:
            return request.make_response('', headers={'Retry-After': str(wait)}, status=429)
        return self._page(message, status)

    def _page(self, message, status):
        return request.render(
            'account_online_ponto.return_page', {'message': message, 'again': AGAIN, 'links': LINKS}, status=status
        )
