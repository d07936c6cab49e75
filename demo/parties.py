"""The demo's company and whom it deals with. Every name is invented or generic; every number has valid check digits."""

from .identifiers import belgian_iban, iban

HOLDER = 'Atelier Lindeboom BV'
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
    ('ELEKTRA BELGIE NV', 1, 5, '386.40', 'Voorschot elektriciteit', 403_1707, 'energy'),
    ('AQUA VLAANDEREN', 3, 8, '142.17', 'Waterfactuur', 224_7631, 'energy'),
    ('TELECOMBEL NV', 1, 11, '118.95', 'Internet en telefonie', 202_2396, 'telecom'),
    ('MOBIELNET', 1, 13, '74.50', 'Mobiele abonnementen', 456_8108, 'telecom'),
    ('WAGENPARK LEASE NV', 1, 2, '611.83', 'Leasing bestelwagen 1-XKT-482', 449_5120, 'leasing'),
    ('NOORDZEE VERZEKERINGEN', 3, 15, '1284.62', 'Polis BA uitbating 45.118.220', 404_4941, 'insurance'),
    ('SOCIAAL SECRETARIAAT PLUS', 1, 20, '198.44', 'Beheerskosten lonen', 409_8801, 'office'),
)
"""Creditor, every how many months, day of the month, amount, what for, enterprise number, key of `books.ACCOUNTS`."""

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

BOUGHT = {
    'SUPERMARKT DE LINDE MECHELEN': 'shops',
    'BUURTWINKEL ST-ROMBOUTS': 'shops',
    'DOE-HET-ZELF MECHELEN-ZUID': 'tools',
    'TANKSTATION E19 RUMST': 'fuel',
    'BAKKERIJ VAN HOVE': 'shops',
    'BRASSERIE DE BEURS': 'travel',
    'PAPIERWINKEL LECLERCQ': 'shops',
    'TOOLSHOP.EU AMSTERDAM': 'tools',
    'CLOUD SUITE DUBLIN': 'software',
    'NMBS INTERNATIONAAL': 'travel',
    'SAWBLADES.COM LEEDS GB': 'tools',
}
"""What each shop sells: an account in `books.ACCOUNTS`."""
