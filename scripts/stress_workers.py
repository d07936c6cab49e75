"""What the processes of `scripts/stress` do inside Odoo. Each is forked from one server that has loaded Odoo, as Odoo's
own workers are; none shares a connection with another.

Importing this module loads Odoo and the database's registry, so only those processes import it.
"""

import base64
import contextlib
import os
import random
import time
import uuid
from datetime import datetime, timedelta, timezone
from functools import partial

import odoo
from odoo import Command, api, sql_db
from odoo.addons.base.models.ir_cron import IrCron
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import SQL, config

DATABASE = os.environ['STRESS_DATABASE']
LOGIN = 'stress_accountant'
# What a process shows of itself while it works, in its place of the shared array.
ELSEWHERE, READING, BOOKING = range(3)
PHASES = ('elsewhere', 'reading', 'booking')

config.parse_config(['--database', DATABASE, '--no-http', '--logfile', os.environ['STRESS_LOG']], setup_logging=True)
Registry(DATABASE)
sql_db.close_all()


@contextlib.contextmanager
def environment(database=DATABASE, login=None):
    """An environment of a transaction of its own, which is committed at the end: of the superuser or of `login`."""
    registry = Registry(database).check_signaling()
    with registry.cursor() as cr:
        env = api.Environment(cr, api.SUPERUSER_ID, {})
        yield env(user=env['res.users'].search([('login', '=', login)])) if login else env
        env.flush_all()


# -------------------------------------------------------------------------
# Preparation
# -------------------------------------------------------------------------


def prepare(url, credentials, apart=False):
    """Make a company with a Ponto integration for each of `credentials`, all their accounts linked to new journals.

    :param apart: each integration has a company of its own
    """
    with environment() as env:
        env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', url)
        # The scheduler is to run the addon's own jobs and nothing else.
        own = env.ref('account_online_ponto.ir_cron_synchronize') + env.ref('account_online_ponto.ir_cron_book')
        (env['ir.cron'].search([]) - own).active = False
        companies = [make_company(env) for _credentials in (credentials if apart else credentials[:1])]
        make_accountant(env, env['res.company'].union(*companies))
        for number, (client_id, client_secret) in enumerate(credentials):
            company = companies[number if apart else 0]
            integration = (
                env['ponto.integration']
                .with_context(allowed_company_ids=company.ids)
                .create({'company_id': company.id, 'client_id': client_id, 'client_secret': client_secret})
            )
            for account in integration._fetch_accounts():
                account._link_to_new_journal()


def prepare_connect(application, organization_id, tokens):
    """Let the company have a consent by Ponto Connect too.

    :param dict application: values of the parameters, and `certificate` and `private_key` in PEM
    :param dict tokens: the token endpoint's answer
    """
    with environment() as env:
        key = env['certificate.key'].create(
            {'name': 'Application', 'content': base64.b64encode(application.pop('private_key'))}
        )
        certificate = env['certificate.certificate'].create(
            {
                'name': 'Application',
                'content': base64.b64encode(application.pop('certificate')),
                'private_key_id': key.id,
            }
        )
        for name, value in {**application, 'connect_certificate_id': str(certificate.id)}.items():
            env['ir.config_parameter'].set_param(f'account_online_ponto.{name}', value)
        integration = env['ponto.integration'].create(
            {
                'connection': 'connect',
                'organization_id': organization_id,
                'company_id': env['res.users'].search([('login', '=', LOGIN)]).company_id.id,
            }
        )
        keep_tokens(integration, tokens)


def keep_tokens(integration, tokens):
    """Store the token endpoint's answer as the tokens of a consent."""
    addon = odoo.addons.account_online_ponto
    integration._token_store().replace(
        addon.ponto.Token(
            tokens['access_token'],
            datetime.now(timezone.utc) + timedelta(seconds=tokens['expires_in']),
            tokens['refresh_token'],
        )
    )


def make_company(env):
    """Return a company in euro; without a country, whose modules Odoo would install."""
    env.ref('base.EUR').active = True
    name = f'Stress BV {uuid.uuid4()}'
    company = env['res.company'].create({'name': name, 'currency_id': env.ref('base.EUR').id})
    env['account.chart.template'].try_loading('generic_coa', company=company, install_demo=False)
    company.currency_id = env.ref('base.EUR')
    return company


def make_accountant(env, companies):
    env['res.users'].create(
        {
            'name': 'Accountant',
            'login': LOGIN,
            'company_id': companies[0].id,
            'company_ids': [Command.set(companies.ids)],
            'group_ids': [Command.link(env.ref('account.group_account_manager').id)],
        }
    )


# -------------------------------------------------------------------------
# Ways in which an import starts
# -------------------------------------------------------------------------


def make_due(database=DATABASE):
    """Let all accounts that nobody is working on be due, and the jobs too."""
    with environment(database) as env:
        for table, column in (('ponto_account', 'next_read_at'), ('ir_cron', 'nextcall')):
            statement = SQL(
                """
                UPDATE %(table)s SET %(column)s = now() AT TIME ZONE 'UTC' - interval '1 second' WHERE id IN (
                    SELECT id FROM %(table)s WHERE %(column)s IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED
                )
                """,
                table=SQL.identifier(table),
                column=SQL.identifier(column),
            )
            retrying(partial(env.cr.execute, statement, log_exceptions=False), env)


def run_scheduler(database=DATABASE):
    """Run all jobs that are ready, as a cron worker of Odoo does when it wakes up."""
    IrCron._process_jobs(database)


def run_scheduler_until_idle(database=DATABASE):
    """Let the scheduler come back, as it does every minute, until no job is ready: one run may have no time for all."""
    for _time in range(100):
        run_scheduler(database)
        with sql_db.db_connect(database).cursor() as cr:
            if not IrCron._get_all_ready_jobs(cr):
                return
    raise RuntimeError('the jobs do not come to an end')


def run_synchronization(database=DATABASE):
    """Run the job's method beside the scheduler, as another job that does the same would."""
    with environment(database) as env:
        env['ponto.account']._cron_synchronize()


def run_booking(database=DATABASE):
    with environment(database) as env:
        env['ponto.transaction']._cron_book()


def click(database=DATABASE, account_ids=None):
    """Fetch the transactions as an accountant's click does; return what the accountant is told."""
    return request(database, account_ids, 'action_fetch_transactions')['params']['message']


def look(database=DATABASE):
    """Look at the progress of a fetch, which books some of what waits."""
    request(database, None, 'fetch_progress')


def find_missing(database=DATABASE):
    """Let Ponto's whole list be read."""
    request(database, None, 'action_find_missing_transactions')


def request(database, account_ids, method):
    """Call a method of accounts (None: of all) for the accountant, with Odoo's own way to repeat a request."""
    with environment(database, LOGIN) as env:

        def call():
            return getattr(env['ponto.account'].search([('id', 'in', account_ids)] if account_ids else []), method)()

        return retrying(call, env)


def tell_click(answers, account_id):
    """Click once, and tell how many seconds it took and what the accountant was told."""
    began = time.monotonic()
    try:
        message = click(account_ids=[account_id])
    except Exception as error:  # noqa: BLE001 the test is to say what it was
        message = repr(error)
    answers.put((time.monotonic() - began, message))


def fetch_to_the_end(answers):
    """Click, and look at the progress as the browser does, until nothing is left to do; tell what was done.

    A click begins so many accounts as it has time for, so there may be several.
    """
    message, looks = click(), 1
    while 'fetch these again' in message:
        message = click()
    while {progress['stage'] for progress in request(DATABASE, None, 'fetch_progress')} != {'done'}:
        looks += 1
    answers.put((message, looks))


def reconcile_by_hand(stop, answers, seed):
    """Reconcile one open line after the other, as an accountant does, until told to stop; tell how many, and errors."""
    chance, done, failed = random.Random(seed), 0, []
    while not stop.value:
        with environment(login=LOGIN) as env:
            lines = env['account.bank.statement.line'].search([('is_reconciled', '=', False)], limit=40)
            if not lines:
                continue
            line = lines.browse(chance.choice(lines.ids))
            account = env['account.account'].search(
                [('account_type', '=', 'expense'), ('company_ids', 'in', line.company_id.ids)], limit=1
            )
            try:
                retrying(partial(line.reconcile_with, [{'account_id': account.id}]), env)
                done += 1
            except Exception as error:  # noqa: BLE001 the test is to say what it was
                env.cr.rollback()
                failed.append(repr(error))
    answers.put((done, failed))


WAYS = (run_scheduler, run_synchronization, run_booking, click, look, find_missing)


# -------------------------------------------------------------------------
# Processes of the kill test
# -------------------------------------------------------------------------


def work(phases, place, stop, seed):
    """Import again and again, in any way, until told to stop or killed; show the phase at `place` of `phases`."""
    chance = random.Random(seed)
    take_small_steps()
    show_phase('ponto.account', '_read', phases, place, READING)
    show_phase('ponto.transaction', '_book', phases, place, BOOKING)
    while not stop.value:
        make_due()
        chance.choice(WAYS)()


def take_small_steps():
    """Commit after few pages read and few lines booked, so that a kill finds a history partly read, partly booked."""
    budget = odoo.addons.account_online_ponto.models.budget
    budget.PAGES, budget.ROWS = 2, 10
    # The work of a killed worker is taken up soon.
    budget.CLAIM = timedelta(seconds=3)


def finish(database):
    """Import all that Ponto has, and do what a person does with that which has been killed twice."""
    with environment(database) as env:
        env['ponto.account'].search([('turn_at', '!=', False)]).turn_at = datetime(2000, 1, 1)  # noqa: DTZ001
    make_due(database)
    run_scheduler_until_idle(database)
    with environment(database) as env:
        held = env['ponto.transaction'].search([('hold_reason', '=', 'unprocessable')])
        aside = env['ponto.account'].search([('lost_count', '>=', 2)])
        print(f'{database}: killed twice: {len(held)} rows, {len(aside)} accounts', flush=True)
        held.action_book()
        if aside:
            aside.action_fetch_transactions()
    make_due(database)
    run_scheduler_until_idle(database)


def show_phase(model, name, phases, place, phase):
    """Let `phases[place]` be `phase` while the method of that name of a model runs."""
    model_class = Registry(DATABASE)[model]
    method = getattr(model_class, name)

    def shown(self, *args, **kwargs):
        before, phases[place] = phases[place], phase
        try:
            return method(self, *args, **kwargs)
        finally:
            phases[place] = before

    setattr(model_class, name, shown)


# -------------------------------------------------------------------------
# Processes that start at the same moment
# -------------------------------------------------------------------------


def ask_at_once(barrier, answers, way, account_id, delay):
    """Wait for the others, fetch one account and tell `(way, whether it read, what the accountant is told)`."""
    read = []
    model_class = Registry(DATABASE)['ponto.account']
    method = model_class._read
    model_class._read = lambda self, *args: read.append(True) or method(self, *args)
    with environment(login=LOGIN) as env:
        env['ponto.account'].browse(account_id).mapped('name')
    barrier.wait(60)
    time.sleep(delay)
    message = None
    if way == 'click':
        message = click(account_ids=[account_id])
    elif way == 'job':
        run_synchronization()
    else:
        run_scheduler()
    answers.put((way, bool(read), message))


def create_at_once(barrier, answers, journal_id, batches, rows, on_lane):
    """Wait for the others, then create batches of statement lines, each in a transaction; tell what became of it."""
    way = '_create_on_lane' if on_lane else 'create'
    vals = {'journal_id': journal_id, 'date': '2026-03-01', 'amount': 1, 'payment_ref': way}
    with environment() as env:
        env['account.journal'].browse(journal_id).mapped('name')
    barrier.wait(60)
    try:
        for _batch in range(batches):
            with environment() as env:
                lines = env['account.bank.statement.line'].with_company(
                    env['account.journal'].browse(journal_id).company_id
                )
                retrying(partial(getattr(lines, way), [dict(vals) for _row in range(rows)]), env)
        answers.put(True)
    except Exception as error:  # noqa: BLE001 the test is to say what it was
        answers.put(repr(error))


def make_opening_line_at_once(barrier, answers):
    """See that the account lacks an opening line, wait for the others, then make it; tell what became of it."""
    with environment() as env:
        account = env['ponto.account'].search([])
        lacks_line = account.lacks_opening_line
        barrier.wait(60)
        try:
            retrying(account._book_opening_line, env)
            answers.put(lacks_line or 'no opening line was lacking')
        except Exception as error:  # noqa: BLE001 the test is to say what it was
            answers.put(repr(error))


def call_at_once(barrier, answers, connection, ponto_id):
    """Wait for the others, then make a call through an API that needs a token; tell what became of it."""
    with environment() as env:
        client = env['ponto.integration'].search([('connection', '=', connection)])._client()
        env.cr.commit()
        barrier.wait(60)
        try:
            answers.put(client.get_account(account_id=ponto_id).id == ponto_id or 'another account')
        except Exception as error:  # noqa: BLE001 the test is to say what it was
            answers.put(repr(error))
