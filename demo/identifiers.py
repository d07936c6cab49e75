"""Account numbers and references with valid check digits."""


def _as_digits(text):
    """Letters become 10 to 35, as ISO 7064 wants it."""
    return int(''.join(str(int(character, 36)) for character in text))


def _check(text):
    return f'{98 - _as_digits(text + "00") % 97:02d}'


def _belgian_check(number):
    return f'{number % 97 or 97:02d}'


def iban(country, bban):
    """IBAN of a national account number (ISO 13616)."""
    return f'{country}{_check(bban + country)}{bban}'


def belgian_iban(bank, number):
    """Belgian IBAN: bank code of 3 digits, number of 7, national check digits."""
    base = f'{bank:03d}{number:07d}'
    return iban('BE', base + _belgian_check(int(base)))


def structured_communication(number):
    """Belgian structured communication (OGM-VCS): `+++ddd/dddd/ddddd+++`."""
    digits = f'{number:010d}{_belgian_check(number)}'
    return f'+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++'


def creditor_reference(text):
    """ISO 11649 creditor reference (RF)."""
    return f'RF{_check(text + "RF")}{text}'


def enterprise_number(number):
    """Belgian enterprise number of 10 digits."""
    return f'{number:08d}{97 - number % 97:02d}'


def creditor_id(country, national, business='ZZZ'):
    """SEPA creditor identifier; the business code is not part of the check."""
    return f'{country}{_check(national + country)}{business}{national}'
