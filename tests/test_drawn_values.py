"""Pure functions on values drawn at random. Needs the package `hypothesis`."""

import json
from datetime import date, datetime, time, timezone
from zoneinfo import ZoneInfo

import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..models.conversions import local_date
from ..models.labels import structured_communication
from ..ponto import PontoWebhookError
from ..ponto.webhook import related_id
from .test_ponto_webhook import SignedCase, encode


@tagged('post_install', '-at_install')
class TestDrawnDates(BaseCase):
    @settings(max_examples=1000, deadline=None, derandomize=True, database=None)
    @given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(pytz.common_timezones))
    def test_the_midnight_of_any_day_at_any_bank_is_that_day(self, day, zone):
        midnight = datetime.combine(day, time.min, ZoneInfo(zone))
        self.assertEqual(local_date(midnight, zone), day)
        self.assertEqual(local_date(datetime.combine(day, time.min, timezone.utc), zone), day)


@tagged('post_install', '-at_install')
class TestDrawnReferences(BaseCase):
    @settings(max_examples=500, deadline=None, derandomize=True, database=None)
    @given(st.integers(1, 10**10 - 1), st.integers(0, 99))
    def test_check_digits_are_the_remainder_of_the_first_ten_by_97(self, number, check):
        digits, right = f'{number:010}', f'{number % 97 or 97:02}'
        written = f'+++{digits[:3]}/{digits[3:7]}/{digits[7:]}{right}+++'
        self.assertEqual(structured_communication(digits + right), written)
        other = f'{check:02}'
        self.assertEqual(structured_communication(digits + other), written if other == right else '')


@tagged('post_install', '-at_install')
class TestDrawnMessages(SignedCase):
    @settings(max_examples=200, deadline=None)
    @given(
        st.binary(max_size=200),
        st.one_of(
            st.none(),
            st.text(max_size=200),
            st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(lambda parts: '.'.join(map(encode, parts))),
        ),
    )
    def test_anything_at_all_is_refused_in_one_way(self, body, signature):
        with self.assertRaises(PontoWebhookError):
            self.verify(signature, body)

    @settings(max_examples=200, deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ['data', 'type', 'id', 'iat', 'exp', 'aud', 'iss', 'digest', 'relationships', 'account']
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_whatever_ponto_signs_is_an_event_or_refused(self, value):
        body = json.dumps({'data': value}).encode()
        for signature in (self.make(self.claims(body)), self.make(value)):
            try:
                event = self.verify(signature, body)
            except PontoWebhookError:
                continue
            self.assertTrue(event['type'] and event['id'])
            self.assertIsInstance(related_id(event, 'account'), str)
