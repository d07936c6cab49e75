"""The copies of the institutions' logos."""

import base64
import io
from datetime import timedelta

from PIL import Image

from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import PontoCase
from .simulator.pictures import LOGOS


def png(size):
    """Return a picture of this size that does not compress."""
    file = io.BytesIO()
    Image.effect_noise(size, 50).save(file, 'PNG')
    return file.getvalue()


def bomb():
    """Return a small file of a picture with 64 million pixels."""
    file = io.BytesIO()
    Image.new('1', (8000, 8000)).save(file, 'PNG')
    return file.getvalue()


@tagged('post_install', '-at_install')
class TestLogos(PontoCase, HttpCase):
    def setUp(self):
        super().setUp()
        for institution in list(self.simulator.institutions):
            self.simulator.institutions.remove(institution.id)

    def institution(self, name, picture=None, **vals):
        """Add an institution with a logo to Ponto's catalogue and read it; `picture`: the file (default: an SVG)."""
        path = f'/{name}.svg'
        if picture is not None:
            self.simulator.pictures[path] = (200, {'Content-Type': 'image/png'}, picture)
        self.simulator.add_institution(name, **{'logo_url': LOGOS + path, **vals})
        self.env['ponto.institution']._refresh_catalogue()
        return self.env['ponto.institution'].search([('name', '=', name)])

    def fetch_logos(self):
        self.run_cron('ir_cron_fetch_logos')

    def calls(self, name):
        return [request for request in self.simulator.requests if request.path == f'/{name}.svg']

    def card(self, institution):
        [card] = self.env['ponto.institution'].search_catalogue(institution.name)['institutions']
        return card

    def test_a_refresh_asks_for_the_logos_that_are_missing(self):
        of_logos = [('cron_id', '=', self.env.ref('account_online_ponto.ir_cron_fetch_logos').id)]
        self.env['ir.cron.trigger'].search(of_logos).unlink()
        self.institution("kade")
        self.assertTrue(self.env['ir.cron.trigger'].search(of_logos))

    def test_a_logo_is_kept_and_shown_on_the_card(self):
        drawing = self.institution("drawing")
        bitmap = self.institution("bitmap", png((400, 200)))
        self.assertFalse(self.card(drawing)['logo'])
        self.fetch_logos()
        self.assertIn(b'<svg', base64.b64decode(drawing.logo))
        self.assertEqual(Image.open(io.BytesIO(base64.b64decode(bitmap.logo))).size, (128, 64))
        self.assertIn(f'/web/image/ponto.institution/{drawing.id}/logo', self.card(drawing)['logo'])
        self.fetch_logos()
        self.assertEqual(len(self.calls("drawing")), 1)

    def test_what_is_no_harmless_picture_is_not_kept(self):
        bad = {
            "truncated": png((64, 64))[:20],
            "no-bitmap": b'GIF89a and nothing more',
            "page": b'<html><body>Not found</body></html>',
            "script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            "utf-16": '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'.encode('utf-16'),
            "large": png((1024, 1024)),
            "bomb": bomb(),
        }
        institutions = [self.institution(name, picture) for name, picture in bad.items()]
        institutions.append(self.institution("http", logo_url='http://logos.ponto.example/http.svg'))
        institutions.append(self.institution("address", logo_url='https://10.0.0.1/address.svg'))
        good = self.institution("zebra")
        self.fetch_logos()
        for institution in institutions:
            with self.subTest(institution.name):
                self.assertFalse(institution.logo)
                self.assertFalse(self.card(institution)['logo'])
        self.assertFalse(self.calls("http") + self.calls("address"))
        self.assertTrue(good.logo)

    def test_a_logo_that_was_not_to_be_had_is_asked_for_again_after_a_month(self):
        institution = self.institution("kade")
        self.simulator.fail(status=404, path='kade')
        self.fetch_logos()
        self.fetch_logos()
        self.assertEqual(len(self.calls("kade")), 1)
        institution.logo_tried_at = fields.Datetime.now() - timedelta(days=31)
        self.fetch_logos()
        self.assertTrue(institution.logo)

    def test_a_new_address_brings_the_new_logo(self):
        institution = self.institution("kade")
        self.fetch_logos()
        old = institution.logo
        self.simulator.institution(institution.ponto_id).attributes['logoUrl'] = f'{LOGOS}/other.svg'
        self.env['ponto.institution']._refresh_catalogue()
        self.fetch_logos()
        self.assertNotEqual(institution.logo, old)

    def test_nobody_is_asked_any_more_while_the_network_is_down(self):
        for name in "abcdef":
            self.institution(name)
        self.simulator.fail(None, kind='dns')
        self.fetch_logos()
        self.assertEqual(sum(len(self.calls(name)) for name in "abcdef"), 3)
        self.simulator.clear_faults()
        self.fetch_logos()
        self.assertEqual(len([name for name in "abcdef" if self.calls(name)[-1].status == 200]), 3)

    def test_a_drawing_is_served_as_a_picture_in_which_nothing_may_run(self):
        institution = self.institution("kade")
        self.fetch_logos()
        self.authenticate(self.accountant.login, self.accountant.login)
        answer = self.url_open(self.card(institution)['logo'])
        self.assertEqual(answer.headers['Content-Type'].split(';')[0], 'image/svg+xml')
        self.assertEqual(answer.headers['Content-Security-Policy'], "default-src 'none'")
        self.assertEqual(answer.headers['X-Content-Type-Options'], 'nosniff')
        self.assertIn('immutable', answer.headers['Cache-Control'])
        self.assertIn(b'<svg', answer.content)

    def test_the_picture_of_a_bank_is_not_for_strangers(self):
        institution = self.institution("kade")
        self.fetch_logos()
        self.assertNotIn(b'<svg', self.url_open(self.card(institution)['logo']).content)
