"""Phone numbers, payment cards and bank accounts: digits that mean somebody."""

import re
from collections.abc import Iterator
from typing import Final

from trainerbot.curation.private.findings import Finding, PrivateKind

# Digits with single separators between them, as people write numbers. What
# stands before and after tells numbers from parts of names, prices and dates.
_RUN: Final = re.compile(
    r"(?<![\w.,/#№$€£₽-])(?<!\d )"
    r"(?:\+ ?|00)?(?:\(\d{1,5}\)|\d)(?:[ \u00a0.\u2010-\u2013-]{0,2}(?:\(\d{1,5}\)|\d)){6,18}"
    r"(?![\w/%]|[.,:-]\d| ?[€$£₽%])"
)

_CARD: Final = re.compile(r"\d(?<![\w.+-]\d)(?:[ \u00a0-]?\d){12,18}(?![\w-]|\.\d)")

# The first digits and the lengths that issuers use (ISO/IEC 7812): Visa,
# Mastercard, American Express, Mir, Maestro, Discover, JCB, Diners, UnionPay.
_ISSUED: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|220[0-4]\d{12,15}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|62\d{14,17}"
)

_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")

_CALLING: Final = re.compile(
    r"(?<![\[\w])(?:phones?|tel|telephone|mobile|cell|call|fax|whatsapp|viber|telegram|sms|text me|"
    r"dial|ring|reach (?:me|us)|contact|телефон\w*|тел|моб\w*|сотов\w*|звон\w*|позвон\w*|"
    r"перезвон\w*|вотсап\w*|ватсап\w*|вайбер\w*|смс|факс\w*|мой номер|номер для связи)(?!\w)(?!\])",
    re.IGNORECASE,
)
_COUNTING: Final = re.compile(
    r"(?<![\[\w])(?:orders?|invoice|isbn(?:-1[03])?|issn|ticket|case|track\w*|account|article|sku|serial|"
    r"ref(?:erence)?|part|model|id|inn|vat|ean|upc|barcode|version|population|timestamp|заказ\w*|"
    r"счет\w*|счёт\w*|артикул\w*|трек\w*|накладн\w*|инн|кпп|огрн|снилс|договор\w*|код\w*|"
    r"серийн\w*|штрихкод\w*|заявк\w*|обращени\w*|население|версия)(?!\w)",
    re.IGNORECASE,
)

_DATE: Final = re.compile(
    r"(?:19|20)\d\d[-.\u2013](?:0?[1-9]|1[0-2])[-.\u2013]|[0-3]?\d[-.][01]?\d[-.](?:19|20)\d\d|(?:19|20)\d\d ?[-\u2013] ?(?:19|20)\d\d"
)

NEARBY: Final = 40
"""How many characters before a number may say what it is."""


def cards(text: str) -> Iterator[Finding]:
    """Yield the payment cards: an issuer's digits and length, and Luhn's check digit."""
    from stdnum import luhn

    for match in _CARD.finditer(text):
        digits = "".join(filter(str.isdigit, match.group()))
        if _ISSUED.fullmatch(digits) and luhn.is_valid(digits):
            yield Finding(PrivateKind.CARD, *match.span())


def ibans(text: str) -> Iterator[Finding]:
    """Yield the bank accounts: a country's length and form, and the check digits of ISO 13616."""
    from stdnum import iban

    for match in _IBAN.finditer(text):
        # Groups of four may run on into a following word in capitals.
        written = match.group()
        while len(written) > 14:
            if iban.is_valid(written):
                yield Finding(PrivateKind.IBAN, match.start(), match.start() + len(written))
                break
            written, _, _ = written.rpartition(" ")


def phones(text: str) -> Iterator[Finding]:
    """Yield the phone numbers that could be dialled.

    With a plus and a country: always. As Russia or North America write them at
    home: with brackets or dashes, or when a word before says phone; plain
    digits only with such a word. Never after a word that says order, invoice,
    ISBN and the like.
    """
    for match in _RUN.finditer(text):
        written = match.group()
        before = text[max(0, match.start() - NEARBY) : match.start()]
        if _DATE.match(written):
            continue
        calling, counting = _last(_CALLING, before), _last(_COUNTING, before)
        is_abroad = written.startswith(("+", "00"))
        if counting > calling and not is_abroad:
            continue
        if _can_be_dialled(written, is_told=calling >= 0):
            yield Finding(PrivateKind.PHONE, *match.span())


def _last(words: re.Pattern[str], before: str) -> int:
    """Return where the last of some words begins, or -1."""
    return max((match.start() for match in words.finditer(before)), default=-1)


def _can_be_dialled(written: str, *, is_told: bool) -> bool:
    digits = "".join(filter(str.isdigit, written))
    if written.startswith("+"):
        # Invented numbers (555) have a possible length only; they look private all the same.
        return _parses(written, None, strictly=False)
    if written.startswith("00"):
        return is_told and _parses("+" + digits[2:], None, strictly=True)
    is_spaced = any(character in "(-\u2010\u2011\u2012\u2013" for character in written)
    if len(digits) == 11 and digits[0] in "78":
        looks_so = is_told or (is_spaced and digits[1] in "3489")
        return looks_so and _parses("+7" + digits[1:], None, strictly=True)
    if not is_told and not _AMERICAN.fullmatch(written):
        return False
    if len(digits) == 10 or (len(digits) == 11 and digits[0] == "1"):
        return _parses(digits, "US", strictly=False) or (
            is_told and _parses("+7" + digits, None, strictly=True)
        )
    # A number of the same town, which only a word can tell.
    return is_told and is_spaced and len(digits) == 7


_AMERICAN: Final = re.compile(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])[2-9]\d\d[-.]\d{4}")


def _parses(number: str, region: str | None, *, strictly: bool) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    judge = phonenumbers.is_valid_number if strictly else phonenumbers.is_possible_number
    return bool(judge(parsed))
