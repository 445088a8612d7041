"""Texts with private things in them, and texts that only look so.

Keys are put together from pieces, so that no scanner of repositories takes
them for real ones. None opens anything.
"""

import base64
from typing import Final


def _jwt() -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1234567890","name":"Anna"}', b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


LETTERS: Final = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA"
JWT: Final = _jwt()
OPENAI: Final = "sk-" + "proj-" + LETTERS + "T3BlbkFJ" + LETTERS
OLD_OPENAI: Final = "sk-" + LETTERS + LETTERS[:16]
ANTHROPIC: Final = "sk-" + "ant-api03-" + LETTERS * 2 + "-AA"
GITHUB: Final = "gh" + "p_" + LETTERS + "b1C2"
GITHUB_FINE: Final = "github_" + "pat_" + LETTERS[:22] + "_" + LETTERS + LETTERS[:27]
GITLAB: Final = "gl" + "pat-" + LETTERS[:20]
SLACK: Final = "xo" + "xb-123456789012-1234567890123-" + LETTERS[:24]
SLACK_HOOK: Final = "https://hooks.slack.com/" + "services/T0A1B2C3D/B0A1B2C3D/" + LETTERS[:24]
DISCORD: Final = "MTE4" + "NzY1NDMyMTA5ODc2NTQz" + ".GaBcDe." + LETTERS + "abCD12"
DISCORD_HOOK: Final = "https://discord.com/api/" + "webhooks/118765432109876543/" + LETTERS * 2
AWS: Final = "AK" + "IAIOSFODNN7QRSTUVW"
GOOGLE: Final = "AI" + "zaSy" + LETTERS + "b"
STRIPE: Final = "sk_" + "live_" + LETTERS[:24]
TELEGRAM: Final = "6123456789:" + "AAH" + LETTERS
HUGGING_FACE: Final = "hf" + "_" + LETTERS + "bC"
SENDGRID: Final = "SG" + "." + LETTERS[:22] + "." + LETTERS + LETTERS[:11]
BLOCK: Final = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEow" + LETTERS + "\n-----END RSA PRIVATE KEY-----"  # fmt: skip

# The text, and what is to be found in it: kind and value, in order.
PRIVATE: Final[tuple[tuple[str, list[tuple[str, str]]], ...]] = (
    # E-mail
    ("Write to anna.smith@example.com.", [("e-mail", "anna.smith@example.com")]),
    ("Mail <Bob+news@mail.example.co.uk>, please", [("e-mail", "Bob+news@mail.example.co.uk")]),
    ("Почта: ivan_petrov@yandex.ru, пишите", [("e-mail", "ivan_petrov@yandex.ru")]),
    ("пишите на почта@пример.рф", [("e-mail", "почта@пример.рф")]),
    ("mailto:a@b.io?subject=x", [("e-mail", "a@b.io")]),
    ("a@b.io;c@d.org", [("e-mail", "a@b.io"), ("e-mail", "c@d.org")]),
    ("Is it o'neil@example.com?", [("e-mail", "o'neil@example.com")]),
    ("JOHN@EXAMPLE.COM called", [("e-mail", "JOHN@EXAMPLE.COM")]),
    ("anna at example dot com", [("e-mail", "anna at example dot com")]),
    # Phones
    ("Call +44 20 7946 0958 now", [("phone", "+44 20 7946 0958")]),
    ("My cell is (202) 555-0143.", [("phone", "(202) 555-0143")]),
    ("Ring 415-555-2671 after six", [("phone", "415-555-2671")]),
    ("415.555.2671", [("phone", "415.555.2671")]),
    ("text me: 4155552671", [("phone", "4155552671")]),
    ("+1 (555) 123-4567", [("phone", "+1 (555) 123-4567")]),
    ("Fax +49 (0)30 901820", [("phone", "+49 (0)30 901820")]),
    ("+14155552671", [("phone", "+14155552671")]),
    ("Тел.: 8 (495) 123-45-67", [("phone", "8 (495) 123-45-67")]),
    ("Позвоните мне: +7 912 345-67-89!", [("phone", "+7 912 345-67-89")]),
    ("мой номер 89123456789", [("phone", "89123456789")]),
    ("WhatsApp 8-912-345-67-89", [("phone", "8-912-345-67-89")]),
    ("8 (800) 555-35-35 звонок бесплатный", [("phone", "8 (800) 555-35-35")]),
    ("+380 44 123 4567 и +7(495)1234567", [("phone", "+380 44 123 4567"), ("phone", "+7(495)1234567")]),
    ("звонить 123-45-67", [("phone", "123-45-67")]),
    ("Order 4155552671? Call 415-555-2671", [("phone", "415-555-2671")]),
    ("0033 1 42 68 53 00 is my phone", [("phone", "0033 1 42 68 53 00")]),
    # Cards
    ("Visa 4111 1111 1111 1111 exp 12/27", [("card", "4111 1111 1111 1111")]),
    ("Mastercard: 5555555555554444", [("card", "5555555555554444")]),
    ("Amex 3782-822463-10005", [("card", "3782-822463-10005")]),
    ("карта мир 2200 0000 0000 0004", [("card", "2200 0000 0000 0004")]),
    ("карта 6304000000000000", [("card", "6304000000000000")]),
    ("4242-4242-4242-4242", [("card", "4242-4242-4242-4242")]),
    # Accounts
    ("IBAN GB29 NWBK 6016 1331 9268 19 please", [("IBAN", "GB29 NWBK 6016 1331 9268 19")]),
    ("DE89370400440532013000", [("IBAN", "DE89370400440532013000")]),
    ("Счёт NL91 ABNA 0417 1643 00.", [("IBAN", "NL91 ABNA 0417 1643 00")]),
    ("FR14 2004 1010 0505 0001 3M02 606 BIC PSSTFRPP", [("IBAN", "FR14 2004 1010 0505 0001 3M02 606")]),
    # Addresses of machines
    ("The attack came from 203.0.114.77 at night", [("IP address", "203.0.114.77")]),
    ("ssh root@91.198.174.192", [("IP address", "91.198.174.192")]),
    ("server 2a00:1450:4010:c05::66 is down", [("IP address", "2a00:1450:4010:c05::66")]),
    ("http://91.198.174.192:8080/x", [("IP address", "91.198.174.192")]),
    ("Сервер 77.88.55.242, порт 22", [("IP address", "77.88.55.242")]),
    # Keys and tokens
    (f"OPENAI_API_KEY={OPENAI}", [("key", OPENAI)]),
    (f"use {OLD_OPENAI}.", [("key", OLD_OPENAI)]),
    (f'"{ANTHROPIC}"', [("key", ANTHROPIC)]),
    (f"git clone https://{GITHUB}@github.com/a/b", [("key", GITHUB)]),
    (f"token {GITHUB_FINE}", [("key", GITHUB_FINE)]),
    (f"PRIVATE-TOKEN: {GITLAB}", [("key", GITLAB)]),
    (f"slack: {SLACK}", [("key", SLACK)]),
    (f"POST {SLACK_HOOK}", [("key", SLACK_HOOK)]),
    (f"bot.run('{DISCORD}')", [("key", DISCORD)]),
    (f"Вот вебхук: {DISCORD_HOOK}", [("key", DISCORD_HOOK)]),
    (f"aws_access_key_id = {AWS}", [("key", AWS)]),
    (f"?key={GOOGLE}&q=1", [("key", GOOGLE)]),
    (f"stripe.api_key = '{STRIPE}'", [("key", STRIPE)]),
    (f"токен бота {TELEGRAM}", [("key", TELEGRAM)]),
    (f"HF_TOKEN={HUGGING_FACE}", [("key", HUGGING_FACE)]),
    (f"sendgrid {SENDGRID}", [("key", SENDGRID)]),
    (f"Authorization: Bearer {JWT}", [("key", JWT)]),
    (f"key:\n{BLOCK}\nend", [("key", BLOCK)]),
    # Passwords that are named so
    ("password=hunter2", [("password", "hunter2")]),
    ("My password is Tr0ub4dor&3.", [("password", "Tr0ub4dor&3")]),
    ("Пароль: Qwerty123", [("password", "Qwerty123")]),
    ("пароль от почты — zima2024!", [("password", "zima2024")]),
    ('DB_PASS = "s3cr3t-db"', [("password", "s3cr3t-db")]),
    ('{"client_secret": "9f8e7d6c5b4a"}', [("password", "9f8e7d6c5b4a")]),
    ("pwd:12345678", [("password", "12345678")]),
    ("api key: 7f3a9b2c4d5e6f70", [("password", "7f3a9b2c4d5e6f70")]),
    ('password = "letmein"', [("password", "letmein")]),
    ("Bearer 8d7c6b5a4f3e2d1c", [("password", "8d7c6b5a4f3e2d1c")]),
    ("export SECRET_KEY=django-1nsecure+x", [("password", "django-1nsecure+x")]),
    ("the password is swordfish", [("password", "swordfish")]),
    # Logins
    ("postgres://admin:pa55w0rd@db.example.com/x", [("login", "admin:pa55w0rd")]),
    ("https://user:secret@91.198.174.192/", [("login", "user:secret"), ("IP address", "91.198.174.192")]),
    ("ftp://anna:дача@files.example.ru", [("login", "anna:дача")]),
)  # fmt: skip

# Nothing in these is private.
HARMLESS: Final = (
    "We met on 2024-05-06 at 12:30:45.",
    "Meeting 06.05.2024 15:00-16:30",
    "Между 01.09.2023 и 31.05.2024 включительно",
    "2019-2024, 1999–2005",
    "ISBN 978-3-16-148410-0",
    "ISBN-10: 0-306-40615-2",
    "ISBN 9783161484100",
    "Order 4155552671 has shipped",
    "Order #1234-5678-9012-3456",
    "Заказ № 89123456789 отправлен",
    "Номер заказа: 8 912 345 67 89",
    "Invoice 2024-000123-77",
    "Track 1Z999AA10123456784",
    "Your ticket is 202-555-0143-7",
    "Version 1.2.3.4 is out",
    "firmware v10.20.30.40",
    "версия 12.34.56.78 вышла",
    "Section 2.4.1.3 says so",
    "pip install django==5.2.8",
    "Python 3.11.7 (main, Dec 4 2023, 18:10:11)",
    "Open 192.168.0.1 or 127.0.0.1:8000 to set it up",
    "Use 8.8.8.8 as name server; 10.0.0.0/8 is inside",
    "It prints 255.255.255.0 and 0.0.0.0",
    "Pi is 3.14159265358979",
    "The sum is 1 234 567 890 roubles",
    "Население 1234567890 человек",
    "It costs $1,234,567.89 or 5 000 000 ₽",
    "Room 3 is on floor 1, room 412 on floor 4",
    "Комната 305, этаж 3, корпус 12",
    "1 2 3 4 5 6 7 8 9 10 11 12",
    "0123456789",
    "The number 4155552671 is prime",
    "4111 1111 1111 1112 has a wrong check digit",
    "1234567812345678",
    "0000 0000 0000 0000",
    "UUID 550e8400-e29b-41d4-a716-446655440000",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "GB00 NWBK 6016 1331 9268 19 is not valid",
    "Flight BA2490, seat 12A, gate B7",
    "Discord id 118765432109876543",
    "<@118765432109876543> said hi in <#118765432109876544>",
    "@anna said hello to @bob_smith",
    "photo@2x.png and icon@3x.png",
    "git@github.com:team/project.git",
    "npm install left-pad@1.3.0",
    "@app.route('/x')",
    "anna@localhost is no address",
    "Coordinates 55.7558, 37.6173",
    "ratio 16:9, time 10:20:30:40",
    "MAC 00:1A:2B:3C:4D:5E",
    "std::vector<int>::iterator a::b::c",
    "The password must have 8 characters.",
    "Password: required",
    "I forgot my password: what now?",
    "Пароль должен содержать 8 символов",
    "Введите пароль: ********",
    "password = user.password",
    "token = next(tokens)",
    "password=os.environ['PASSWORD']",
    "API_KEY=your_api_key_here",
    "OPENAI_API_KEY=sk-...",
    "use sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "password=${DB_PASSWORD}",
    "token: <TOKEN>",
    "The secret is kindness",
    "the key is 25 words long",
    "primary key: user_id2",
    "max_tokens=4096, n_tokens: 100000",
    "boarding pass: gate42 closes",
    "compass=north1",
    "risk-management-and-task-oriented-planning-for-everyone",
    "https://example.com/a/very/long/path?with=query&and=more",
    "https://example.com:8080/path@home",
    "ticket: https://example.com/item/4155552671",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB",
    "eyJ is how a token begins",
    "-----BEGIN CERTIFICATE-----",
    "The score was 415-555 to 267",
    "phone 14 pro, 256 GB, 6.1 inch",
    "ИНН 7707083893, КПП 773601001",
    "Счёт 40817810099910004312",
    "Articles 8-912-345 of the code",
    "1-800-FLOWERS",
    "100000000000000000000 is a lot",
    "2026-11-21T13:05:45.123456Z",
    "timestamp 1732194345123",
    "call 911 or 112",
    "Tel Aviv has 460613 inhabitants",
)
