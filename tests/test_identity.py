"""Which account is which, when Ponto lists accounts under new ids."""

from datetime import date

from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged

from ..models.identity import Traits, recognize
from .common import PontoCase

NUMBER = 'BE71096123456769'


def pot(**traits):
    return Traits(**{'number': NUMBER, 'currency': 'EUR', 'institution': 'Kadebank', **traits})


def card(**traits):
    return Traits(**{'currency': 'EUR', 'institution': 'Kadebank', 'subtype': 'card', **traits})


@tagged('post_install', '-at_install')
class TestRecognize(BaseCase):
    def test_number_and_currency_are_enough_whatever_the_institution(self):
        same, questions = recognize({'old': pot()}, {'new': pot(institution='Nieuwe Kadebank')})
        self.assertEqual((same, questions), ({'new': 'old'}, {}))

    def test_another_currency_of_one_number_is_another_account(self):
        self.assertEqual(recognize({'old': pot()}, {'new': pot(currency='USD')}), ({}, {}))

    def test_sub_accounts_of_one_number_are_told_apart_by_each_thing_that_they_tell(self):
        for name in ('subtype', 'product', 'description', 'holder', 'internal_reference'):
            lost = {'a': pot(**{name: 'one'}), 'b': pot(**{name: 'two'})}
            listed = {'x': pot(**{name: 'two'}), 'y': pot(**{name: 'one'})}
            self.assertEqual(recognize(lost, listed), ({'x': 'b', 'y': 'a'}, {}), name)

    def test_the_one_that_is_left_is_the_other_one_although_the_bank_tells_less_of_it(self):
        lost = {'a': pot(description='main'), 'b': pot(description='reserve')}
        self.assertEqual(recognize(lost, {'x': pot(description='main'), 'y': pot()})[0], {'x': 'a', 'y': 'b'})

    def test_what_nothing_tells_apart_is_asked(self):
        self.assertEqual(
            recognize({'a': pot(), 'b': pot()}, {'x': pot(), 'y': pot()}), ({}, {'x': ['a', 'b'], 'y': ['a', 'b']})
        )
        self.assertEqual(recognize({'a': pot(), 'b': pot()}, {'x': pot()}), ({}, {'x': ['a', 'b']}))

    def test_one_that_says_otherwise_is_asked_and_not_taken(self):
        lost, listed = {'old': pot(description='main')}, {'new': pot(description='reserve')}
        self.assertEqual(recognize(lost, listed), ({}, {'new': ['old']}))

    def test_transactions_decide_where_the_traits_do_not(self):
        lost, listed = {'a': pot(), 'b': pot()}, {'x': pot(), 'y': pot()}
        truth = {('a', 'x'): False, ('a', 'y'): True, ('b', 'x'): True, ('b', 'y'): False}
        self.assertEqual(recognize(lost, listed, lambda *pair: truth[pair]), ({'x': 'b', 'y': 'a'}, {}))
        # Both have the same transactions: still a question. None has any of them: another account.
        self.assertEqual(recognize({'a': pot(), 'b': pot()}, {'x': pot()}, lambda *pair: True)[1], {'x': ['a', 'b']})
        self.assertEqual(recognize({'a': pot(subtype='a')}, {'x': pot(subtype='x')}, lambda *pair: False), ({}, {}))

    def test_transactions_are_not_read_where_the_traits_are_enough(self):
        recognize({'a': pot()}, {'x': pot(), 'y': pot(currency='USD')}, lambda *pair: self.fail())

    def test_a_card_without_number_is_known_by_institution_subtype_and_currency_if_it_is_the_only_one(self):
        self.assertEqual(recognize({'old': card()}, {'new': card()})[0], {'new': 'old'})
        self.assertEqual(recognize({'old': card()}, {'new': card(institution='Duinbank')}), ({}, {'new': ['old']}))
        self.assertEqual(
            recognize({'old': card()}, {'new': card(institution='Duinbank')}, lambda *pair: True)[0], {'new': 'old'}
        )
        self.assertEqual(recognize({'a': card(), 'b': card()}, {'new': card()}), ({}, {'new': ['a', 'b']}))
        self.assertEqual(recognize({'old': card(number=NUMBER)}, {'new': card()}), ({}, {}))

    def test_transactions_decide_first_about_a_card_without_number(self):
        lost, listed = {'old': card(holder='smit')}, {'new': card(holder='smit')}
        self.assertEqual(recognize(lost, listed, lambda *pair: None)[0], {'new': 'old'})
        self.assertEqual(recognize(lost, listed, lambda *pair: True)[0], {'new': 'old'})
        self.assertEqual(recognize(lost, listed, lambda *pair: False), ({}, {'new': ['old']}))
        lost['other'] = card(holder='jansen')
        truth = {('old', 'new'): None, ('other', 'new'): True}
        self.assertEqual(recognize(lost, listed, lambda *pair: truth[pair])[0], {'new': 'other'})


@tagged('post_install', '-at_install')
class TestIdentity(PontoCase):
    def wizard(self):
        wizard = (
            self.env['ponto.connect']
            .with_user(self.accountant)
            ._create_for(self.integration.with_user(self.accountant))
        )
        wizard._fetch_accounts()
        return wizard

    def pots(self, *descriptions, **attributes):
        """Return simulated accounts that share a number, with three transactions each, and no reference of the bank."""
        pots = []
        for place, description in enumerate(descriptions):
            online = self.simulator.add_account(
                NUMBER, institution=self.bank, description=description, extra={'internalReference': None}, **attributes
            )
            for number in (1, 2, 3):
                self.simulator.add_transaction(online, 100 * place + number, f'2026-03-0{number}')
            pots.append(online)
        return pots

    def linked(self, onlines):
        accounts = self.env['ponto.account']
        for online in onlines:
            accounts += self.link(online)
        accounts._synchronize()
        return accounts

    def amounts(self, account):
        return self.lines(account).mapped('amount')

    def test_sub_accounts_that_are_issued_anew_keep_their_journals(self):
        pots = self.pots("Main", "Reserve")
        main, reserve = self.linked(pots)
        for online in reversed(pots):
            self.simulator.reissue_account(online)
        self.integration._fetch_accounts()
        (main + reserve)._synchronize()
        self.assertEqual((self.amounts(main), self.amounts(reserve)), ([1, 2, 3], [101, 102, 103]))
        self.assertEqual((main + reserve).mapped('state'), ['active', 'active'])

    def test_sub_accounts_that_tell_nothing_are_told_apart_by_their_transactions(self):
        pots = self.pots(None, None)
        first, second = self.linked(pots)
        new_second, new_first = (self.simulator.reissue_account(online) for online in reversed(pots))
        self.integration._fetch_accounts()
        self.assertEqual((first.ponto_id, second.ponto_id), (new_first, new_second))

    def test_what_nobody_can_know_is_asked_and_the_answer_takes_over_what_is_known(self):
        pots = self.pots(None, None)
        first, second = self.linked(pots)
        for online in pots:
            new = self.simulator.account(self.simulator.reissue_account(online))
            for row in list(new.transactions):
                self.simulator.remove_transaction(row.id)
        wizard = self.wizard()
        self.assertEqual((first + second).mapped('state'), ['withdrawn', 'withdrawn'])
        offered = wizard.line_ids.filtered(lambda line: line.reference == NUMBER)
        self.assertEqual(offered.mapped('action'), ['existing', 'existing'])
        self.assertFalse(offered.journal_id)
        self.assertIn(f"{first.journal_id.display_name} (", offered[0].hint)
        self.assertIn("one of the accounts", wizard.hints)
        with self.assertRaisesRegex(UserError, "Choose the journal"):
            wizard.action_link_accounts()

    def test_a_person_says_that_it_is_the_account_that_a_journal_had(self):
        [online] = self.pots("Main")
        [account] = self.linked([online])
        journal = account.journal_id
        self.lines(account)[0].unlink()
        new = self.simulator.account(self.simulator.reissue_account(online))
        self.simulator.change_account(new, description="Cash", subtype='savings')
        # Too few for a judgment: one of two is known.
        for row in list(new.transactions)[:1]:
            self.simulator.change_transaction(row.id, remittance_information="Other words")
        self.simulator.remove_transaction(new.transactions[1].id)
        wizard = self.wizard()
        line = wizard.line_ids.filtered(lambda line: line.reference == NUMBER)
        self.assertRecordValues(line, [{'action': 'existing', 'journal_id': journal.id, 'start_date': False}])
        self.assertIn(f"Is this the account whose transactions went to {journal.display_name} until", line.hint)
        (wizard.line_ids - line).action = 'skip'
        self.simulator.add_transaction(new, 50, '2026-04-01')
        wizard.action_link_accounts()
        self.assertEqual(journal.ponto_account_ids.ponto_id, new.id)
        self.assertEqual((account.state, account.transaction_ids), ('withdrawn', self.env['ponto.transaction']))
        rows = journal.ponto_account_ids.transaction_ids
        self.assertEqual(rows.filtered(lambda row: row.amount == 1).state, 'removed')
        self.assertIn(50, self.lines(journal.ponto_account_ids).mapped('amount'))
        self.assertEqual(rows.filtered(lambda row: row.amount == 3 and row.state == 'held').hold_reason, 'duplicate')

    def card(self, *days, amount=10):
        card = self.simulator.add_account(
            '', institution=self.bank, subtype='card', holder_name="De Kade", extra={'internalReference': None}
        )
        for day in days:
            self.simulator.add_transaction(card, amount, day)
        return card

    def lose(self, card):
        """Return the account of `card`, linked and read, that cannot be read any more."""
        [account] = self.linked([card])
        self.simulator.untick(card)
        return account

    def test_another_card_of_the_same_holder_is_asked_about(self):
        account = self.lose(self.card('2026-03-01', '2026-03-09'))
        journal = account.journal_id
        other = self.card('2026-03-02', amount=7)
        line = self.wizard().line_ids.filtered(lambda line: line.account_id.ponto_id == other.id)
        self.assertEqual((account.state, line.journal_id), ('withdrawn', journal))
        self.assertIn(f"Is this the account whose transactions went to {journal.display_name} until", line.hint)

    def test_another_card_is_asked_about_also_if_only_the_lost_one_was_used_in_the_same_days(self):
        account = self.lose(self.card('2026-03-05', '2026-03-09'))
        self.card('2026-03-01', '2026-03-20', amount=7)
        self.integration._fetch_accounts()
        self.assertEqual(account.state, 'withdrawn')

    def test_a_card_that_lists_the_same_transactions_is_the_same(self):
        account = self.lose(self.card('2026-03-01', '2026-03-09'))
        same = self.card('2026-03-01', '2026-03-09', '2026-03-12')
        self.integration._fetch_accounts()
        self.assertEqual((account.ponto_id, account.state), (same.id, 'active'))
        account._synchronize()
        self.assertEqual(self.amounts(account), [10, 10, 10])

    def test_a_card_with_nothing_to_compare_is_the_same_if_it_is_the_only_one(self):
        account = self.lose(self.card('2026-03-01'))
        same = self.card('2026-03-12')
        self.integration._fetch_accounts()
        self.assertEqual(account.ponto_id, same.id)

    def test_any_account_that_is_linked_to_the_journal_of_a_lost_one_takes_over_what_is_known(self):
        [online] = self.pots("Main")
        [account] = self.linked([online])
        journal = account.journal_id
        other = self.simulator.add_account('BE43068999999501', institution=self.bank)
        for number in (1, 2, 3):
            self.simulator.add_transaction(other, number, f'2026-03-0{number}')
        self.integration._fetch_accounts()
        successor = self.env['ponto.account'].search([('ponto_id', '=', other.id)])
        with self.assertRaisesRegex(UserError, "receives the transactions of"):
            successor._link_to_journal(journal)
        self.simulator.untick(online)
        self.integration._fetch_accounts()
        successor._link_to_journal(journal)
        successor._synchronize()
        self.assertEqual(self.amounts(successor), [1, 2, 3])
        self.assertEqual(set(successor.transaction_ids.mapped('state')), {'booked'})

    def test_a_merged_bank_is_recognised_and_nothing_comes_twice(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        merged = self.simulator.add_institution("Nieuwe Kadebank", bic='NKADEBEB')
        online = self.simulator.account(self.simulator.reissue_account(self.online))
        online.institution_id = merged.id
        self.simulator.change_account(online, extra={'internalReference': 'new'}, description="Zicht", product="Plus")
        self.integration._fetch_accounts()
        account._synchronize()
        self.assertEqual((account.institution_id.name, self.amounts(account)), ("Nieuwe Kadebank", [10]))

    def test_a_replaced_connection_continues_in_the_journal_of_the_old_one_when_a_person_says_so(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        journal = account.journal_id
        self.simulator.change_account(self.online, deprecated=True)
        bank = self.simulator.add_institution("Kadebank (new)", bic='KADEBEBB')
        online = self.simulator.add_account('BE68539007547034', institution=bank, holder_name="De Kade")
        for amount, day in ((10, '2026-03-02'), (20, '2026-04-02')):
            self.simulator.add_transaction(online, amount, day)
        wizard = self.wizard()
        self.assertIn("Ponto replaces the connection", wizard.line_ids.hint)
        self.assertEqual(wizard.line_ids.journal_id, journal)
        # Nothing happens by itself.
        self.assertEqual(account.journal_id, journal)
        wizard.action_link_accounts()
        successor = journal.ponto_account_ids
        self.assertEqual((successor.ponto_id, self.amounts(successor)), (online.id, [10, 20]))
        # The old connection can still be read, and is nobody's new account.
        again = self.wizard()
        self.assertEqual((again.line_ids.account_id, again.line_ids.action), (account, 'skip'))
        self.assertIn("Use the account of the new connection", again.line_ids.hint)

    def test_a_replaced_connection_and_a_bank_in_maintenance_are_shown(self):
        account = self.link()
        self.assertFalse(account._identity_problems())
        self.simulator.change_account(self.online, deprecated=True, availability='readonly')
        account._synchronize()
        self.assertEqual([problem.code for problem in account._identity_problems()], ['replaced', 'maintenance'])
        self.assertIn("replaces its connection", account.health_message)

    def test_an_account_that_another_connection_reads_already_is_not_proposed_for_a_second_journal(self):
        account = self.link()
        self.simulator.add_account('BE68539007547034', institution=self.bank, holder_name="De Kade")
        line = self.wizard().line_ids
        self.assertEqual((line.action, line.twin_id), ('skip', account))
        self.assertIn("the same number already", line.hint)

    def test_what_was_set_aside_stays_so_when_the_account_continues_another_one(self):
        other = self.simulator.add_account('BE43068999999501', institution=self.bank)
        self.simulator.add_transaction(other, 10, '2026-03-02')
        account, former = self.link(other), self.link()
        account._synchronize()
        self.lines(account).unlink()
        account.transaction_ids._set_aside("In the cash book")
        account.action_unlink_journal()
        journal = former.journal_id
        former._set_withdrawn()
        account._link_to_journal(journal)
        account._synchronize()
        self.assertEqual(account.transaction_ids.mapped('state'), ['aside'])
        self.assertFalse(self.lines(account))

    def test_a_changed_number_is_told_and_proposed_for_the_journal(self):
        account = self.link()
        self.simulator.change_account(self.online, reference='BE43068999999501')
        account._synchronize()
        self.assertIn("from BE68539007547034 to BE43068999999501", account.link_id.activity_ids.note)
        self.assertIn("BE43068999999501", account.health_message)
        account.with_user(self.accountant).action_remedy('use_new_number')
        self.assertEqual(account.journal_id.bank_account_id.sanitized_acc_number, 'BE43068999999501')
        self.assertFalse(account._identity_problems())
        account._synchronize()
        self.assertEqual(len(account.link_id.activity_ids), 1)

    def test_a_number_that_is_only_spelled_otherwise_is_no_news(self):
        account = self.link()
        self.simulator.change_account(self.online, reference='BE68 5390 0754 7034')
        account._synchronize()
        self.assertFalse(account.link_id.activity_ids)

    def test_an_account_that_is_linked_again_goes_back_to_its_journal_and_its_start_date(self):
        card = self.simulator.add_account('', institution=self.bank, subtype='card')
        self.simulator.add_transaction(card, 10, '2026-03-02')
        account = self.link(card, start_date=date(2026, 2, 1))
        account._synchronize()
        journal = account.journal_id
        account.action_unlink_journal()
        line = self.wizard().line_ids.filtered(lambda line: line.account_id == account)
        self.assertRecordValues(
            line, [{'action': 'existing', 'journal_id': journal.id, 'start_date': date(2026, 2, 1)}]
        )
