"""The demo: five months of a Belgian cabinetmaker with six accounts at three banks, and the public catalogue.

The last whole month has the opening sale of a new showroom: over 2,000 rows, as a busy company has them.

Every name is invented or generic, every account number and reference has valid check digits, and the same clock
always gives the same rows. The balance of each account is the sum of its rows.
"""

import calendar
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from .catalogue import catalogue
from .identifiers import (
    belgian_iban,
    creditor_id,
    creditor_reference,
    enterprise_number,
    iban,
    structured_communication,
)
from .state import WITH_UNSETTLED

__all__ = ['SEEDS', 'catalogue', 'demo']

HOLDER = 'Atelier Lindeboom BV'
MONTHS = 5
SALE_PAYMENTS = 1900
IBAN_CHECKING = belgian_iban(735, 412_8837)
IBAN_PROJECT = belgian_iban(735, 412_9014)
IBAN_SAVINGS = belgian_iban(363, 180_4426)
IBAN_BUSINESS = belgian_iban(68, 257_1193)
CARD = '5355XXXXXXXX9876'
DEBIT_CARD = '4521'

CUSTOMERS = (
    ('Bouwwerken Janssens NV', belgian_iban(1, 530_2211), 'ogm'),
    ('Immo Vandenberghe BV', belgian_iban(737, 20_4418), 'ogm'),
    ('Gemeente Zandhoven', belgian_iban(91, 1_7702), 'ogm'),
    ('Architectenbureau Lauwers', belgian_iban(143, 88_1520), 'ogm'),
    ('Van Damme Interieur BV', belgian_iban(363, 771_0021), 'ogm'),
    ('Hôtel du Vieux Moulin SA', belgian_iban(360, 118_4420), 'ogm'),
    ('Tandartspraktijk Maes', belgian_iban(979, 35_2284), 'ogm'),
    ('Brasserie du Parc SRL', belgian_iban(340, 190_6613), 'text'),
    ('Apotheek Peeters', belgian_iban(780, 590_1177), 'text'),
    ('Garage Willems BV', belgian_iban(734, 36_7719), 'text'),
    ('Maes-Verhulst Tom', belgian_iban(652, 810_4417), 'text'),
    ('Janssens-Peeters An', belgian_iban(973, 61_2208), 'nothing'),
    ('Koninklijke Bakker Interieurs B.V.', iban('NL', 'INGB0007214460'), 'rf'),
    ('Menuiserie Weber S.à r.l.', iban('LU', '0019400644750000'), 'rf'),
    ('Möbelhaus Schneider GmbH', iban('DE', '370400440532013000'), 'rf'),
    ('Ateliers Moreau SARL', iban('FR', '20041010050500013M02606'), 'text'),
)
"""Name, account number, and what they write on a payment."""

SUPPLIERS = (
    ('Houthandel Verstraete NV', belgian_iban(737, 118_9920), 'ogm', 2600),
    ('Beslag & Co BV', belgian_iban(103, 21_4471), 'ogm', 480),
    ('Lakkerij Aerts', belgian_iban(745, 50_3318), 'text', 650),
    ('Verpakkingen Smets NV', belgian_iban(220, 91_8840), 'ogm', 210),
    ('Transport Gielen BV', belgian_iban(733, 16_2231), 'text', 540),
    ('Drukkerij Pauwels', belgian_iban(1, 288_1142), 'ogm', 175),
    ('Glashandel De Smedt', belgian_iban(363, 40_1187), 'text', 890),
    ('Zagerij Ardennen SRL', belgian_iban(360, 22_9003), 'ogm', 1350),
    ('Holzwerke Eifel GmbH', iban('DE', '395501100000842211'), 'rf', 1900),
    ('Accountantskantoor De Wit', belgian_iban(738, 25_0164), 'ogm', 420),
)

EMPLOYEES = (
    ('Peeters Lotte', belgian_iban(735, 66_1120), '2412.37'),
    ('De Smet Bram', belgian_iban(979, 22_4471), '2188.90'),
    ('Dubois Amélie', belgian_iban(340, 71_5520), '2188.90'),
    ('Claes Wout', belgian_iban(1, 662_1183), '1974.15'),
    ('El Amrani Yassine', belgian_iban(363, 81_9023), '2263.48'),
    ('Vermeulen Karel', belgian_iban(652, 81_0025), '2731.06'),
)
"""Two of them earn the same to the cent."""

DIRECT_DEBITS = (
    ('ELEKTRA BELGIE NV', 1, 5, '386.40', 'Voorschot elektriciteit', 403_1707),
    ('AQUA VLAANDEREN', 3, 8, '142.17', 'Waterfactuur', 224_7631),
    ('TELECOMBEL NV', 1, 11, '118.95', 'Internet en telefonie', 202_2396),
    ('MOBIELNET', 1, 13, '74.50', 'Mobiele abonnementen', 456_8108),
    ('WAGENPARK LEASE NV', 1, 2, '611.83', 'Leasing bestelwagen 1-XKT-482', 449_5120),
    ('NOORDZEE VERZEKERINGEN', 3, 15, '1284.62', 'Polis BA uitbating 45.118.220', 404_4941),
    ('SOCIAAL SECRETARIAAT PLUS', 1, 20, '198.44', 'Beheerskosten lonen', 409_8801),
)
"""Creditor, every how many months, day of the month, amount, what for, enterprise number."""

SHOPS = (
    ('SUPERMARKT DE LINDE MECHELEN', 18, 95),
    ('BUURTWINKEL ST-ROMBOUTS', 6, 40),
    ('DOE-HET-ZELF MECHELEN-ZUID', 12, 240),
    ('TANKSTATION E19 RUMST', 45, 110),
    ('BAKKERIJ VAN HOVE', 4, 22),
    ('BRASSERIE DE BEURS', 28, 140),
    ('PAPIERWINKEL LECLERCQ', 9, 75),
)
"""Name, lowest and highest amount."""

ONLINE_SHOPS = (
    ('TOOLSHOP.EU AMSTERDAM', 20, 260),
    ('CLOUD SUITE DUBLIN', 12, 48),
    ('NMBS INTERNATIONAAL', 24, 160),
    ('SAWBLADES.COM LEEDS GB', 35, 190),
)


def demo(sim):
    """Fill the simulator up to its clock; returns the accounts by name."""
    catalogue(sim)
    accounts = _accounts(sim)
    for entry in sorted(_Company(sim.clock).entries(), key=lambda entry: entry.arrival):
        moments = {'createdAt': entry.arrival, 'updatedAt': entry.arrival}
        sim.add_transaction(
            accounts[entry.account], entry.amount, entry.execution_date, extra=moments, **entry.attributes
        )
    for name, amount, text in (('checking', '-64.20', 'TANKSTATION E19 RUMST'), ('checking', '1815.00', None)):
        sim.add_pending_transaction(accounts[name], amount, sim.clock.date(), counterpart_name=text)
    for account in accounts.values():
        sim.synchronize(account)
        sim.synchronize(account, WITH_UNSETTLED)
    return accounts


SEEDS = {'demo': demo}


def _accounts(sim):
    def add(name, reference, **attributes):
        institution = next(item for item in sim.institutions if item.name == name)
        return sim.add_account(reference, institution=institution, holder_name=HOLDER, **attributes)

    soon = sim.clock + timedelta(days=12)
    return {
        'checking': add('KBC', IBAN_CHECKING, description='Zichtrekening', product='Business Account'),
        'project': add('KBC', IBAN_PROJECT, description='Projectrekening', product='Business Account'),
        'savings': add('ING Belgium', IBAN_SAVINGS, description='Spaarrekening', subtype='savings'),
        'business': add(
            'Belfius', IBAN_BUSINESS, description='Rekening Brussel', authorization_expiration_expected_at=soon
        ),
        'dollar': add(
            'Belfius',
            IBAN_BUSINESS,
            currency='USD',
            description='Rekening USD',
            authorization_expiration_expected_at=soon,
        ),
        'card': add(
            'KBC',
            CARD,
            reference_type='MASKEDPAN',
            subtype='card',
            description='Bedrijfskaart',
            product='Business Card',
        ),
    }


@dataclass
class _Entry:
    """A row to be: `arrival` is the moment at which Ponto gets to know it, which gives Ponto's order."""

    account: str
    amount: Decimal
    execution_date: object
    arrival: datetime
    attributes: dict = field(default_factory=dict)


class _Company:
    """What happens on the company's accounts, month by month, as far as Ponto knows it at the moment `until`."""

    def __init__(self, until):
        self.until = until
        self.random = random.Random('Atelier Lindeboom')
        self.invoice = 1_000
        self.sequence = 0

    def entries(self):
        """All rows that have arrived."""
        months = _months(self.until)
        yield from self._opening(months[0])
        for first in months:
            for events in (
                self._customers, self._suppliers, self._direct_debits, self._wages, self._taxes, self._card_payments,
                self._takings, self._charges, self._refunds, self._project, self._savings, self._business, self._dollar,
                self._company_card,
            ):  # fmt: skip
                yield from (entry for entry in events(first) if entry.arrival <= self.until)
        yield from (entry for entry in self._sale(months[-2]) if entry.arrival <= self.until)

    # === BUILDING BLOCKS === #

    def _entry(self, account, amount, day, *, delay=0, value_day=None, **attributes):
        """A row of this day; one in thirty arrives days late, as banks do it."""
        self.sequence += 1
        delay = delay or (self.random.choice((2, 3, 6)) if self.random.random() < 1 / 30 else 0)
        moment = time(self.random.choice((2, 8)), self.random.randrange(20), tzinfo=UTC)
        arrival = datetime.combine(day + timedelta(days=delay), moment) + timedelta(milliseconds=self.sequence % 1000)
        if value_day:
            attributes['value_date'] = value_day
        return _Entry(account, Decimal(str(amount)), day, arrival, attributes)

    def _between(self, lowest, highest):
        return Decimal(self.random.randrange(int(lowest * 100), int(highest * 100) + 1)).scaleb(-2)

    def _day(self, first, day=None):
        """A day of the month, at random unless given; at the weekend the Monday after, as banks book."""
        chosen = first.replace(day=day or self.random.randint(1, calendar.monthrange(first.year, first.month)[1]))
        return chosen + timedelta(days=max(0, 7 - chosen.weekday()) if chosen.weekday() > 4 else 0)

    def _reference(self, habit, ours=True):
        """Remittance attributes of the next invoice, in the way this party writes it."""
        self.invoice += 1
        if habit == 'ogm':
            return {
                'remittance_information': structured_communication(2026_000_000 + self.invoice * 7),
                'remittance_information_type': 'structured',
            }
        if habit == 'rf':
            return {
                'remittance_information': creditor_reference(f'2026{self.invoice:05d}'),
                'remittance_information_type': 'structured',
            }
        if habit == 'nothing':
            return {'remittance_information': None}
        label = self.random.choice(('Factuur', 'factuur nr', 'Facture', 'Betaling fact.'))
        return {'remittance_information': f'{label} {"VF" if ours else "F"}2026/{self.invoice:05d}'}

    def _transfer(self, account, amount, day, name, number, **attributes):
        code = 'PMNT-RCDT-ESCT' if Decimal(str(amount)) > 0 else 'PMNT-ICDT-ESCT'
        attributes = {
            'description': 'Overschrijving',
            'counterpart_name': name,
            'counterpart_reference': number,
            'bank_transaction_code': code,
            'end_to_end_id': f'E2E{self.sequence:09d}',
            **attributes,
        }
        return self._entry(account, amount, day, **attributes)

    def _card_payment(self, account, amount, day, shop, card=DEBIT_CARD, **attributes):
        attributes = {
            'description': 'Betaling met bankkaart',
            'counterpart_name': shop,
            'additional_information': f'{shop} {day:%d/%m/%Y} KAART {card}',
            'bank_transaction_code': 'PMNT-CCRD-POSD',
            'card_reference': card,
            'card_reference_type': 'MASKEDPAN',
            **attributes,
        }
        return self._entry(account, amount, day, **attributes)

    # === THE CHECKING ACCOUNT === #

    def _opening(self, first):
        """What the accounts start with, so that each balance is the sum of its rows."""
        for account, amount in (('checking', 75000), ('project', 20000), ('business', 15000), ('dollar', 12000)):
            yield self._transfer(
                account,
                amount,
                first,
                HOLDER,
                belgian_iban(734, 15_0442),
                remittance_information='Overdracht bij opening',
            )

    def _customers(self, first):
        for _payment in range(30):
            name, number, habit = self.random.choice(CUSTOMERS)
            amount, day = self._between(280, 3400), self._day(first)
            yield self._transfer('checking', amount, day, name, number, **self._reference(habit))
        name, number, _habit = CUSTOMERS[0]
        day = self._day(first, 17)
        for _instalment in range(2):
            yield self._transfer(
                'checking', '1210.00', day, name, number, remittance_information='Schijf 2 werf Kapellei'
            )
        yield self._transfer(
            'checking',
            self._between(900, 1500),
            self._day(first, 9),
            *CUSTOMERS[1][:2],
            delay=20,
            **self._reference('ogm'),
        )

    def _suppliers(self, first):
        for name, number, habit, amount in SUPPLIERS:
            for _invoice in range(self.random.randint(1, 3)):
                value = -self._between(amount * 0.6, amount * 1.4)
                day = self._day(first)
                yield self._transfer('checking', value, day, name, number, **self._reference(habit, ours=False))
        yield self._transfer(
            'checking', '-2350.00', self._day(first, 1), 'Immo Zuidpark BV', belgian_iban(731, 4_4120),
            description='Bestendige opdracht', remittance_information=f'Huur atelier {first:%m/%Y}', end_to_end_id=None,
        )  # fmt: skip

    def _direct_debits(self, first):
        for index, (name, every, day, amount, purpose, company) in enumerate(DIRECT_DEBITS):
            if first.month % every:
                continue
            booked = self._day(first, day)
            yield self._entry(
                'checking',
                f'-{amount}',
                booked,
                value_day=booked + timedelta(days=1) if index % 2 else None,
                description='Europese domiciliëring',
                counterpart_name=name,
                counterpart_reference=belgian_iban(310, company),
                creditor_id=creditor_id('BE', enterprise_number(company)),
                mandate_id=f'M{company}-{index + 1:03d}',
                end_to_end_id=f'{company}{first:%Y%m}',
                bank_transaction_code='PMNT-RDDT-ESDD',
                remittance_information=f'{purpose} {first:%m/%Y}',
            )

    def _wages(self, first):
        day = self._day(first, 26)
        for name, number, amount in EMPLOYEES:
            yield self._transfer(
                'checking', f'-{amount}', day, name, number,
                purpose_code='SALA', remittance_information=f'Loon {first:%m/%Y}', end_to_end_id='NOTPROVIDED',
            )  # fmt: skip

    def _taxes(self, first):
        for name, number, day, lowest, highest in (
            ('Inning - Ontvangsten BTW', belgian_iban(679, 200_3000), 20, 4200, 7600),
            ('RSZ - ONSS', belgian_iban(679, 26_1811), 5, 3900, 4600),
            ('FOD Financiën - Bedrijfsvoorheffing', belgian_iban(679, 200_2291), 15, 2300, 2900),
        ):
            yield self._transfer(
                'checking', -self._between(lowest, highest), self._day(first, day), name, number,
                **self._reference('ogm', ours=False),
            )  # fmt: skip

    def _sale(self, first):
        """A month of selling: customers pay by reference, the shop buys by card, some money goes back."""
        for number in range(SALE_PAYMENTS):
            day = self._day(first)
            if number % 3 == 2:
                shop, lowest, highest = self.random.choice(SHOPS)
                yield self._card_payment('checking', -self._between(lowest, highest), day, shop)
                continue
            name, account_number, habit = self.random.choice(CUSTOMERS)
            # Prices of a sale are round, so equal amounts on one day are common.
            amount = Decimal(self.random.choice((49, 99, 149, 199, 299)))
            if number % 40 == 1:
                yield self._transfer(
                    'checking',
                    -amount,
                    day,
                    name,
                    account_number,
                    remittance_information=f'Terugbetaling bestelling {number}',
                )
            else:
                yield self._transfer('checking', amount, day, name, account_number, **self._reference(habit))

    def _card_payments(self, first):
        for _payment in range(22):
            shop, lowest, highest = self.random.choice(SHOPS)
            day = self._day(first)
            value_day = day + timedelta(days=1) if self.random.random() < 0.3 else None
            yield self._card_payment('checking', -self._between(lowest, highest), day, shop, value_day=value_day)
        day = self._day(first, 12)
        for _ticket in range(2):
            yield self._card_payment('checking', '-4.80', day, 'PARKING GROTE MARKT MECHELEN')

    def _takings(self, first):
        """The card terminal of the showroom: net of the fee, every Tuesday and Friday."""
        for day in _days(first):
            if day.weekday() in (1, 4):
                gross = self._between(160, 1150)
                fee = (gross * Decimal('0.014')).quantize(Decimal('0.01'))
                yield self._entry(
                    'checking', gross - fee, day, fee=fee, description='Afrekening betaalterminal',
                    counterpart_name='BETAALTERMINAL BELGIE NV', counterpart_reference=belgian_iban(1, 900_4471),
                    bank_transaction_code='PMNT-MCRD-POSP',
                    remittance_information=f'TERM 0451882 {day:%d/%m} {self.random.randint(3, 28)} TRX BRUTO {gross}',
                )  # fmt: skip

    def _charges(self, first):
        yield self._entry('checking', '-6.50', self._day(first, 3), description='Beheerskosten rekening')
        yield self._entry(
            'checking', f'-{self._between(3, 19)}', self._day(first, 4), description='Kosten betaalverkeer',
            additional_information=f'Detail kosten {first:%m/%Y}: verrichtingen, kaarten, uittreksels',
            bank_transaction_code='ACMT-MDOP-CHRG',
        )  # fmt: skip

    def _refunds(self, first):
        name, number, _habit, _amount = SUPPLIERS[first.month % len(SUPPLIERS)]
        yield self._transfer(
            'checking', self._between(20, 180), self._day(first, 19), name, number,
            remittance_information=f'Terugbetaling creditnota CN{first:%Y}/{first.month:03d}',
        )  # fmt: skip
        yield self._card_payment(
            'checking', self._between(9, 45), self._day(first, 23), 'DOE-HET-ZELF MECHELEN-ZUID',
            description='Terugbetaling kaartbetaling',
        )  # fmt: skip
        if first.month % 4 == 0:
            name, _every, _day, amount, purpose, company = DIRECT_DEBITS[3]
            yield self._entry(
                'checking', amount, self._day(first, 27), description='Terugbetaling Europese domiciliëring',
                counterpart_name=name, creditor_id=creditor_id('BE', enterprise_number(company)),
                mandate_id=f'M{company}-004', bank_transaction_code='PMNT-RDDT-PRDD',
                remittance_information=f'{purpose} terugbetaling',
            )  # fmt: skip

    # === THE OTHER ACCOUNTS === #

    def _between_own(self, giving, receiving, numbers, amount, day, text):
        """The two rows of a transfer between the company's own accounts."""
        from_number, to_number = numbers
        yield self._transfer(giving, -amount, day, HOLDER, to_number, remittance_information=text)
        yield self._transfer(receiving, amount, day, HOLDER, from_number, remittance_information=text)

    def _project(self, first):
        numbers = (IBAN_CHECKING, IBAN_PROJECT)
        text = 'Voorschot project'
        yield from self._between_own('checking', 'project', numbers, Decimal(3500), self._day(first, 6), text)
        for _payment in range(8):
            name, number, habit, amount = self.random.choice(SUPPLIERS)
            value = -self._between(amount * 0.3, amount * 0.9)
            yield self._transfer('project', value, self._day(first), name, number, **self._reference(habit, ours=False))
        name, number, habit = self.random.choice(CUSTOMERS)
        amount = self._between(1500, 3900)
        yield self._transfer('project', amount, self._day(first, 24), name, number, **self._reference(habit))

    def _savings(self, first):
        """Dates of this bank are midnight in Brussels; its remittance texts are lists with line breaks."""
        amount, day = Decimal(1500), self._day(first, 28)
        text = 'Reserve'
        yield self._transfer('checking', -amount, day, HOLDER, IBAN_SAVINGS, remittance_information=text)
        yield self._saved(amount, day, HOLDER, IBAN_CHECKING, text)
        for sunday in (day for day in _days(first) if day.weekday() == 6):
            yield self._saved(self._between(1, 9), sunday, HOLDER, IBAN_CHECKING, 'Automatisch afronden')
        if first.month % 3 == 0:
            last = _days(first)[-1]
            yield self._saved(self._between(40, 160), last, 'ING Belgium', None, 'Interest en getrouwheidspremie')

    def _saved(self, amount, day, name, number, text):
        value_day = day + timedelta(days=1)
        lines = [f'Naam: {name}', f'Omschrijving: {text}', *([f'IBAN: {number}'] if number else [])]
        lines += [f'Datum: {day:%d-%m-%Y}', f'Valutadatum: {value_day:%d-%m-%Y}']
        entry = self._entry(
            'savings', amount, day, value_day=brussels_midnight(value_day), description='Online bankieren',
            counterpart_name=name, counterpart_reference=number, remittance_information='<br>'.join(lines),
        )  # fmt: skip
        entry.execution_date = brussels_midnight(day)
        return entry

    def _business(self, first):
        for _payment in range(9):
            name, number, habit = self.random.choice(CUSTOMERS[5:])
            amount, day = self._between(90, 1100), self._day(first)
            yield self._transfer('business', amount, day, name, number, **self._reference(habit))
        for _payment in range(5):
            name, number, habit, amount = self.random.choice(SUPPLIERS)
            value = -self._between(amount * 0.4, amount)
            yield self._transfer(
                'business', value, self._day(first), name, number, **self._reference(habit, ours=False)
            )
        yield self._entry('business', '-4.25', self._day(first, 2), description='Kosten rekening')

    def _dollar(self, first):
        for number in range(3):
            yield self._transfer(
                'dollar', self._between(700, 4200), self._day(first), 'Harbor Design LLC', '021000089-48127755',
                bank_transaction_code='PMNT-RCDT-XBCT',
                remittance_information=f'/INV/{first:%Y%m}{number + 1:02d}/BE FURNITURE',
            )  # fmt: skip
        yield self._transfer(
            'dollar', -self._between(2500, 7100), self._day(first), 'Cascade Hardwood Inc.', '125000024-90114',
            bank_transaction_code='PMNT-ICDT-XBCT', remittance_information=f'PO {first:%y%m}-114 walnut',
        )  # fmt: skip
        yield self._entry('dollar', '-15.00', self._day(first, 10), description='Foreign payment charge')

    def _company_card(self, first):
        spent = Decimal()
        for _payment in range(12):
            shop, lowest, highest = self.random.choice(ONLINE_SHOPS + SHOPS[3:6])
            amount = self._between(lowest, highest)
            fee = (amount * Decimal('0.016')).quantize(Decimal('0.01')) if shop.endswith('GB') else None
            day = self._day(first, self.random.randint(1, 24))
            spent += amount
            yield self._card_payment('card', -amount, day, shop, card=CARD, fee=fee)
        day = self._day(first, 28)
        text = f'Kaartafrekening {first:%m/%Y} {CARD}'
        yield self._entry('card', spent, day, description='Aanzuivering', remittance_information=text)
        yield self._entry('checking', -spent, day, description='Afrekening bedrijfskaart', remittance_information=text)


def _months(until):
    """First days of the last months, the oldest first, the month of `until` included."""
    index = until.year * 12 + until.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(index - MONTHS + 1, index + 1)]


def _days(first):
    return [first.replace(day=day) for day in range(1, calendar.monthrange(first.year, first.month)[1] + 1)]


def brussels_midnight(day):
    """Midnight in Brussels as UTC, by the Union's rule for summer time (this machine may lack a time zone database)."""
    starts, ends = (_last_sunday(day.year, month) for month in (3, 10))
    hours = 2 if starts < day <= ends else 1
    return datetime.combine(day, time(), UTC) - timedelta(hours=hours)


def _last_sunday(year, month):
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
