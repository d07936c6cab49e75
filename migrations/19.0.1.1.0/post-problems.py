"""From 19.0.1.0.0: reasons of failures are kept as values, and one scheduled action tells what is the matter."""

from odoo import SUPERUSER_ID, api
from odoo.tools.sql import column_exists

# (table, the column that held the sentence)
SENTENCES = [('ponto_account', 'error_message'), ('ponto_synchronization', 'message')]
REPLACED_CRONS = ('ir_cron_remind_consent', 'ir_cron_tell_silence')


def migrate(cr, version):
    keep_sentences(cr)
    keep_what_was_told(cr)
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in REPLACED_CRONS:
        cron = env.ref(f'account_online_ponto.{name}', raise_if_not_found=False)
        if cron:
            cron.unlink()


def keep_sentences(cr):
    """A sentence of before stays as it was said, as one that another addon has said."""
    for table, column in SENTENCES:
        if column_exists(cr, table, column):
            cr.execute(f"""
                UPDATE {table}
                   SET failure = jsonb_build_object('kind', 'UserError', 'detail', {column}, 'request_id', '')
                 WHERE state = 'error' AND {column} IS NOT NULL AND failure IS NULL
            """)  # noqa: S608 the names are ours
            cr.execute(f'ALTER TABLE {table} DROP COLUMN {column}')


def keep_what_was_told(cr):
    """What somebody has heard already is not told again."""
    if column_exists(cr, 'ponto_account', 'consent_reminder'):
        cr.execute("""
            UPDATE ponto_account
               SET told = jsonb_strip_nulls(jsonb_build_object(
                       'consent', consent_reminder, 'silence', CASE WHEN is_silence_told THEN 'silence' END))
             WHERE told IS NULL AND (consent_reminder IS NOT NULL OR is_silence_told)
        """)
