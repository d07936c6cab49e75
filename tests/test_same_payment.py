from datetime import date

from odoo.tests import BaseCase, tagged

from ..models.matching import EXACT, SAME, Payment, contradict, likeness, near, pair, parts

IBAN = 'BE71096123456769'
OTHER_IBAN = 'NL91ABNA0417164300'


def payment(amount=10, day=2, text='', **vals):
    """Return a payment of a day in March."""
    booked = day and date(2026, 3, day)
    return Payment(amount, currency='EUR', day=booked, days=(booked, booked), texts=(text,), **vals)


def pairs(known, listed, *stages):
    """Return `{place in listed: place in known}`."""
    return pair(dict(enumerate(known)), dict(enumerate(listed)), *stages)


@tagged('post_install', '-at_install')
class TestSameContent(BaseCase):
    def assert_same(self, one, other):
        self.assertEqual(pairs([one], [other], SAME), {0: 0})

    def assert_other(self, one, other):
        self.assertFalse(pairs([one], [other], SAME))

    def test_capitals_white_space_and_breaks_are_form(self):
        for text in (
            "FACTUUR 1",
            "factuur 1 ",
            "Factuur\n1",
            "Factuur<br>1",
            "Factuur<BR/>1",
            "Factuur\u00a01",
            "Fac tuur1",
        ):
            self.assert_same(payment(text="Factuur 1"), payment(text=text))

    def test_another_number_in_a_text_is_another_payment(self):
        self.assert_other(payment(text="Factuur 1"), payment(text="Factuur 2"))

    def test_the_spacing_of_an_account_number_is_form(self):
        self.assert_same(payment(number=IBAN), payment(number='be71 0961 2345 6769'))
        self.assert_other(payment(number=IBAN), payment(number=OTHER_IBAN))
        self.assert_other(payment(number=IBAN), payment())

    def test_an_end_to_end_id_that_says_there_is_none_is_none(self):
        for none in ('NOTPROVIDED', 'Not Provided', 'not_provided', 'NONREF'):
            self.assert_same(payment(), payment(end_to_end_id=none))
        self.assert_other(payment(), payment(end_to_end_id='E1'))

    def test_another_amount_currency_or_day_is_another_payment(self):
        self.assert_other(payment(10), payment(10.01))
        self.assert_other(payment(10), payment(-10))
        self.assert_other(payment(), Payment(10, currency='USD', days=payment().days, texts=('',)))
        self.assert_other(payment(day=2), payment(day=3))

    def test_of_equal_payments_each_is_used_once_in_the_order_of_the_lists(self):
        self.assertEqual(pairs([payment()] * 2, [payment()] * 3, SAME), {0: 0, 1: 1})
        self.assertEqual(pairs([payment()] * 3, [payment()] * 2, SAME), {0: 0, 1: 1})

    def test_what_is_wholly_the_same_is_paired_before_what_is_the_same_but_for_the_name(self):
        known = [payment(name="Aerts"), payment(name="Bos")]
        self.assertEqual(pairs(known, [payment(name="BOS"), payment(name="Aerts ")], EXACT, SAME), {0: 1, 1: 0})
        self.assertEqual(pairs(known, [payment(name="Bos"), payment(name="A. Aerts")], EXACT, SAME), {0: 1, 1: 0})

    def test_empty_lists_have_no_pairs(self):
        self.assertEqual(pairs([], [payment()], EXACT, SAME, near(3)), {})
        self.assertEqual(pairs([payment()], [], EXACT, SAME, near(3)), {})
        self.assertEqual(pairs([payment()], [payment()]), {})


@tagged('post_install', '-at_install')
class TestNear(BaseCase):
    def near(self, known, listed, days=3):
        return pairs(known, listed, near(days))

    def test_up_to_the_window_it_may_be_the_same(self):
        self.assertEqual(self.near([payment(day=2)], [payment(day=5)]), {0: 0})
        self.assertEqual(self.near([payment(day=5)], [payment(day=2)]), {0: 0})
        self.assertEqual(self.near([payment(day=2)], [payment(day=6)]), {})
        self.assertEqual(self.near([payment(day=2)], [payment(day=6)], days=4), {0: 0})

    def test_without_a_day_nothing_is_near(self):
        self.assertEqual(self.near([payment(day=None)], [payment()]), {})
        self.assertEqual(self.near([payment()], [payment(day=None)]), {})

    def test_another_amount_or_currency_is_not_near(self):
        self.assertEqual(self.near([payment(10)], [payment(11)]), {})
        dollars = Payment(10, currency='USD', day=payment().day)
        self.assertEqual(self.near([payment(10)], [dollars]), {})

    def test_the_nearer_day_wins_where_words_tell_nothing(self):
        self.assertEqual(self.near([payment(day=4)], [payment(day=2), payment(day=4)]), {1: 0})
        self.assertEqual(self.near([payment(day=1), payment(day=4)], [payment(day=3)]), {0: 1})

    def test_the_words_win_over_the_day(self):
        known = [payment(text="Lidgeld Aerts", day=2), payment(text="Lidgeld Bos", day=3)]
        listed = [payment(text="LIDGELD BOS", day=4), payment(text="LIDGELD AERTS", day=3)]
        self.assertEqual(self.near(known, listed), {0: 1, 1: 0})

    def test_the_counterpart_wins_over_the_words(self):
        known = [payment(text="Rent March", number=IBAN), payment(text="Rent March")]
        self.assertEqual(
            self.near(known, [payment(text="Rent April"), payment(text="Rent", number=IBAN)]), {0: 1, 1: 0}
        )

    def test_a_counterpart_or_reference_that_both_name_must_be_the_same(self):
        for vals in ({'number': IBAN}, {'reference': '+++090/9337/55493+++'}):
            name = next(iter(vals))
            other = {name: OTHER_IBAN if name == 'number' else '+++010/8068/17183+++'}
            self.assertTrue(contradict(payment(**vals), payment(**other)))
            self.assertFalse(contradict(payment(**vals), payment()))
            self.assertEqual(self.near([payment(**vals)], [payment(**other)]), {})
            self.assertEqual(self.near([payment(**vals)], [payment()]), {0: 0})

    def test_likeness_tells_nothing_of_payments_without_words(self):
        self.assertEqual(likeness(payment(), payment(text="Rent")), 0)
        self.assertEqual(likeness(payment(text="Rent March"), payment(text="rent")), 1)
        self.assertEqual(likeness(payment(text="Rent", number=IBAN), payment(text="Rent", number=IBAN)), 2)

    def test_what_an_earlier_stage_has_paired_is_not_compared_again(self):
        known = [payment(text="Rent"), payment(text="Other")]
        listed = [payment(text="Rent 2", day=2), payment(text="Rent", day=2)]
        self.assertEqual(pairs(known, listed, SAME, near(3)), {1: 0, 0: 1})


@tagged('post_install', '-at_install')
class TestParts(BaseCase):
    def parts(self, amount, *amounts):
        return parts(amount, {place: payment(each) for place, each in enumerate(amounts)})

    def test_the_items_of_a_batch_add_up_to_it(self):
        self.assertEqual(self.parts(100, 30, 70), (0, 1))
        self.assertEqual(self.parts(-0.3, -0.1, -0.2), (0, 1))
        self.assertEqual(self.parts(100, 5, 30, 8, 70), (1, 3))

    def test_what_does_not_add_up_has_no_parts(self):
        self.assertEqual(self.parts(100, 30, 71), ())
        self.assertEqual(self.parts(100), ())
        self.assertEqual(self.parts(0, 1, -1), ())

    def test_an_amount_of_the_other_sign_is_no_part(self):
        self.assertEqual(self.parts(100, 130, -30), ())

    def test_many_payments_come_to_an_end(self):
        self.assertEqual(self.parts(10**9, *(2**power for power in range(40))), ())
