"""The simulator as one WSGI app, for a socket and in process."""

import difflib
import hashlib
import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import Map, Rule
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from . import errors, faults, pictures, recorded
from .routes import ROUTES, Call
from .state import LoggedRequest, Unexpected
from .world import World

API_TYPE = 'application/vnd.api+json; charset=utf-8'
OAUTH_TYPE = 'application/json; charset=utf-8'


@dataclass
class Mount:
    """A table of routes below a base path.

    `authenticate`: the integration of a call's access token. `institutions_by_token`: see `Simulator`. `check`: refuses
    what no call may be. `admit`: raises, in process, what a session that gets no connection would raise. `headers`: of
    each answer, by the id of the request.
    """

    base_path: str
    routes: tuple
    authenticate: Callable
    institutions_by_token: bool = False
    check: Callable = lambda call: None
    admit: Callable = lambda session, request: None
    headers: Callable = lambda request_id: {}
    rules: list = field(init=False)
    map: Map = field(init=False)

    def __post_init__(self):
        self.rules = sorted({route.rule for route in self.routes})
        self.map = Map(
            [Rule(route.rule, methods=[route.method], endpoint=route) for route in self.routes], merge_slashes=False
        )

    def covers(self, path):
        return (path + '/').startswith(self.base_path + '/')


class Simulator(World):
    """A faithful Ponto: a WSGI app, and the Python methods that steer it (here and in `World`).

    `base_path`: where the API is mounted on its host. `institutions_by_token`: a call with a token sees only the
    institutions of its accounts (as Ponto Connect does); the direct API shows the whole catalogue to everyone.
    `pictures`: status, headers and body by path, instead of the logos that the file servers draw.
    """

    def __init__(self, *, base_path='', institutions_by_token=False, routes=ROUTES, **world):
        super().__init__(**world)
        self.base_path = base_path.rstrip('/')
        self.institutions_by_token = institutions_by_token
        self.page_size = None
        self.requests = []
        self.unexpected = []
        self.private_ip_addresses = []
        self.pictures = {}
        self._faults = faults.Faults()
        self._foreign_next_links = []
        self.lock = threading.RLock()
        self.connect = None
        self._mounts = []
        self.mount(Mount(self.base_path, routes, self.authenticate))

    @classmethod
    def from_directory(cls, directory, **arguments):
        """A simulator that serves recorded bodies (see `recorded.load`), with the usual client id and secret."""
        sim = cls(**arguments)
        recorded.load(sim, directory)
        return sim

    # -------------------------------------------------------------------------
    # Control plane of the api
    # -------------------------------------------------------------------------

    def fail(self, times=1, **fault):
        """Ask for a fault of the next `times` matching calls (None: until `clear_faults`); see `Fault` for the rest."""
        return self._faults.add(faults.Fault(times, **fault))

    def clear_faults(self):
        """Everything works again."""
        self._faults.clear()

    def set_page_size(self, size):
        """Pages hold at most `size` items, whatever limit is asked for; None ends it."""
        if size is not None and size < 1:
            raise ValueError('a page holds at least one item')
        self.page_size = size

    def foreign_next_link(self, url, times=1):
        """The next list answers carry this `links.next`."""
        self._foreign_next_links += [url] * times

    def take_foreign_next_link(self):
        return self._foreign_next_links.pop(0) if self._foreign_next_links else None

    def assert_expected(self):
        """AssertionError when a request came in that Ponto would not understand."""
        if self.unexpected:
            raise AssertionError('\n'.join(f'{item.method} {item.path}: {item.reason}' for item in self.unexpected))

    # -------------------------------------------------------------------------
    # Entrances
    # -------------------------------------------------------------------------

    def mount(self, mount):
        """Serve more than the direct API; of two mounts that cover a path the one with the longer base path answers."""
        self._mounts.append(mount)
        self._mounts.sort(key=lambda item: len(item.base_path), reverse=True)

    def _mount_of(self, path):
        return next((mount for mount in self._mounts if mount.covers(path)), None)

    def __call__(self, environ, start_response):
        status, headers, body = self._serve(environ, lambda fault: faults.interrupt_on_socket(fault, environ))
        headers = {**headers, 'Content-Length': str(len(body))}
        start_response(f'{status} {HTTP_STATUS_CODES.get(status, "Unknown")}', list(headers.items()))
        return [body]

    def send(self, request, *, stream=False, session=None, **_kwargs):
        """Answer a `requests.PreparedRequest` in process, as `requests.Session.send` does, for any host.

        `session`: the one that sends it; only with it can a client certificate be asked for.
        """
        url = urlsplit(request.url)
        mount = self._mount_of(url.path)
        if session is not None and mount:
            mount.admit(session, request)
        environ = EnvironBuilder(
            path=url.path,
            query_string=url.query,
            base_url=f'{url.scheme}://{url.netloc}/',
            method=request.method,
            headers=list(request.headers.items()),
            input_stream=io.BytesIO(_bytes(request.body)),
        ).get_environ()
        environ['RAW_URI'] = request.path_url
        status, headers, body = self._serve(environ, lambda fault: faults.raise_in_process(fault, request))
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(body),
            headers=headers,
            status=status,
            reason=HTTP_STATUS_CODES.get(status),
            preload_content=False,
        )
        response = requests.adapters.HTTPAdapter().build_response(request, raw)
        response.elapsed = timedelta()
        if not stream:
            len(response.content)  # Asking for the body reads it, as a session does.
        return response

    # -------------------------------------------------------------------------
    # One call
    # -------------------------------------------------------------------------

    def _serve(self, environ, interrupt):
        """Status, headers and body; `interrupt` performs a fault of the connection and may raise."""
        call = self._call(environ)
        with self.lock:
            fault = self._faults.take(call.method, call.path)
            if fault and fault.kind in faults.CONNECTION_KINDS:
                self._lose(call, fault)
        if fault and fault.kind in faults.CONNECTION_KINDS:
            interrupt(fault)
            fault = None
        with self.lock:
            answer = self._handle(call) if fault is None or fault.needs_handler else None
            if fault:
                answer = fault.answer(call.path, self._request_id(), answer)
            self._log(call, answer[0])
        return answer

    def _lose(self, call, fault):
        if fault.carried_out:
            self._handle(call)
        self._log(call, None)

    def _call(self, environ):
        request = Request(environ)
        mount = self._mount_of(request.path)
        base_path = mount.base_path if mount else self.base_path
        path = request.path.removeprefix(base_path) if mount else request.path
        return Call(
            method=request.method,
            path=path.rstrip('/') or '/',
            query=parse_qsl(request.query_string.decode('latin-1'), keep_blank_values=True),
            headers=request.headers,
            body=request.get_data(),
            base=f'{request.scheme}://{request.host}{base_path}',
            mount=mount,
            target=environ.get('RAW_URI', ''),
        )

    def _handle(self, call):
        if pictures.is_file_server(urlsplit(call.base).netloc):
            return self.pictures.get(call.path) or pictures.drawn(call.path)
        request_id = self._request_id()
        status, headers, body = self._answer(call, request_id)
        return status, {**headers, **(call.mount.headers(request_id) if call.mount else {})}, body

    def _answer(self, call, request_id):
        try:
            self.settle_synchronizations()
            answer = self._dispatch(call)
        except errors.UnexpectedCall as unexpected:
            self.unexpected.append(Unexpected(call.method, call.path, unexpected.reason))
            return self._error(unexpected.answer, request_id)
        except (errors.ApiError, errors.OAuthError) as error:
            return self._error(error, request_id)
        if len(answer) == 3:
            return answer
        status, body = answer
        content_type = OAUTH_TYPE if call.path == '/oauth2/token' else API_TYPE
        return status, {'Content-Type': content_type}, json.dumps(body, ensure_ascii=False).encode()

    @staticmethod
    def _error(error, request_id):
        content_type = OAUTH_TYPE if isinstance(error, errors.OAuthError) else API_TYPE
        body = json.dumps(error.body(request_id)).encode()
        return error.status, {'Content-Type': content_type, **error.headers}, body

    def _dispatch(self, call):
        route, call.arguments = self._match(call)
        call.mount.check(call)
        call.query = self._checked_query(call.query, route)
        if route.auth == 'token':
            call.integration = call.mount.authenticate(call)
        return route.handler(self, call)

    def _match(self, call):
        try:
            if not call.mount or call.path.startswith('//'):  # Werkzeug takes several slashes for one
                raise NotFound
            return call.mount.map.bind('').match(call.path, call.method)
        except MethodNotAllowed as error:
            raise errors.UnexpectedCall(errors.not_found(), f'only {", ".join(error.valid_methods)} here') from None
        except NotFound:
            near = difflib.get_close_matches(call.path, call.mount.rules if call.mount else [], n=3, cutoff=0.3)
            reason = f'unknown route; near it: {", ".join(near) or "nothing"}'
            raise errors.UnexpectedCall(errors.not_found(), reason) from None

    @staticmethod
    def _checked_query(pairs, route):
        query = dict(pairs)
        if route.parameters is None:
            return query
        unknown = sorted(set(query) - route.parameters)
        reason = f'unknown query parameter {unknown[0]}' if unknown else 'query parameter given twice'
        if unknown or len(query) != len(pairs):
            raise errors.UnexpectedCall(errors.invalid_parameter(f'The request is invalid: {reason}.'), reason)
        return query

    def authenticate(self, call):
        """The integration of the call's access token; 401 when it is missing, unknown or expired."""
        scheme, _space, value = call.headers.get('Authorization', '').partition(' ')
        token = self.tokens.get(value)
        if scheme.lower() != 'bearer' or token is None or token.expires_at <= self.clock:
            raise errors.invalid_access_token()
        return token.integration

    def _request_id(self):
        return hashlib.sha256(self._new_id('request').encode()).hexdigest()[:43].upper()

    def _log(self, call, status):
        try:
            body = json.loads(call.body) if call.body else None
        except ValueError:
            body = dict(parse_qsl(call.body.decode('latin-1'))) or None
        self.requests.append(LoggedRequest(call.method, call.path, dict(call.query), status, body))


def _bytes(body):
    if body is None:
        return b''
    return body if isinstance(body, bytes) else body.encode()
