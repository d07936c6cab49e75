"""The simulator on a socket of this machine."""

import argparse
import contextlib
import signal
import sys
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from .app import Simulator
from .connect import Connect
from .control import WithControl

HOST = '127.0.0.1'


class _QuietHandler(WSGIRequestHandler):
    """Logs nothing: the simulator keeps its own list of requests, and a lost connection was asked for."""

    def connection_dropped(self, error, environ=None):
        self.close_connection = True

    def log(self, *args):
        pass


class Server:
    """A WSGI app on a port of the loopback interface (0 picks one); as a context manager in a thread of its own.

    With an `authority`, by mutual TLS: only to clients with a certificate of it.
    """

    def __init__(self, app, port=0, authority=None):
        context = authority and authority.server_context(HOST)
        self._server = make_server(HOST, port, app, threaded=True, request_handler=_QuietHandler, ssl_context=context)
        self._server.daemon_threads = True
        self.url = f'{"https" if authority else "http"}://{HOST}:{self._server.server_port}'

    def serve_forever(self):
        self._server.serve_forever(poll_interval=0.05)

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def main(seeds, arguments=None):
    """Serve until SIGTERM or Ctrl-C, after one line `ready http://127.0.0.1:PORT` on standard output.

    :param seeds: `{name: function that fills a simulator}`, what `--seed` chooses from; `demo` is the default
    """
    options = _options(seeds, arguments)
    sim = _simulator(seeds, options)
    server = Server(WithControl(sim) if options.control else sim, options.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    sys.stdout.write(f'ready {server.url}\n')
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def _simulator(seeds, options):
    if options.data:
        try:
            sim = Simulator.from_directory(options.data, real_clock=True)
        except ValueError as error:
            sys.exit(str(error))
    else:
        sim = Simulator(real_clock=True)
        seeds[options.seed](sim)
    if options.redirect_uri:
        Connect(sim, redirect_uris=options.redirect_uri)
    return sim


def _options(seeds, arguments):
    parser = argparse.ArgumentParser(prog='simulator', description='A simulated Ponto, on this machine only.')
    parser.add_argument('--port', type=int, default=0, help='port to listen on; 0, the default, picks a free one')
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--seed', choices=sorted(seeds), default='demo', help='what Ponto knows (default: demo)')
    source.add_argument('--data', metavar='DIR', help='serve the recorded bodies in this directory')
    parser.add_argument(
        '--redirect-uri',
        action='append',
        metavar='URI',
        help='serve Ponto Connect too, to an application that has registered this address; may be repeated',
    )
    parser.add_argument('--control', action='store_true', help='steer it over HTTP below /_control')
    return parser.parse_args(arguments)
