from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestConsent(PontoCase):
    def setUp(self):
        super().setUp()
        self.account = self.link()
        self.account_link = self.account.link_id
        self.account_link.user_id = self.accountant
        self.accountant.email = 'accountant@example.com'

    def reminders(self):
        consent = self.env.ref('account_online_ponto.mail_activity_type_consent')
        return self.account_link.activity_ids.filtered(lambda activity: activity.activity_type_id == consent)

    def remind(self, day, ends='2026-06-30 10:00:00'):
        """Run the reminder on `day` for a consent that ends at `ends`; return how many mails it has sent."""
        self.account.authorization_expires_at = ends
        before = self.env['mail.mail'].search_count([('model', '=', 'ponto.link')])
        with freeze_time(f'{day} 06:00:00'):
            self.run_cron('ir_cron_tell_problems')
        return self.env['mail.mail'].search_count([('model', '=', 'ponto.link')]) - before

    def test_the_responsible_person_is_told_14_and_3_days_before_and_on_the_day_and_never_twice(self):
        told = [day for day in range(1, 31) if self.remind(f'2026-06-{day:02}')]
        self.assertEqual(told, [16, 27, 30])
        self.assertEqual(len(self.reminders()), 1)
        self.assertEqual(self.reminders().user_id, self.accountant)

    def test_all_banks_have_their_turn_however_long_the_first_one_takes(self):
        other = self.simulator.add_institution("Andere Bank", bic='ANDEBEBB')
        savings = self.link(self.simulator.add_account('BE43068999999501', institution=other))
        savings.authorization_expires_at = '2026-06-30 10:00:00'
        told = []
        for _run in range(2):
            self.end_jobs_after(1)
            told.append(self.remind('2026-06-29'))
        self.assertEqual(told, [1, 1])
        self.assertTrue(savings.link_id.activity_ids)

    def test_somebody_who_has_left_the_company_is_not_told_of_its_banks(self):
        self.account_link.user_id = new_test_user(
            self.env, 'elsewhere', company_id=self.env.ref('base.main_company').id
        )
        self.assertEqual(self.remind('2026-06-29'), 1)
        self.assertIn(self.company, self.reminders().user_id.company_ids)

    def test_a_day_without_the_scheduler_skips_no_reminder(self):
        self.assertEqual(self.remind('2026-06-10'), 0)
        self.assertEqual(self.remind('2026-06-29'), 1)
        self.assertEqual(self.remind('2026-07-15'), 1)
        self.assertEqual(self.remind('2026-07-16'), 0)

    def test_a_renewal_takes_the_activity_away_and_the_next_end_is_told_again(self):
        self.remind('2026-06-27')
        self.assertEqual(self.remind('2026-06-28', ends='2026-12-20 10:00:00'), 0)
        self.assertFalse(self.reminders())
        self.assertEqual(self.remind('2026-12-10', ends='2026-12-20 10:00:00'), 1)

    def test_an_account_withdrawn_long_ago_hides_no_other_accounts_end(self):
        savings = self.link(self.simulator.add_account('BE43068999999501', institution=self.bank))
        savings.authorization_expires_at = '2025-06-30 10:00:00'
        savings._set_withdrawn()
        self.assertEqual(self.remind('2026-06-10'), 0)
        self.assertEqual(self.remind('2026-06-29'), 1)

    def test_accounts_of_one_bank_are_reminded_of_each_and_in_one_mail_a_day(self):
        savings = self.link(self.simulator.add_account('BE43068999999501', institution=self.bank))
        savings.authorization_expires_at = '2026-06-28 10:00:00'
        self.assertEqual([day for day in range(10, 31) if self.remind(f'2026-06-{day}')], [14, 16, 25, 27, 28, 30])
        note = self.reminders().note
        self.assertIn(savings.reference, note)
        self.assertIn(self.account.reference, note)
        savings.authorization_expires_at = '2026-06-30 10:00:00'
        self.assertEqual(self.remind('2026-07-01'), 1)
        mail = self.env['mail.mail'].search([('model', '=', 'ponto.link')], order='id desc', limit=1)
        self.assertIn(savings.reference, mail.body_html)
        self.assertIn(self.account.reference, mail.body_html)

    def test_a_lapsed_consent_hides_no_other_and_a_renewal_sends_no_mail(self):
        savings = self.link(self.simulator.add_account('BE43068999999501', institution=self.bank))
        savings.authorization_expires_at = '2026-01-31 10:00:00'
        self.assertEqual(self.remind('2026-06-01'), 1)
        self.assertEqual(self.remind('2026-06-16'), 1)
        savings.authorization_expires_at = '2027-01-31 10:00:00'
        self.assertEqual(self.remind('2026-06-17'), 0)
        self.assertEqual(len(self.reminders()), 1)
        self.assertNotIn(savings.reference, self.reminders().note)

    def test_the_days_are_configurable(self):
        self.env['ir.config_parameter'].set_param('account_online_ponto.consent_reminder_days', '7')
        self.assertEqual(self.remind('2026-06-22'), 0)
        self.assertEqual(self.remind('2026-06-23'), 1)
        self.assertEqual(self.remind('2026-06-30'), 0)

    def test_the_end_is_told_in_words(self):
        self.account.authorization_expires_at = '2026-06-30 10:00:00'
        for moment, state, words in (
            ('2026-05-01', 'valid', ''),
            ('2026-06-20', 'ending', "in 10 days"),
            ('2026-06-29', 'ending', "tomorrow"),
            ('2026-06-30', 'ending', "today"),
            ('2026-07-02', 'ended', "Nothing new has come in"),
        ):
            with freeze_time(f'{moment} 06:00:00'):
                self.account.invalidate_recordset()
                self.assertEqual(self.account.consent_state, state)
                self.assertIn(words, self.account.consent_message or '')

    def test_reconnect_says_whether_the_end_has_moved_and_fills_the_gap(self):
        soon = fields.Datetime.now() + timedelta(days=2)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=soon.isoformat() + 'Z')
        self.integration._fetch_accounts()
        action = self.account_link.with_user(self.accountant).action_reauthorize()
        wizard = self.env['ponto.reauthorize'].with_user(self.accountant).browse(action['res_id'])
        wizard.action_check()
        self.assertIn("consent was not renewed", wizard.message)
        self.assertFalse(wizard.is_renewed)
        later = soon + timedelta(days=180)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=later.isoformat() + 'Z')
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        wizard.action_check()
        self.assertIn("consent was renewed until", wizard.message)
        self.assertTrue(wizard.is_renewed)
        self.run_cron()
        self.assertEqual(self.lines(self.account).amount, 10)
