from datetime import date, datetime, timedelta, timezone

from odoo.tests import BaseCase, tagged

from ..models.conversions import local_date, naive_utc
from .common import PontoCase

BRUSSELS = 'Europe/Brussels'


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@tagged('post_install', '-at_install')
class TestLocalDate(BaseCase):
    def test_midnight_utc_is_a_bare_date_in_every_zone(self):
        for zone in (BRUSSELS, 'America/New_York', 'Pacific/Auckland', 'UTC'):
            self.assertEqual(local_date(utc('2026-03-02T00:00:00'), zone), date(2026, 3, 2), zone)

    def test_a_banks_local_midnight_is_the_day_that_begins(self):
        for moment, day in (
            ('2026-01-14T23:00:00', date(2026, 1, 15)),  # winter
            ('2026-07-14T22:00:00', date(2026, 7, 15)),  # summer
            ('2026-03-28T23:00:00', date(2026, 3, 29)),  # the night in which the clock is put forward
            ('2026-03-29T22:00:00', date(2026, 3, 30)),
            ('2026-10-24T22:00:00', date(2026, 10, 25)),  # the night in which it is put back
            ('2026-10-25T23:00:00', date(2026, 10, 26)),
            ('2025-12-31T23:00:00', date(2026, 1, 1)),
        ):
            self.assertEqual(local_date(utc(moment), BRUSSELS), day, moment)

    def test_a_moment_in_the_hour_that_comes_twice_is_of_that_day(self):
        for moment in ('2026-10-25T00:30:00', '2026-10-25T01:30:00', '2026-03-29T00:59:59', '2026-03-29T01:00:00'):
            self.assertEqual(local_date(utc(moment), BRUSSELS), utc(moment).date(), moment)

    def test_a_moment_of_the_day_is_of_the_day_that_clocks_show_at_the_bank(self):
        self.assertEqual(local_date(utc('2026-03-02T03:00:00'), 'America/New_York'), date(2026, 3, 1))
        self.assertEqual(local_date(utc('2026-03-02T05:00:00'), 'America/New_York'), date(2026, 3, 2))
        self.assertEqual(local_date(utc('2026-03-02T21:59:59'), BRUSSELS), date(2026, 3, 2))

    def test_what_odoo_has_stored_means_the_same_as_what_ponto_sent(self):
        moment = utc('2026-07-14T22:00:00')
        self.assertEqual(local_date(naive_utc(moment), BRUSSELS), local_date(moment, BRUSSELS))
        self.assertFalse(local_date(False, BRUSSELS))
        self.assertFalse(local_date(None, BRUSSELS))


@tagged('post_install', '-at_install')
class TestDates(PontoCase):
    def read_rows(self, rows, **vals):
        """Return the account after a read of rows `(amount, execution date, value date)`."""
        for amount, execution_date, value_date in rows:
            self.simulator.add_transaction(
                self.online, amount, execution_date, extra={'executionDate': execution_date, 'valueDate': value_date}
            )
        account = self.link(**vals)
        account._synchronize()
        return account

    def booked(self, account):
        return {line.amount: line.date for line in self.lines(account)}

    def test_local_midnights_and_bare_dates_are_booked_on_their_day(self):
        account = self.read_rows(
            [
                (1, '2026-03-02T00:00:00.000Z', None),
                (2, '2026-03-01T23:00:00.000Z', None),
                (3, '2026-03-29T22:00:00Z', None),
                (4, '2026-03-02', None),
                (5, '2026-03-02T00:00:00+01:00', None),
            ]
        )
        self.assertEqual(
            self.booked(account),
            {1: date(2026, 3, 2), 2: date(2026, 3, 2), 3: date(2026, 3, 30), 4: date(2026, 3, 2), 5: date(2026, 3, 2)},
        )

    def test_the_zone_of_whoever_clicks_has_no_say(self):
        self.env.user.tz = 'America/Los_Angeles'
        self.simulator.add_transaction(self.online, 1, '2026-03-01T23:00:00.000Z')
        account = self.link()
        account.with_context(tz='Pacific/Auckland')._synchronize()
        self.assertEqual(self.booked(account), {1: date(2026, 3, 2)})

    def test_the_value_date_is_booked_where_the_account_says_so(self):
        account = self.read_rows([(1, '2026-03-02T00:00:00Z', '2026-02-27T00:00:00Z')], date_basis='value')
        self.assertEqual(self.booked(account), {1: date(2026, 2, 27)})

    def test_a_missing_date_is_replaced_by_the_other(self):
        rows = [(1, None, '2026-03-01T23:00:00Z'), (2, '2026-03-03T00:00:00Z', None)]
        days = {1: date(2026, 3, 2), 2: date(2026, 3, 3)}
        account = self.read_rows(rows)
        self.assertEqual(self.booked(account), days)
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.online = savings
        account = self.read_rows(rows, date_basis='value')
        self.assertEqual(self.booked(account), days)

    def test_without_any_date_a_transaction_is_held_with_the_reason(self):
        account = self.read_rows([(1, None, None), (2, 'yesterday', '2026-03-02T00:00:00Z')])
        self.assertFalse(self.lines(account))
        self.assertEqual(account.transaction_ids.mapped('hold_reason'), ['unreadable'] * 2)
        self.assertIn("executionDate", ' '.join(account.transaction_ids.mapped('hold_message')))

    def test_another_zone_moves_what_is_not_in_the_books_yet_and_nothing_else(self):
        account = self.read_rows([(1, '2026-03-02T22:30:00Z', None), (2, '2026-03-03T22:30:00Z', None)])
        self.lines(account).filtered(lambda line: line.amount == 1).unlink()
        account.time_zone = 'Europe/Helsinki'
        account.transaction_ids.filtered(lambda row: row.state == 'removed').action_import_again()
        account._synchronize()
        self.assertEqual(self.booked(account), {1: date(2026, 3, 3), 2: date(2026, 3, 3)})

    def test_another_zone_is_applied_to_the_start_date_as_well(self):
        account = self.read_rows([(1, '2026-03-02T22:30:00Z', None)], start_date='2026-03-03')
        self.assertFalse(self.lines(account))
        account.time_zone = 'Europe/Helsinki'
        account._synchronize()
        self.assertEqual(self.booked(account), {1: date(2026, 3, 3)})

    def test_an_account_has_the_zone_of_its_bank(self):
        for name, country, zone, expected in (
            ("Pankki", 'FI', None, 'Europe/Helsinki'),
            ("Banco", 'ES', None, BRUSSELS),
            ("Bank of the Islands", 'ES', 'Atlantic/Canary', 'Atlantic/Canary'),
            ("Bank of Nowhere", None, 'Mars/Olympus', BRUSSELS),
            ("Kadebank II", 'BE', None, BRUSSELS),
        ):
            bank = self.simulator.add_institution(name, country, time_zone=zone)
            online = self.simulator.add_account(f'NL{len(name)}KADE0{len(self.simulator.accounts)}', institution=bank)
            self.assertEqual(self.link(online).time_zone, expected, name)

    def test_a_finnish_midnight_is_booked_on_the_finnish_day(self):
        bank = self.simulator.add_institution("Pankki", 'FI')
        self.online = self.simulator.add_account('FI2112345600000785', institution=bank)
        account = self.read_rows([(1, '2026-03-01T22:00:00Z', None), (2, '2026-07-01T21:00:00Z', None)])
        self.assertEqual(self.booked(account), {1: date(2026, 3, 2), 2: date(2026, 7, 2)})

    def test_a_date_is_future_by_the_banks_clock(self):
        tomorrow = datetime.now(timezone.utc) + timedelta(days=2)
        account = self.read_rows([(1, tomorrow.isoformat(), None)])
        self.assertEqual(account.transaction_ids.hold_reason, 'future')
        self.assertFalse(self.lines(account))
