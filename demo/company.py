"""The demo: five months of a Belgian cabinetmaker with six accounts at three banks, and the public catalogue.

The last whole month has the opening sale of a new showroom: over 2,000 rows, as a busy company has them.

Every name is invented or generic, every account number and reference has valid check digits, and the same clock
always gives the same rows. The balance of each account is the sum of its rows.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from .books import Answer, Document
from .catalogue import catalogue
from .entries import Writer, brussels_midnight, days, halves, months, shopping
from .identifiers import belgian_iban, creditor_id, enterprise_number
from .letting import letting
from .parties import (
    CARD,
    CUSTOMERS,
    DIRECT_DEBITS,
    EMPLOYEES,
    HOLDER,
    IBAN_BUSINESS,
    IBAN_CHECKING,
    IBAN_PROJECT,
    IBAN_SAVINGS,
    ONLINE_SHOPS,
    SHOPS,
    SUPPLIERS,
)

SALE_PAYMENTS = 1900
WITH_UNSETTLED = 'accountTransactionsWithUnsettled'


def demo(sim):
    """Fill the simulator up to its clock; returns the accounts of the first integration by name."""
    catalogue(sim)
    accounts = _accounts(sim)
    for entry in sorted(Company(sim.clock).entries(), key=lambda entry: entry.arrival):
        moments = {'createdAt': entry.arrival, 'updatedAt': entry.arrival}
        sim.add_transaction(
            accounts[entry.account], entry.amount, entry.execution_date, extra=moments, **entry.attributes
        )
    for name, amount, text in (('checking', '-64.20', 'TANKSTATION E19 RUMST'), ('checking', '1815.00', None)):
        sim.add_pending_transaction(accounts[name], amount, sim.clock.date(), counterpart_name=text)
    for account in accounts.values():
        sim.synchronize(account)
        sim.synchronize(account, WITH_UNSETTLED)
    letting(sim)
    return accounts


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


class Company(Writer):
    """What happens on the company's accounts, month by month, as far as Ponto knows it at the moment `until`."""

    def entries(self):
        """All rows that have arrived."""
        all_months = months(self.until)
        yield from self._opening(all_months[0])
        for first in all_months:
            for events in (
                self._customers, self._suppliers, self._direct_debits, self._wages, self._taxes, self._card_payments,
                self._takings, self._charges, self._refunds, self._project, self._savings, self._business, self._dollar,
                self._company_card,
            ):  # fmt: skip
                yield from (entry for entry in events(first) if entry.arrival <= self.until)
        yield from (entry for entry in self._sale(all_months[-2]) if entry.arrival <= self.until)

    # -------------------------------------------------------------------------
    # The checking account
    # -------------------------------------------------------------------------

    def _opening(self, first):
        """What the accounts start with, so that each balance is the sum of its rows."""
        for account, amount in (('checking', 75000), ('project', 20000), ('business', 15000), ('dollar', 12000)):
            yield self.transfer(
                account,
                amount,
                first,
                HOLDER,
                belgian_iban(734, 15_0442),
                remittance_information='Overdracht bij opening',
                answer=Answer(account='capital'),
            )

    def _customers(self, first):
        for _payment in range(30):
            name, number, habit = self.random.choice(CUSTOMERS)
            amount, day = self.between(280, 3400), self.day(first)
            yield self.payment('checking', amount, day, name, number, habit)
        name, number, _habit = CUSTOMERS[0]
        day = self.day(first, 17)
        for _instalment in range(2):
            document = Document('out_invoice', name, f'W{first:%Y%m}{_instalment}', Decimal(1210), day)
            yield self.transfer(
                'checking', '1210.00', day, name, number, remittance_information='Schijf 2 werf Kapellei',
                answer=Answer((document,)),
            )  # fmt: skip
        amount, day = self.between(900, 1500), self.day(first, 9)
        yield self.payment('checking', amount, day, *CUSTOMERS[1][:2], 'ogm', delay=20)

    def _suppliers(self, first):
        for name, number, habit, amount in SUPPLIERS:
            for _invoice in range(self.random.randint(1, 3)):
                value = -self.between(amount * 0.6, amount * 1.4)
                day = self.day(first)
                yield self.payment('checking', value, day, name, number, habit, ours=False)
        yield self._with_discount(first)
        yield self.transfer(
            'checking', '-2350.00', self.day(first, 1), 'Immo Zuidpark BV', belgian_iban(731, 4_4120),
            description='Bestendige opdracht', remittance_information=f'Huur atelier {first:%m/%Y}', end_to_end_id=None,
            answer=Answer(account='rent'),
        )  # fmt: skip

    def _direct_debits(self, first):
        for index, (name, every, day, amount, purpose, company, books) in enumerate(DIRECT_DEBITS):
            if first.month % every:
                continue
            booked = self.day(first, day)
            yield self.entry(
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
                answer=Answer(account=books),
            )

    def _wages(self, first):
        day = self.day(first, 26)
        for name, number, amount in EMPLOYEES:
            yield self.transfer(
                'checking', f'-{amount}', day, name, number,
                purpose_code='SALA', remittance_information=f'Loon {first:%m/%Y}', end_to_end_id='NOTPROVIDED',
                answer=Answer(account='salaries'),
            )  # fmt: skip

    def _taxes(self, first):
        for name, number, day, lowest, highest, books in (
            ('Inning - Ontvangsten BTW', belgian_iban(679, 200_3000), 20, 4200, 7600, 'vat'),
            ('RSZ - ONSS', belgian_iban(679, 26_1811), 5, 3900, 4600, 'social'),
            ('FOD Financiën - Bedrijfsvoorheffing', belgian_iban(679, 200_2291), 15, 2300, 2900, 'withholding'),
        ):
            yield self.transfer(
                'checking', -self.between(lowest, highest), self.day(first, day), name, number,
                **self.reference('ogm', ours=False), answer=Answer(account=books),
            )  # fmt: skip

    def _sale(self, first):
        """A month of selling: customers pay by reference, the shop buys by card, some money goes back."""
        for number in range(SALE_PAYMENTS):
            day = self.day(first)
            if number % 3 == 2:
                shop, lowest, highest = self.random.choice(SHOPS)
                yield self.card_payment('checking', -self.between(lowest, highest), day, shop, answer=shopping(shop))
                continue
            name, account_number, habit = self.random.choice(CUSTOMERS)
            # Prices of a sale are round, so equal amounts on one day are common.
            amount = Decimal(self.random.choice((49, 99, 149, 199, 299)))
            if habit == 'nothing':
                amount += Decimal(number % 997).scaleb(-1)
            if number % 40 == 1:
                yield self.transfer(
                    'checking',
                    -amount,
                    day,
                    name,
                    account_number,
                    remittance_information=f'Terugbetaling bestelling {number}',
                    answer=Answer((Document('out_refund', name, f'bestelling {number}', amount, day),)),
                )
            else:
                yield self.payment('checking', amount, day, name, account_number, habit)

    def _card_payments(self, first):
        for _payment in range(22):
            shop, lowest, highest = self.random.choice(SHOPS)
            day = self.day(first)
            value_day = day + timedelta(days=1) if self.random.random() < 0.3 else None
            amount = -self.between(lowest, highest)
            yield self.card_payment('checking', amount, day, shop, value_day=value_day, answer=shopping(shop))
        day = self.day(first, 12)
        for _ticket in range(2):
            yield self.card_payment(
                'checking', '-4.80', day, 'PARKING GROTE MARKT MECHELEN', answer=Answer(account='travel')
            )

    def _takings(self, first):
        """The card terminal of the showroom: net of the fee, every Tuesday and Friday."""
        for day in days(first):
            if day.weekday() in (1, 4):
                gross = self.between(160, 1150)
                fee = (gross * Decimal('0.014')).quantize(Decimal('0.01'))
                yield self.entry(
                    'checking', gross - fee, day, fee=fee, description='Afrekening betaalterminal',
                    counterpart_name='BETAALTERMINAL BELGIE NV', counterpart_reference=belgian_iban(1, 900_4471),
                    bank_transaction_code='PMNT-MCRD-POSP',
                    remittance_information=f'TERM 0451882 {day:%d/%m} {self.random.randint(3, 28)} TRX BRUTO {gross}',
                    answer=Answer(account='sales'),
                )  # fmt: skip

    def _charges(self, first):
        charges = Answer(account='charges')
        yield self.entry('checking', '-6.50', self.day(first, 3), description='Beheerskosten rekening', answer=charges)
        yield self.entry(
            'checking', f'-{self.between(3, 19)}', self.day(first, 4), description='Kosten betaalverkeer',
            additional_information=f'Detail kosten {first:%m/%Y}: verrichtingen, kaarten, uittreksels',
            bank_transaction_code='ACMT-MDOP-CHRG', answer=charges,
        )  # fmt: skip

    def _refunds(self, first):
        name, number, _habit, _amount = SUPPLIERS[first.month % len(SUPPLIERS)]
        amount, day, reference = self.between(20, 180), self.day(first, 19), f'CN{first:%Y}/{first.month:03d}'
        yield self.transfer(
            'checking', amount, day, name, number, remittance_information=f'Terugbetaling creditnota {reference}',
            answer=Answer((Document('in_refund', name, reference, amount, day - timedelta(days=9)),)),
        )  # fmt: skip
        yield self.card_payment(
            'checking', self.between(9, 45), self.day(first, 23), 'DOE-HET-ZELF MECHELEN-ZUID',
            description='Terugbetaling kaartbetaling', answer=Answer(account='tools'),
        )  # fmt: skip
        if first.month % 4 == 0:
            name, _every, _day, amount, purpose, company, books = DIRECT_DEBITS[3]
            yield self.entry(
                'checking', amount, self.day(first, 27), description='Terugbetaling Europese domiciliëring',
                counterpart_name=name, creditor_id=creditor_id('BE', enterprise_number(company)),
                mandate_id=f'M{company}-004', bank_transaction_code='PMNT-RDDT-PRDD',
                remittance_information=f'{purpose} terugbetaling', answer=Answer(account=books),
            )  # fmt: skip

    def _with_discount(self, first):
        """A supplier's bill, paid in time for two percent less."""
        name, number, habit, _amount = SUPPLIERS[8]
        day, text = self.day(first, 18), self.reference(habit, ours=False)
        amount = Decimal(self.random.randrange(600, 1900))
        document = replace(
            self.document(name, text, amount, day, ours=False, is_discounted=True), date=day - timedelta(days=5)
        )
        paid = (amount * Decimal('0.98')).quantize(Decimal('0.01'))
        return self.transfer('checking', -paid, day, name, number, answer=Answer((document,)), **text)

    # -------------------------------------------------------------------------
    # The other accounts
    # -------------------------------------------------------------------------

    def _between_own(self, giving, receiving, numbers, amount, day, text):
        """The two rows of a transfer between the company's own accounts."""
        from_number, to_number = numbers
        gone = self.transfer(giving, -amount, day, HOLDER, to_number, remittance_information=text)
        came = self.transfer(receiving, amount, day, HOLDER, from_number, remittance_information=text)
        yield from halves(gone, came)

    def _project(self, first):
        numbers = (IBAN_CHECKING, IBAN_PROJECT)
        text = 'Voorschot project'
        yield from self._between_own('checking', 'project', numbers, Decimal(3500), self.day(first, 6), text)
        for _payment in range(8):
            name, number, habit, amount = self.random.choice(SUPPLIERS)
            value = -self.between(amount * 0.3, amount * 0.9)
            yield self.payment('project', value, self.day(first), name, number, habit, ours=False)
        name, number, habit = self.random.choice(CUSTOMERS)
        amount = self.between(1500, 3900)
        yield self.payment('project', amount, self.day(first, 24), name, number, habit)

    def _savings(self, first):
        """Dates of this bank are midnight in Brussels; its remittance texts are lists with line breaks."""
        amount, day = Decimal(1500), self.day(first, 28)
        text = 'Reserve'
        gone = self.transfer('checking', -amount, day, HOLDER, IBAN_SAVINGS, remittance_information=text)
        yield from halves(gone, self._saved(amount, day, HOLDER, IBAN_CHECKING, text))
        for sunday in (day for day in days(first) if day.weekday() == 6):
            # What the shop rounds up comes from an account of the same bank that is not connected.
            rounded = self._saved(self.between(1, 9), sunday, HOLDER, IBAN_CHECKING, 'Automatisch afronden')
            rounded.answer = Answer(account='transfer')
            yield rounded
        if first.month % 3 == 0:
            last = days(first)[-1]
            interest = self._saved(self.between(40, 160), last, 'ING Belgium', None, 'Interest en getrouwheidspremie')
            interest.answer = Answer(account='interest')
            yield interest

    def _saved(self, amount, day, name, number, text):
        value_day = day + timedelta(days=1)
        lines = [f'Naam: {name}', f'Omschrijving: {text}', *([f'IBAN: {number}'] if number else [])]
        lines += [f'Datum: {day:%d-%m-%Y}', f'Valutadatum: {value_day:%d-%m-%Y}']
        entry = self.entry(
            'savings', amount, day, value_day=brussels_midnight(value_day), description='Online bankieren',
            counterpart_name=name, counterpart_reference=number, remittance_information='<br>'.join(lines),
        )  # fmt: skip
        entry.execution_date = brussels_midnight(day)
        return entry

    def _business(self, first):
        for _payment in range(9):
            name, number, habit = self.random.choice(CUSTOMERS[5:])
            amount, day = self.between(90, 1100), self.day(first)
            yield self.payment('business', amount, day, name, number, habit)
        for _payment in range(5):
            name, number, habit, amount = self.random.choice(SUPPLIERS)
            value = -self.between(amount * 0.4, amount)
            yield self.payment('business', value, self.day(first), name, number, habit, ours=False)
        yield self.entry(
            'business', '-4.25', self.day(first, 2), description='Kosten rekening', answer=Answer(account='charges')
        )
        yield self._batch(first)

    def _batch(self, first):
        """Three bills that were paid together from Odoo: one row at the bank."""
        batch, day = f'BATCH/{first:%Y%m}', self.day(first, 21)
        documents = []
        for name, _number, habit, amount in SUPPLIERS[:3]:
            text = self.reference(habit, ours=False)
            document = self.document(name, text, self.between(amount * 0.4, amount), day, ours=False)
            documents.append(replace(document, paid_from='business', batch=batch))
        return self.entry(
            'business', -sum(document.amount for document in documents), day, description='Groepsbetaling',
            remittance_information=batch, bank_transaction_code='PMNT-ICDT-ESCT', answer=Answer(tuple(documents)),
        )  # fmt: skip

    def _dollar(self, first):
        for number in range(3):
            amount, day, reference = self.between(700, 4200), self.day(first), f'INV/{first:%Y%m}{number + 1:02d}'
            yield self.transfer(
                'dollar', amount, day, 'Harbor Design LLC', '021000089-48127755',
                bank_transaction_code='PMNT-RCDT-XBCT', remittance_information=f'/{reference}/BE FURNITURE',
                answer=Answer((Document('out_invoice', 'Harbor Design LLC', reference, amount, day, 'USD'),)),
            )  # fmt: skip
        amount, day, reference = self.between(2500, 7100), self.day(first), f'PO {first:%y%m}-114'
        yield self.transfer(
            'dollar', -amount, day, 'Cascade Hardwood Inc.', '125000024-90114',
            bank_transaction_code='PMNT-ICDT-XBCT', remittance_information=f'{reference} walnut',
            answer=Answer((Document('in_invoice', 'Cascade Hardwood Inc.', reference, amount, day, 'USD'),)),
        )  # fmt: skip
        charges = Answer(account='charges')
        yield self.entry('dollar', '-15.00', self.day(first, 10), description='Foreign payment charge', answer=charges)

    def _company_card(self, first):
        spent = Decimal()
        for _payment in range(12):
            shop, lowest, highest = self.random.choice(ONLINE_SHOPS + SHOPS[3:6])
            amount = self.between(lowest, highest)
            fee = (amount * Decimal('0.016')).quantize(Decimal('0.01')) if shop.endswith('GB') else None
            day = self.day(first, self.random.randint(1, 24))
            spent += amount
            yield self.card_payment('card', -amount, day, shop, card=CARD, fee=fee, answer=shopping(shop))
        day = self.day(first, 28)
        text = f'Kaartafrekening {first:%m/%Y} {CARD}'
        through = Answer(account='transfer')
        for account, amount, name in (
            ('card', spent, 'Aanzuivering'),
            ('checking', -spent, 'Afrekening bedrijfskaart'),
        ):
            yield self.entry(account, amount, day, description=name, remittance_information=text, answer=through)
