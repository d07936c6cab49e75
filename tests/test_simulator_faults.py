"""The faults that a test can ask for, in process and on a real connection, and the simulator as a program."""

import http.client
import json
import re
import subprocess
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import requests

from .simulator import Simulator
from .simulator.control import WithControl
from .simulator.server import Server
from .test_simulator import BASE, HERE, SimulatorCase


class TestFaults(SimulatorCase):
    def test_status_is_answered_as_often_as_asked_in_pontos_shape(self):
        codes = {401: 'invalidAccessToken', 404: 'resourceNotFound', 429: 'tooManyRequests', 500: 'internalServerError'}
        for status, code in codes.items():
            self.sim.fail(2, status=status)
            for _call in range(2):
                self.assertEqual(self.error(self.call('GET', '/accounts'), status)['code'], code)
            self.get('/accounts')

    def test_rate_limit_says_when_to_try_again(self):
        self.sim.fail(status=429, retry_after=7)
        response = self.call('GET', '/accounts')
        self.assertEqual((response.status_code, response.headers['Retry-After']), (429, '7'))

    def test_code_detail_headers_and_body_as_asked(self):
        self.sim.fail(status=400, code='new', detail='Never seen.')
        error = self.error(self.call('GET', '/accounts'), 400)
        self.assertEqual((error['code'], error['detail']), ('new', 'Never seen.'))
        self.sim.fail(status=302, body='', headers={'Location': 'https://evil.example/'})
        response = self.call('GET', '/accounts')
        self.assertEqual((response.status_code, response.headers['Location']), (302, 'https://evil.example/'))
        self.sim.fail(body={'data': 'text'})
        self.assertEqual(self.get('/accounts'), {'data': 'text'})

    def test_token_endpoint_fails_in_the_shape_of_oauth(self):
        self.sim.fail(status=500)
        response = self.call('POST', '/oauth2/token', token=False)
        self.assertEqual((response.status_code, response.json()['error']), (500, 'server_error'))

    def test_path_and_method_choose_the_calls(self):
        self.sim.fail(None, status=500, path=r'/transactions$', method='GET')
        self.get('/accounts')
        for _call in range(3):
            self.error(self.call('GET', self.transactions), 500)
        self.sim.clear_faults()
        self.get(self.transactions)

    def test_faults_come_in_the_order_they_were_asked_for(self):
        self.sim.fail(status=500)
        self.sim.fail(status=429)
        self.assertEqual([self.call('GET', '/accounts').status_code for _call in range(3)], [500, 429, 200])

    def test_answers_that_are_not_pontos(self):
        genuine = self.call('GET', '/accounts').content
        for kind, content_type, size in (
            ('html', 'text/html', None),
            ('truncated', 'application/vnd.api+json', len(genuine) // 2),
            ('empty', 'application/vnd.api+json', 0),
            ('wrong_type', 'text/plain', len(genuine)),
        ):
            self.sim.fail(kind=kind)
            response = self.call('GET', '/accounts')
            self.assertEqual(response.status_code, 200)
            self.assertTrue(response.headers['Content-Type'].startswith(content_type))
            if kind == 'html':
                self.assertIn('<html>', response.text)
            else:
                self.assertEqual(len(response.content), size)
        self.sim.fail(kind='html', status=502)
        self.assertEqual(self.call('GET', '/accounts').status_code, 502)

    def test_connection_faults_raise_what_a_session_raises(self):
        for kind, exception in (
            ('slow', requests.exceptions.ReadTimeout),
            ('connect_timeout', requests.exceptions.ConnectTimeout),
            ('reset', requests.exceptions.ConnectionError),
            ('refused', requests.exceptions.ConnectionError),
            ('dns', requests.exceptions.ConnectionError),
            ('tls', requests.exceptions.SSLError),
        ):
            self.sim.fail(kind=kind)
            with self.assertRaises(exception) as caught:
                self.call('GET', '/accounts')
            self.assertIs(type(caught.exception), exception)
            self.assertIsNotNone(caught.exception.request)
            self.assertIsNone(self.sim.requests[-1].status)

    def test_a_lost_answer_may_have_taken_effect(self):
        self.sim.fail(kind='reset', carried_out=True)
        with self.assertRaises(requests.exceptions.ConnectionError):
            self.call('POST', '/synchronizations', json=self.synchronization())
        self.error(self.call('POST', '/synchronizations', json=self.synchronization()), 400)
        self.sim.advance(minutes=6)
        self.sim.fail(kind='reset')
        with self.assertRaises(requests.exceptions.ConnectionError):
            self.call('POST', '/synchronizations', json=self.synchronization())
        self.synchronize()

    def test_a_fault_must_make_sense(self):
        for arguments in ({}, {'kind': 'strange'}):
            with self.assertRaises(ValueError):
                self.sim.fail(**arguments)

    def test_response_can_be_streamed(self):
        token = self.sim.issue_token(self.sim.integration).value
        request = requests.Request('GET', f'{BASE}/accounts', headers={'Authorization': f'Bearer {token}'}).prepare()
        response = self.sim.send(request, stream=True, timeout=5)
        content = b''.join(response.iter_content(100))
        self.assertEqual(json.loads(content)['data'][0]['id'], self.account.id)


class TestSocket(SimulatorCase):
    """Over a real connection, with the standard library: Odoo's tests stretch the timeouts of `requests`."""

    def http(self, server, method, path, body=None, timeout=10):
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=timeout)
        self.addCleanup(connection.close)
        token = self.sim.issue_token(self.sim.integration).value
        connection.request(method, path, body, {'Authorization': f'Bearer {token}', 'Content-Type': 'application/json'})
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def test_links_carry_the_address_of_the_server(self):
        self.add_rows(2)
        with Server(self.sim) as server:
            status, body = self.http(server, 'GET', f'{self.transactions}?page[limit]=1')
        self.assertEqual(status, 200)
        self.assertTrue(body['links']['next'].startswith(f'{server.url}{self.transactions}?page[after]='))

    def test_reset_connection(self):
        self.sim.fail(kind='reset')
        with Server(self.sim) as server:
            with self.assertRaises(ConnectionResetError):
                self.http(server, 'GET', '/accounts')
            self.assertEqual(self.http(server, 'GET', '/accounts')[0], 200)

    def test_slow_answer_is_late_and_keeps_nobody_else_waiting(self):
        self.sim.fail(kind='slow', path='/accounts$', delay=0.5)
        with Server(self.sim) as server:
            with self.assertRaises(TimeoutError):
                self.http(server, 'GET', '/accounts', timeout=0.2)
            self.assertEqual(self.http(server, 'GET', '/accounts', timeout=0.2)[0], 200)

    def test_control_plane_steers_the_simulator_and_is_not_part_of_the_api(self):
        with Server(WithControl(self.sim)) as server:
            arguments = {'account': self.account.id, 'amount': '12.34', 'execution_date': '2026-04-14'}
            status, body = self.http(server, 'POST', '/_control/add_transaction', json.dumps(arguments))
            self.assertEqual((status, body), (200, {'id': self.account.transactions[0].id}))
            account = self.http(server, 'GET', '/_control')[1]['accounts'][0]
            self.assertEqual((account['balance'], account['transactions']), ('12.34', 1))
            self.http(server, 'POST', '/_control/fail', json.dumps({'status': 500}))
            self.assertEqual(self.http(server, 'GET', '/accounts')[0], 500)
            self.assertEqual(self.http(server, 'POST', '/_control/send', '{}')[0], 404)
            self.assertEqual(self.http(server, 'POST', '/_control/fail', '{"kind": "x"}')[0], 400)
            self.assertEqual(self.http(server, 'GET', '/accounts')[0], 200)
        self.assertEqual(len(self.sim.requests), 2)
        with Server(self.sim) as server:
            self.assertEqual(self.http(server, 'GET', '/_control')[0], 404)

    def test_entry_point_serves_the_demo_without_odoo(self):
        program = (
            f'import runpy, sys, threading\n'
            f'sys.modules["odoo"] = None\n'
            f'sys.argv = ["simulator", "--port", "0"]\n'
            f'runpy.run_path({str(HERE / "simulator" / "__main__.py")!r}, run_name="__main__")\n'
        )
        with subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.PIPE, text=True) as process:
            try:
                address = re.fullmatch(r'ready http://(127\.0\.0\.1:\d+)\n', process.stdout.readline())[1]
                connection = http.client.HTTPConnection(address, timeout=10)
                connection.request('GET', '/financial-institutions')
                self.assertEqual(len(json.load(connection.getresponse())['data']), 10)
                connection.close()
            finally:
                process.terminate()
        self.assertEqual(process.returncode, 0)

    def test_real_clock_goes_on_and_can_still_be_advanced(self):
        sim = Simulator(real_clock=True)
        before = sim.clock
        sim.advance(days=2)
        self.assertGreaterEqual(sim.clock - before, timedelta(days=2))
