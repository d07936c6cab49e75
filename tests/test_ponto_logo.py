"""Which logos are taken from the net, and from where."""

from odoo.tests import BaseCase

from ..ponto.errors import PontoConnectionError, PontoResponseError
from ..ponto.logo import MAX_BYTES, fetch_logo
from .simulator import Simulator
from .simulator.pictures import LOGOS

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


class TestPontoLogo(BaseCase):
    simulator = Simulator()

    @classmethod
    def _request_handler(cls, session, request, /, **kw):
        return cls.simulator.send(request, **kw)

    def fetch(self, body, url=f'{LOGOS}/logo.svg', status=200, headers=None):
        self.simulator.pictures['/logo.svg'] = (status, headers or {'Content-Type': 'image/svg+xml'}, body)
        return fetch_logo(url)

    def test_a_drawing_is_taken_as_it_is(self):
        for body in (
            SVG.format('<rect width="1" height="1"/>'),
            '<?xml version="1.0"?>\n<!-- made by hand -->\n' + SVG.format('<g id="a"/><use xlink:href="#a"/>'),
            '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
            + SVG.format('<image href="data:image/png;base64,iVBORw0KGgo="/>'),
        ):
            self.assertEqual(self.fetch(body.encode()), body.encode())
        self.assertEqual(self.fetch(b'\xef\xbb\xbf\n' + SVG.encode()), SVG.encode())

    def test_the_kind_that_a_file_server_gives_does_not_matter(self):
        body = SVG.format('').encode()
        self.assertEqual(self.fetch(body, headers={'Content-Type': 'binary/octet-stream'}), body)

    def test_a_drawing_in_which_something_is_active_is_refused(self):
        for body in (
            SVG.format('<script>alert(1)</script>'),
            SVG.format('<svg:script xmlns:svg="http://www.w3.org/2000/svg" href="data:,alert(1)"/>'),
            SVG.format('<rect onload="alert(1)"/>'),
            SVG.format('<a xlink:href=" javascript:alert(1)"><rect/></a>'),
            SVG.format('<use href="https://elsewhere.example/a.svg#a"/>'),
            SVG.format('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>'),
            SVG.format('<a href="#"><animate attributeName="href" values="javascript:alert(1)"/></a>'),
            '<!DOCTYPE svg [<!ENTITY a "aaaaaaaa">]>' + SVG.format('<text>&a;</text>'),
            '<?xml-stylesheet href="https://elsewhere.example/a.xsl" type="text/xsl"?>' + SVG.format(''),
        ):
            with self.subTest(body), self.assertRaises(PontoResponseError):
                self.fetch(body.encode())
            with self.subTest(body), self.assertRaises(PontoResponseError):
                self.fetch(body.encode('utf-16-le'))

    def test_what_is_no_drawing_is_refused(self):
        for body in (b'', b'<', b'<html><body>Not found</body></html>', b'<svg><rect/></svg>', SVG.encode()[:-3]):
            with self.subTest(body), self.assertRaises(PontoResponseError):
                self.fetch(body)

    def test_a_file_beyond_the_limit_is_refused(self):
        self.assertEqual(len(self.fetch(b'x' * MAX_BYTES)), MAX_BYTES)
        with self.assertRaises(PontoResponseError):
            self.fetch(b'x' * (MAX_BYTES + 1))

    def test_another_answer_than_ok_is_refused(self):
        for status in (204, 301, 403, 404, 500):
            with self.subTest(status), self.assertRaises(PontoResponseError) as refusal:
                self.fetch(SVG.encode(), status=status, headers={'Location': f'{LOGOS}/other.svg'})
            self.assertEqual(refusal.exception.status, status)

    def test_only_the_usual_https_of_a_host_with_a_name_is_asked(self):
        before = len(self.simulator.requests)
        for url in (
            '',
            'logo.svg',
            'file:///etc/passwd',
            'http://assets.example.com/a.svg',
            'https://localhost/a.svg',
            'https://127.0.0.1/a.svg',
            'https://127.1/a.svg',
            'https://0x7f.0x1/a.svg',
            'https://2130706433/a.svg',
            'https://[::1]/a.svg',
            'https://[::ffff:10.0.0.1]/a.svg',
            'https://[broken/a.svg',
            'https://assets.example.com:8443/a.svg',
            'https://assets.example.com:port/a.svg',
        ):
            with self.subTest(url), self.assertRaises(PontoResponseError):
                fetch_logo(url)
        self.assertEqual(len(self.simulator.requests), before)

    def test_a_server_out_of_reach_is_told_from_a_bad_picture(self):
        for kind in ('dns', 'reset', 'slow', 'tls'):
            self.simulator.fail(kind=kind)
            with self.subTest(kind), self.assertRaises(PontoConnectionError):
                fetch_logo(f'{LOGOS}/logo.svg')
