"""The world behind the API: what Ponto and the banks know, and the control plane by which a test changes it.

Everything is deterministic: ids are counted, and time stands still until `advance`.
"""

import hashlib
import uuid
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from . import errors
from .attributes import (
    BANK_ACCOUNT_ATTRIBUTES,
    account_attributes,
    as_moment,
    institution_attributes,
    named,
    transaction_attributes,
)
from .pictures import LOGOS
from .state import (
    ACCOUNT_ATTRIBUTES,
    ACCOUNT_DETAILS,
    ACCOUNT_TRANSACTIONS,
    SUBTYPES,
    TOKEN_LIFETIME,
    TRANSACTION_ATTRIBUTES,
    WITH_UNSETTLED,
    AccessToken,
    Account,
    BankAccount,
    BankTransaction,
    Collection,
    Institution,
    Integration,
    Synchronization,
    Transaction,
)

CLIENT_ID = '5c4b1f9e-7d0a-4a59-9c35-2f6c1f0f4c11'
CLIENT_SECRET = 'simulated-client-secret'

DEFAULT_CLOCK = datetime(2026, 4, 15, 10, 0, tzinfo=timezone.utc)
NAMESPACE = uuid.UUID('9251e765-bfbe-48b0-a082-3b043c386131')
SANDBOX_INSTITUTION_ID = '9251e765-bfbe-48b0-a082-3b043c386131'
BANK_HIDDEN = ('cardReference', 'cardReferenceType', 'fee', 'digest', 'internalReference')
"""Attributes of a sandbox transaction that Ponto takes but does not show there."""


class World:
    """State of Ponto and of the banks.

    `minimum_interval`: a second synchronization of the same kind is refused within it. `synchronization_duration`: a
    synchronization succeeds once it is that old, or when its state has been asked for twice. `real_clock`: the wall
    clock instead of a standing one.
    """

    def __init__(
        self,
        *,
        clock=DEFAULT_CLOCK,
        real_clock=False,
        minimum_interval=timedelta(minutes=5),
        synchronization_duration=timedelta(seconds=10),
    ):
        self.real_clock = real_clock
        self._moment = timedelta() if real_clock else clock
        self.minimum_interval = minimum_interval
        self.synchronization_duration = synchronization_duration
        self.institutions = Collection()
        self.accounts = Collection()
        self.integrations = {}
        self.tokens = {}
        self.synchronizations = {}
        self._counters = {}
        self._failing_synchronizations = []
        self.integration = self.add_integration(CLIENT_ID, CLIENT_SECRET)

    # -------------------------------------------------------------------------
    # Clock and ids
    # -------------------------------------------------------------------------

    @property
    def clock(self):
        """The simulator's time, an aware datetime."""
        return datetime.now(timezone.utc) + self._moment if self.real_clock else self._moment

    def advance(self, **duration):
        """Let time pass: keyword arguments of `timedelta`."""
        self._moment += timedelta(**duration)
        self.settle_synchronizations()

    def _new_id(self, kind):
        self._counters[kind] = self._counters.get(kind, 0) + 1
        return str(uuid.uuid5(NAMESPACE, f'{kind}/{self._counters[kind]}'))

    # -------------------------------------------------------------------------
    # Integrations and tokens
    # -------------------------------------------------------------------------

    def add_integration(self, client_id, client_secret, accounts=(), scope='ai'):
        """Another custom integration, with the accounts ticked for it."""
        integration = Integration(client_id, client_secret, [self.account(item).id for item in accounts], scope)
        self.integrations[client_id] = integration
        return integration

    def tick(self, account, integration=None):
        """Let the integration (by default the first one) see the account."""
        ticked = (integration or self.integration).account_ids
        if self.account(account).id not in ticked:
            ticked.append(self.account(account).id)

    def untick(self, account, integration=None):
        """Withdraw the account from the integration."""
        (integration or self.integration).account_ids.remove(self.account(account).id)

    def issue_token(self, integration):
        value = hashlib.sha256(self._new_id('token').encode()).hexdigest()
        token = AccessToken(f'live_{value}', integration, self.clock + TOKEN_LIFETIME)
        self.tokens[token.value] = token
        return token

    def revoke_tokens(self):
        """Make every access token invalid before its time."""
        self.tokens.clear()

    # -------------------------------------------------------------------------
    # Institutions
    # -------------------------------------------------------------------------

    def add_institution(self, name, country='BE', *, ponto_id=None, extra=None, **attributes):
        """Append an institution to the catalogue; attributes in snake_case."""
        institution = Institution(
            'financialInstitution',
            ponto_id or self._new_id(f'institution/{country}/{name}'),
            institution_attributes(name, country, attributes, extra),
        )
        self.institutions.append(institution)
        return institution

    def institution(self, institution):
        """The institution, given itself or its id."""
        return institution if isinstance(institution, Institution) else self.institutions.get(institution)

    def _sandbox_institution(self):
        return self.institution(SANDBOX_INSTITUTION_ID) or self.add_institution(
            'Super Sandbox Bank',
            ponto_id=SANDBOX_INSTITUTION_ID,
            bic='NBBEBEBB203',
            primary_color='#7d39ff',
            secondary_color='#3DF2C2',
            logo_url=f'{LOGOS}/sandbox.svg',
        )

    # -------------------------------------------------------------------------
    # Accounts
    # -------------------------------------------------------------------------

    def add_account(
        self,
        reference,
        *,
        institution=None,
        currency='EUR',
        balance=0,
        availability='available',
        ponto_id=None,
        integration=None,
        synchronized=(ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS),
        extra=None,
        **attributes,
    ):
        """Add an account, synchronized at this moment, and tick it for the integration. Its rows will add to `balance`.

        `institution`: itself or its id, by default the sandbox bank. `synchronized`: the subtypes that Ponto has
        synchronized when the account appears. Attributes in snake_case.
        """
        institution = self.institution(institution) if institution else self._sandbox_institution()
        attributes.setdefault('internal_reference', self._new_id('internal'))
        account = Account(
            'account',
            ponto_id or self._new_id('account'),
            account_attributes(reference, currency, balance, self.clock, attributes, extra),
            institution_id=institution.id,
            availability=availability,
        )
        self.open_account(account, integration)
        if synchronized:
            self.synchronize(account, *synchronized)
        return account

    def open_account(self, account, integration=None):
        """Put an account that is complete into Ponto and into its bank."""
        account.bank = BankAccount(
            'financialInstitutionAccount',
            self._new_id('bank account'),
            {name: account.attributes.get(name) for name in BANK_ACCOUNT_ATTRIBUTES},
            institution_id=account.institution_id,
            account_id=account.id,
        )
        self.accounts.append(account)
        self.tick(account, integration)

    def account(self, account):
        """The account, given itself or its id; KeyError when it is gone."""
        if isinstance(account, Account):
            return account
        found = self.accounts.get(account)
        if found is None:
            raise KeyError(account)
        return found

    def change_account(self, account, *, availability=None, extra=None, **attributes):
        """Change attributes (snake_case) of an account."""
        account = self.account(account)
        account.availability = availability or account.availability
        changes = named(attributes, ACCOUNT_ATTRIBUTES, extra)
        account.attributes.update(changes)
        account.bank.attributes.update(
            {name: value for name, value in changes.items() if name in account.bank.attributes}
        )
        return account

    def remove_account(self, account):
        """Take the account away from Ponto: it answers 404 from now on."""
        account = self.account(account)
        for integration in self.integrations.values():
            if account.id in integration.account_ids:
                integration.account_ids.remove(account.id)
        self.accounts.remove(account.id)

    def reissue_account(self, account):
        """Give the account and its rows new ids, as when it is removed and linked again; returns the account's."""
        old = self.account(account)
        integrations = [item for item in self.integrations.values() if old.id in item.account_ids]
        self.remove_account(old)
        new = replace(
            old, id=self._new_id('account'), attributes=dict(old.attributes), completed={}, synchronized_at={}
        )
        new.transactions = Collection(self._reissued(row, new) for row in old.transactions)
        new.pending = Collection(self._reissued(row, new) for row in old.pending)
        new.bank.account_id = new.id
        self.accounts.append(new)
        for integration in integrations:
            self.tick(new, integration)
        self.reauthorize(new)
        return new.id

    def _reissued(self, row, account):
        attributes = {**row.attributes, 'createdAt': self.clock, 'updatedAt': self.clock}
        new_id = self._new_id('transaction')
        for bank_row in account.bank.transactions:
            if bank_row.transaction_id == row.id:
                bank_row.transaction_id = new_id
        return replace(row, id=new_id, account_id=account.id, attributes=attributes)

    def reauthorize(self, account, days=90):
        """The customer renews the consent at the bank, and Ponto synchronizes the account."""
        account = self.account(account)
        account.attributes['authorizedAt'] = self.clock
        account.attributes['authorizationExpirationExpectedAt'] = self.clock + timedelta(days=days)
        self.synchronize(account)

    def is_authorized(self, account):
        expiry = account.attributes.get('authorizationExpirationExpectedAt')
        return not isinstance(expiry, datetime) or expiry > self.clock

    # -------------------------------------------------------------------------
    # Transactions
    # -------------------------------------------------------------------------

    def add_transaction(self, account, amount, execution_date, *, extra=None, **attributes):
        """A new row on top of the account's list, at once, without a synchronization; the balance follows.

        Attributes in snake_case; `extra` gives raw ones in Ponto's names, MISSING for one that is not sent at all.
        """
        return self._insert(account, 0, amount, execution_date, attributes, extra)

    def insert_transaction(self, account, amount, execution_date, *, below, extra=None, **attributes):
        """A row that arrives late, right below the row with this id, or below the row at this index."""
        account = self.account(account)
        position = below if isinstance(below, int) else account.transactions.position(below)
        if position is None:
            raise KeyError(below)
        return self._insert(account, position + 1, amount, execution_date, attributes, extra)

    def _insert(self, account, index, amount, execution_date, attributes, extra):
        account = self.account(account)
        row = self._row(account, amount, execution_date, attributes, extra)
        account.transactions.insert(index, row)
        self._add_to_balance(account, row.amount)
        return row

    def _row(self, account, amount, execution_date, attributes, extra, kind='transaction'):
        values = self._row_values(account, amount, execution_date, attributes, extra)
        return Transaction(kind, self._new_id(kind), values, account_id=account.id)

    def _row_values(self, account, amount, execution_date, attributes, extra):
        attributes.setdefault('internal_reference', self._new_id('internal'))
        return transaction_attributes(account, amount, execution_date, self.clock, attributes, extra)

    def _add_to_balance(self, account, amount, bank_only=False):
        if not isinstance(amount, Decimal):
            return
        for resource in [account.bank] if bank_only else [account, account.bank]:
            for kind in ('current', 'available'):
                if isinstance(resource.attributes.get(f'{kind}Balance'), Decimal):
                    resource.attributes[f'{kind}Balance'] += amount
                    resource.attributes[f'{kind}BalanceChangedAt'] = self.clock

    def transaction(self, transaction_id):
        """The booked or pending row with this id; KeyError when there is none."""
        for account in self.accounts:
            row = account.transactions.get(transaction_id) or account.pending.get(transaction_id)
            if row:
                return row
        raise KeyError(transaction_id)

    def change_transaction(self, transaction_id, *, extra=None, **attributes):
        """The bank corrects a row; its `updatedAt` becomes a later one, and the balance follows its amount."""
        row = self.transaction(transaction_id)
        self._change(row, named(attributes, TRANSACTION_ATTRIBUTES, extra))
        return row

    def _change(self, row, changes, balances=True):
        before, account = row.amount, self.account(row.account_id)
        row.attributes.update(changes)
        if 'updatedAt' not in changes:
            previous = row.attributes.get('updatedAt')
            floor = previous + timedelta(milliseconds=1) if isinstance(previous, datetime) else self.clock
            row.attributes['updatedAt'] = max(self.clock, floor)
        if balances and isinstance(before, Decimal) and isinstance(row.amount, Decimal) and row.type == 'transaction':
            self._add_to_balance(account, row.amount - before)

    def remove_transaction(self, transaction_id):
        """A row disappears from Ponto (never seen there, but not excluded)."""
        row = self.transaction(transaction_id)
        account = self.account(row.account_id)
        if row.type == 'transaction':
            account.transactions.remove(row.id)
            self._add_to_balance(account, -row.amount if isinstance(row.amount, Decimal) else None)
        else:
            account.pending.remove(row.id)

    def reorder(self, account, key):
        """Sort the account's list by `key(row)`: Ponto's order need not be that of the dates."""
        self.account(account).transactions.sort(key)

    def add_pending_transaction(self, account, amount, execution_date, *, extra=None, **attributes):
        """A pending row on top of the account's pending list, at once."""
        account = self.account(account)
        row = self._row(account, amount, execution_date, attributes, extra, 'pendingTransaction')
        account.pending.insert(0, row)
        return row

    def book_pending_transaction(self, transaction_id, **attributes):
        """A pending row disappears, and a booked row of the same content, with another id, takes its place."""
        pending = self.transaction(transaction_id)
        account = self.account(pending.account_id)
        account.pending.remove(pending.id)
        values = {name: value for name, value in pending.attributes.items() if name not in ('createdAt', 'updatedAt')}
        values |= named(attributes, TRANSACTION_ATTRIBUTES)
        return self._insert(account, 0, pending.amount, pending.attributes['executionDate'], {}, values)

    # -------------------------------------------------------------------------
    # The bank's own books (sandbox)
    # -------------------------------------------------------------------------

    def add_bank_transaction(self, account, amount, execution_date, *, pending=False, extra=None, **attributes):
        """A row in the bank's books, which Ponto learns of at the next synchronization of the account."""
        account = self.account(account)
        values = self._row_values(account, amount, execution_date, attributes, extra)
        return self.book_at_bank(account.bank, values, pending)

    def book_at_bank(self, bank_account, values, pending=False):
        hidden = {name: values.pop(name) for name in BANK_HIDDEN if name in values}
        row = BankTransaction(
            'financialInstitutionTransaction', self._new_id('bank transaction'), values, pending=pending, hidden=hidden
        )
        bank_account.transactions.insert(0, row)
        if not pending:
            self._add_to_balance(self.account(bank_account.account_id), values.get('amount'), bank_only=True)
        return row

    # -------------------------------------------------------------------------
    # Synchronizations
    # -------------------------------------------------------------------------

    def synchronize(self, account, *subtypes):
        """Ponto's own refresh, done at once: of details and booked transactions unless told otherwise."""
        for subtype in subtypes or (ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS):
            self._complete(self._new_synchronization(self.account(account), subtype))

    def create_synchronization(self, account, subtype, customer_ip_address):
        """As asked for through the API; refused with `accountRecentlySynchronized` within the minimum interval."""
        recent = self.clock - self.minimum_interval
        if any(
            item.account_id == account.id
            and item.subtype == subtype
            and item.customer_online
            and item.created_at > recent
            for item in self.synchronizations.values()
        ):
            raise errors.recently_synchronized()
        return self._new_synchronization(
            account, subtype, customer_online=True, customer_ip_address=customer_ip_address
        )

    def _new_synchronization(self, account, subtype, **values):
        if subtype not in SUBTYPES:
            raise ValueError(f'unknown subtype {subtype!r}')
        synchronization = Synchronization(
            self._new_id('synchronization'), account.id, subtype, created_at=self.clock, updated_at=self.clock, **values
        )
        self.synchronizations[synchronization.id] = synchronization
        return synchronization

    def fail_synchronization(
        self,
        times=1,
        *,
        account=None,
        subtype=None,
        code='authorizationInvalid',
        detail='The authorization is invalid, you should ask the customer to reauthorize the account',
        bank_response=None,
    ):
        """Let the next `times` synchronizations (of the account, of the subtype) end in an error.

        `bank_response` becomes `meta.financialInstitutionResponse`.
        """
        meta = {'financialInstitutionResponse': bank_response} if bank_response else {}
        account_id = self.account(account).id if account else None
        subtypes = [subtype] if subtype else []
        error = {'code': code, 'detail': detail, 'meta': meta}
        self._failing_synchronizations += [(account_id, error, *subtypes)] * times

    def poll(self, synchronization):
        """Its state was asked for: pending becomes running, running becomes done."""
        synchronization.polls += 1
        if synchronization.is_open and synchronization.polls > 1:
            self._complete(synchronization)
        elif synchronization.is_open:
            synchronization.status = 'running'
            synchronization.updated_at = self.clock

    def settle_synchronizations(self):
        """Complete the synchronizations whose time has come."""
        due = self.clock - self.synchronization_duration
        for synchronization in self.synchronizations.values():
            if synchronization.is_open and synchronization.created_at <= due:
                self._complete(synchronization)

    def _complete(self, synchronization):
        account = self.accounts.get(synchronization.account_id)
        if account is None:
            error = {'code': 'resourceNotFound', 'detail': 'The account is no longer available.', 'meta': {}}
        else:
            error = self._synchronization_error(account, synchronization.subtype)
        synchronization.updated_at = self.clock
        synchronization.errors = [error] if error else []
        synchronization.status = 'error' if error else 'success'
        if account:
            account.completed[synchronization.subtype] = synchronization
        if not error:
            account.synchronized_at[synchronization.subtype] = self.clock
            self._bring_over(account, synchronization)

    def _synchronization_error(self, account, subtype):
        for index, (account_id, error, *subtypes) in enumerate(self._failing_synchronizations):
            if account_id in (None, account.id) and subtype in (subtypes or SUBTYPES):
                del self._failing_synchronizations[index]
                return error
        if self.is_authorized(account):
            return None
        return {
            'code': 'authorizationInvalid',
            'meta': {},
            'detail': 'The authorization is invalid, you should ask the customer to reauthorize the account',
        }

    def _bring_over(self, account, synchronization):
        """What the bank knows becomes what Ponto knows, as far as the subtype goes."""
        if synchronization.subtype == ACCOUNT_DETAILS:
            self._bring_over_balances(account)
            return
        for bank_row in reversed(account.bank.transactions):
            if bank_row.changed and (not bank_row.pending or synchronization.subtype == WITH_UNSETTLED):
                ids = synchronization.updated_pending_ids if bank_row.pending else synchronization.updated_ids
                ids.insert(0, self._bring_over_row(account, bank_row))

    def _bring_over_balances(self, account):
        for name in ('currentBalance', 'availableBalance'):
            if name in account.bank.attributes and account.attributes.get(name) != account.bank.attributes[name]:
                account.attributes[name] = account.bank.attributes[name]
                account.attributes[f'{name}ChangedAt'] = self.clock
                account.attributes[f'{name}VariationObservedAt'] = self.clock
            if f'{name}ReferenceDate' in account.attributes:
                account.attributes[f'{name}ReferenceDate'] = as_moment(self.clock.date())

    def _bring_over_row(self, account, bank_row):
        bank_row.changed = False
        values = {name: value for name, value in bank_row.attributes.items() if name not in ('createdAt', 'updatedAt')}
        if bank_row.transaction_id:
            self._change(self.transaction(bank_row.transaction_id), values, balances=False)
            return bank_row.transaction_id
        kind, rows = (
            ('pendingTransaction', account.pending) if bank_row.pending else ('transaction', account.transactions)
        )
        row = self._row(
            account, values.pop('amount'), values.pop('executionDate'), {}, {**bank_row.hidden, **values}, kind
        )
        rows.insert(0, row)
        bank_row.transaction_id = row.id
        return row.id
