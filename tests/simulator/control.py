"""The control plane over HTTP, for a demo or a browser test in another process; no part of the API that it steers.

`POST /_control/<method>` with a JSON object calls that method of the simulator with these keyword arguments and answers
`{"id": …}` of what came of it; `GET /_control` tells the accounts, the number of requests and the unexpected ones.
"""

import json

from werkzeug.wrappers import Request, Response

PREFIX = '/_control'
METHODS = frozenset({
    'add_bank_transaction', 'add_pending_transaction', 'add_transaction', 'advance', 'book_pending_transaction',
    'change_account', 'change_transaction', 'clear_faults', 'fail', 'fail_synchronization', 'insert_transaction',
    'reauthorize', 'reissue_account', 'remove_account', 'remove_transaction', 'revoke_tokens', 'set_page_size',
    'synchronize',
})  # fmt: skip


class WithControl:
    """WSGI app: the simulator with its control plane."""

    def __init__(self, sim):
        self.sim = sim

    def __call__(self, environ, start_response):
        request = Request(environ)
        if (request.path + '/').startswith(PREFIX + '/'):
            return self._answer(request)(environ, start_response)
        return self.sim(environ, start_response)

    def _answer(self, request):
        name = request.path.removeprefix(PREFIX).strip('/')
        if request.method == 'GET' and not name:
            return _json(self._state())
        if request.method != 'POST' or name not in METHODS:
            return _json({'error': f'POST {PREFIX}/<{"|".join(sorted(METHODS))}> or GET {PREFIX}'}, 404)
        try:
            with self.sim.lock:
                result = getattr(self.sim, name)(**json.loads(request.get_data() or b'{}'))
        except (ValueError, TypeError, KeyError) as error:
            return _json({'error': f'{type(error).__name__}: {error}'}, 400)
        return _json({'id': getattr(result, 'id', result if isinstance(result, str) else None)})

    def _state(self):
        with self.sim.lock:
            accounts = [
                {
                    'id': account.id,
                    'reference': account.reference,
                    'currency': account.attributes.get('currency'),
                    'balance': str(account.balance),
                    'transactions': len(account.transactions),
                }
                for account in self.sim.accounts
            ]
            unexpected = [f'{item.method} {item.path}: {item.reason}' for item in self.sim.unexpected]
            return {'accounts': accounts, 'requests': len(self.sim.requests), 'unexpected': unexpected}


def _json(value, status=200):
    return Response(json.dumps(value), status, mimetype='application/json')
