"""A public catalogue of financial institutions: well-known ones, and as many likely ones as are asked for."""

import itertools
import re
import unicodedata
from datetime import timedelta

# The institutions' logos lie in a domain that exists nowhere, so that the demo asks no real server for them.
LOGOS = 'https://logos.ponto.example'
KNOWN = {
    'BE': (
        ('KBC', 'KREDBEBB'), ('BNP Paribas Fortis', 'GEBABEBB'), ('Belfius', 'GKCCBEBB'), ('ING Belgium', 'BBRUBEBB'),
        ('Argenta', 'ARSPBE22'), ('AXA Bank Belgium', 'AXABBE22'), ('Beobank', 'CTBKBEBX'), ('CBC', 'CREGBEBB'),
        ('KBC Brussels', 'KREDBEBB'), ('Crelan', 'NICABEBB'), ('Fintro', 'GEBABEBB'), ('Hello bank!', 'GEBABEBB'),
        ('Keytrade Bank', 'KEYTBEBB'), ('Bank Nagelmackers', 'BNAGBEBB'), ('Europabank', 'EURBBE99'),
        ('Triodos Bank', 'TRIOBEBB'), ('vdk bank', 'VDSPBE91'), ('Banque CPH', 'CPHBBE75'),
        ('Bank Degroof Petercam', 'DEGRBEBB'), ('Delen Private Bank', 'BSCHBE22'),
        ('Bank J. Van Breda & C°', 'JVBABE22'),
        ('Deutsche Bank Belgium', 'DEUTBEBE'), ('ABN AMRO Belgium', 'ABNABE2A'), ('MeDirect Belgium', 'MBWMBEBB'),
    ),
    'NL': (
        ('ABN AMRO', 'ABNANL2A'), ('ING Netherlands', 'INGBNL2A'), ('Rabobank', 'RABONL2U'), ('SNS', 'SNSBNL2A'),
        ('ASN Bank', 'ASNBNL21'), ('RegioBank', 'RBRBNL21'), ('Triodos Bank Nederland', 'TRIONL2U'),
        ('Knab', 'KNABNL2H'), ('bunq', 'BUNQNL2A'), ('Van Lanschot Kempen', 'FVLBNL22'), ('NIBC', 'NIBANL2G'),
    ),
    'FR': (
        ('BNP Paribas', 'BNPAFRPP'), ('Société Générale', 'SOGEFRPP'), ('LCL', 'CRLYFRPP'), ('CIC', 'CMCIFRPP'),
        ('Crédit Mutuel', 'CMCIFR2A'), ('La Banque Postale', 'PSSTFRPP'), ('HSBC Continental Europe', 'CCFRFRPP'),
        ('Boursorama', 'BOUSFRPP'), ('Qonto', 'QNTOFRP1'), ('Crédit du Nord', 'NORDFRPP'),
    ),
    'LU': (
        ('BGL BNP Paribas', 'BGLLLULL'), ('Spuerkeess', 'BCEELULL'), ('Banque Internationale à Luxembourg', 'BILLLULL'),
        ('Banque Raiffeisen', 'CCRALULL'), ('ING Luxembourg', 'CELLLULL'), ('POST Luxembourg', 'CCPLLULL'),
    ),
    'DE': (
        ('Deutsche Bank', 'DEUTDEFF'), ('Commerzbank', 'COBADEFF'), ('DKB', 'BYLADEM1'),
        ('ING Deutschland', 'INGDDEFF'), ('N26', 'NTSBDEB1'), ('HypoVereinsbank', 'HYVEDEMM'),
        ('Postbank', 'PBNKDEFF'), ('Targobank', 'CMCIDEDD'), ('GLS Bank', 'GENODEM1'), ('Solaris', 'SOBKDEBB'),
    ),
    'ES': (
        ('Banco Santander', 'BSCHESMM'), ('BBVA', 'BBVAESMM'), ('CaixaBank', 'CAIXESBB'),
        ('Banco Sabadell', 'BSABESBB'),
    ),
    'IT': (
        ('Intesa Sanpaolo', 'BCITITMM'), ('UniCredit', 'UNCRITMM'), ('Banco BPM', 'BAPPIT22'),
        ('FinecoBank', 'FEBIITM1'),
    ),
    'IE': (('AIB', 'AIBKIE2D'), ('Bank of Ireland', 'BOFIIE2D')),
    'PT': (('Millennium bcp', 'BCOMPTPL'), ('Caixa Geral de Depósitos', 'CGDIPTPL')),
    'AT': (('Erste Bank', 'GIBAATWW'), ('BAWAG', 'BAWAATWW')),
    None: (
        ('Revolut Business', 'REVOLT21'), ('Wise', 'TRWIBEB1'), ('PayPal', None), ('Stripe', None), ('Mollie', None),
        ('Adyen', 'ADYBNL2A'), ('Isabel 6', None),
    ),
}  # fmt: skip
"""Name and BIC by country; None is international."""

BRANDS = (
    ('DE', ('Sparkasse', 'Volksbank', 'Raiffeisenbank'), (
        'Aachen', 'Augsburg', 'Berlin', 'Bielefeld', 'Bochum', 'Bonn', 'Bremen', 'Chemnitz', 'Dortmund', 'Dresden',
        'Duisburg', 'Düren', 'Düsseldorf', 'Erfurt', 'Essen', 'Freiburg', 'Göttingen', 'Hannover', 'Heidelberg',
        'Karlsruhe', 'Kassel', 'Kiel', 'Köln', 'Leipzig', 'Lübeck', 'Mainz', 'Mannheim', 'München', 'Münster',
        'Nürnberg', 'Potsdam', 'Regensburg', 'Rostock', 'Stuttgart', 'Trier', 'Ulm', 'Wiesbaden', 'Würzburg',
    )),
    ('FR', ('Crédit Agricole', 'Banque Populaire', "Caisse d'Épargne"), (
        'Alsace', 'Aquitaine', 'Bourgogne', 'Bretagne', 'Centre', 'Champagne', 'Côte d’Azur',
        'Île-de-France', 'Languedoc', 'Loire', 'Lorraine', 'Midi-Pyrénées', 'Nord', 'Normandie', 'Picardie', 'Provence',
        'Savoie', 'Val de France',
    )),
    ('AT', ('Raiffeisenbank', 'Volksbank'), ('Graz', 'Innsbruck', 'Klagenfurt', 'Linz', 'Salzburg', 'Wien')),
    ('IT', ('Banca di Credito Cooperativo', 'Cassa di Risparmio'), ('Bologna', 'Firenze', 'Milano', 'Roma', 'Torino')),
    ('ES', ('Caja Rural', 'Caixa Popular'), ('Aragón', 'Asturias', 'Granada', 'Navarra', 'Sevilla', 'Valencia')),
)  # fmt: skip


def catalogue(sim, size=300):
    """Append `size` institutions: the known ones first, then regional ones, then numbered branches of those."""
    for index, (name, country, bic, brand) in enumerate(itertools.islice(_entries(), size)):
        sim.add_institution(
            name,
            country,
            bic=bic,
            logo_url=f'{LOGOS}/{_slug(name)}.svg',
            primary_color=f'#{(index * 2654435761) % 0x1000000:06x}',
            shared_brand_name=brand,
            shared_brand_reference=_slug(brand) if brand else None,
            **_peculiarities(sim, index),
        )


def _entries():
    for country, banks in KNOWN.items():
        for name, bic in banks:
            yield name, country, bic, None
    for number in itertools.count(1):
        for country, brands, places in BRANDS:
            for brand, place in itertools.product(brands, places):
                name = f'{brand} {place}' if number == 1 else f'{brand} {place} {number}'
                yield name, country, _bic(brand, country, place, number), brand


def _peculiarities(sim, index):
    """What is not simply stable: some of each kind, wherever they fall."""
    now = sim.clock.replace(minute=0, second=0, microsecond=0)
    if index % 29 == 28:
        kind = 'internal' if index % 2 else 'financialInstitution'
        return {'maintenance_type': kind, 'maintenance_from': now, 'maintenance_to': now + timedelta(hours=6)}
    if index % 23 == 22:
        return {'deprecated': True}
    return {'status': 'experimental' if index % 17 == 16 else 'beta' if index % 11 == 10 else 'stable'}


def _plain(text):
    return unicodedata.normalize('NFKD', text).encode('ascii', 'ignore').decode()


def _slug(text):
    return re.sub(r'[^a-z0-9]+', '-', _plain(text).lower()).strip('-')


def _bic(brand, country, place, number):
    letters = re.sub(r'[^A-Z]', '', _plain(brand + place).upper())
    return f'{letters[0]}{letters[-3:]}{country}{number % 100:02d}'
