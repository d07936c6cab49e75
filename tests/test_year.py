from datetime import datetime, timedelta, timezone

from freezegun import freeze_time

from odoo.tests import tagged

from .common import PontoCase

START = datetime(2026, 1, 1, 3, 30)  # noqa: DTZ001 naive in timezone.utc, as Odoo and freezegun have it
OUTAGE = range(100, 131)
# The consent lasts 90 days from each of these days on: renewed in time, a week late, in time.
RENEWALS = (0, 88, 185, 270)
CONSENT_DAYS = 90
# 14 and 3 days before each end and on the day, unless it was renewed before.
TOLD = [76, 87, 164, 175, 178, 261, 346, 357, 360]
# More than a day after the last read, and until the next one; the end of the consent is told otherwise.
SILENT = [*range(101, 131)]


@tagged('post_install', '-at_install')
class TestYear(PontoCase):
    def test_after_a_year_of_nightly_runs_the_books_are_the_banks(self):
        with freeze_time(START):
            self.set_clock(START)
            self.simulator.reauthorize(self.online, days=CONSENT_DAYS)
            account = self.link()
        account.link_id.user_id = self.accountant
        self.silent_days = []
        self.accountant.email = 'accountant@example.com'
        told = [day for day in range(365) if self.night(day)]
        self.assertEqual(told, TOLD)
        self.assertEqual(self.silent_days, SILENT)
        rows = self.simulator.accounts.get(self.online.id).transactions
        lines = self.lines(account)
        self.assertEqual(len(lines), len(rows))
        self.assertEqual(
            sorted((line.date.isoformat(), line.amount, line.payment_ref) for line in lines),
            sorted(
                (
                    row.attributes['executionDate'].date().isoformat(),
                    float(row.amount),
                    row.attributes['remittanceInformation'],
                )
                for row in rows
            ),
        )
        account.invalidate_recordset()
        with freeze_time(START + timedelta(days=365)):
            self.assertEqual(account.balance_difference, 0)
        self.assertEqual(len(account.link_id.activity_ids), 1)
        self.assertFalse(account.transaction_ids.filtered(lambda row: row.state != 'booked'))

    def night(self, day):
        """Let one day pass at the bank, at Ponto and in Odoo; return whether somebody got a mail."""
        now = START + timedelta(days=day)
        self.set_clock(now)
        if not day % 30:
            # All of the year lies in one transaction, of which the database's own statistics know nothing.
            self.env.cr.execute('ANALYZE')
        if day in RENEWALS:
            self.simulator.reauthorize(self.online, days=CONSENT_DAYS)
        self.live_at_the_bank(day, now)
        if day in OUTAGE:
            self.simulator.fail(None, kind='refused')
        else:
            self.simulator.clear_faults()
        mails = self.env['mail.mail'].search_count([('model', '=', 'ponto.link')])
        with freeze_time(now):
            self.run_cron()
            self.run_cron('ir_cron_tell_problems')
        if self.env.ref('account_online_ponto.mail_activity_type_silence') in (
            self.env['ponto.link'].search([]).activity_ids.activity_type_id
        ):
            self.silent_days.append(day)
        return self.env['mail.mail'].search_count([('model', '=', 'ponto.link')]) > mails

    def set_clock(self, moment):
        self.simulator.advance(seconds=(moment.replace(tzinfo=timezone.utc) - self.simulator.clock).total_seconds())

    def live_at_the_bank(self, day, now):
        for number in range(day % 3):
            self.simulator.add_bank_transaction(
                self.online,
                day + number - 180,
                (now - timedelta(days=day % 2)).date(),
                remittance_information=f'Payment {day}/{number}',
            )
        renewed = max(renewal for renewal in RENEWALS if renewal <= day)
        if day < renewed + CONSENT_DAYS:
            self.simulator.synchronize(self.online)
        rows = self.simulator.accounts.get(self.online.id).transactions
        if day % 30 == 7 and len(rows) > 6:
            self.simulator.change_transaction(rows[5].id, remittance_information=f'Corrected on day {day}')
