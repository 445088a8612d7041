# ruff: noqa: RUF001 (Russian words are written in Cyrillic letters)
"""The words that turn, strengthen or weigh what others say, and the idioms."""

from typing import Final

# Turn the tone of what follows. The number says how many words they reach.
NEGATIONS: Final[dict[int, str]] = {
    5: """
        not never without hardly barely scarcely neither nor cannot nobody dont doesnt didnt isnt
        arent wasnt werent wont wouldnt cant couldnt shouldnt hasnt havent hadnt aint mustnt neednt
        doesn didn isn wasn weren wouldn couldn shouldn hasn haven hadn
        не ни без никак никогда нельзя вряд едва отнюдь
    """,
    3: "no less least lacks lack lacking nothing none менее нету никакой никакого никакая никакие ничего ничем",
}

STRONGER: Final = """
    absolutely awfully completely deeply especially extremely fully highly incredibly insanely
    literally particularly really so super terribly totally truly utterly very way too much
    абсолютно безумно больно весьма вообще дико изрядно исключительно капец крайне максимально
    настолько невероятно необычайно особенно очень ощутимо полностью просто реально слишком сильно
    совершенно совсем столь страшно так такой такая такое такие ужасно чересчур чрезвычайно
"""

WEAKER: Final = """
    bit fairly little kinda mildly partly rather slightly somewhat sorta
    несколько отчасти немного немножко слегка чуть частично местами
"""

# What follows weighs more than what came before.
TURNS: Final = """
    but however yet nevertheless nonetheless still
    но однако зато только увы впрочем
"""

# What follows is granted only, up to the next comma: "although slow, it is good".
GRANTS: Final = "although though despite whilst albeit хотя хоть пусть несмотря"

# A denial reaches past "that" behind these: "I don't think that it is good".
OPINIONS: Final = """
    think believe say said sure claim feel find
    думаю думал считаю считал сказать скажу уверен уверена верю полагаю кажется нахожу
"""

# Go on with what was denied: "not clear or useful".
JOINS: Final = "or nor and и или ни"

ASKS: Final = """
    is are am was were do does did can could will would should may shall has have had how what where
    when which who whom whose как что где когда какой какая какие какое кто куда откуда сколько
    можно можешь можете есть ли чем
"""

# Several words that deny what follows, as far as "not" does.
DENYING: Final = frozenset({"far from", "anything but", "instead of", "далеко от"})

# Several words that together say something else than each, longest first.
PHRASES: Final[dict[str, float]] = {
    "not only": 0,
    "not just": 0,
    "not to mention": 0,
    "no doubt": 0,
    "no wonder": 0,
    "at least": 0,
    "a lot better": 2,
    "how it works": 0,
    "how does it work": 0,
    "it works": 1.5,
    "that works": 1.5,
    "works now": 1.5,
    "works well": 2,
    "works fine": 2,
    "well done": 3,
    "well written": 2,
    "well explained": 2,
    "very well": 2,
    "so well": 2,
    "good job": 2,
    "good point": 2,
    "thumbs up": 2,
    "thumbs down": -2,
    "spot on": 2,
    "thank god": 1.5,
    "as well": 0,
    "good morning": 0,
    "good evening": 0,
    "good afternoon": 0,
    "good night": 0,
    "good luck": 0,
    "good bye": 0,
    "a good deal": 0,
    "for good": 0,
    "good idea to": 0,
    "i like": 2,
    "we like": 2,
    "really like": 2,
    "would like": 0,
    "would love": 0,
    "would be good": 0,
    "would be nice": 0,
    "would be great": 0,
    "would be better": -1,
    "best regards": 0,
    "what the hell": -2,
    "id like": 0,
    "not bad": 1.5,
    "not too bad": 1.5,
    "not so bad": 1.5,
    "not half bad": 1.5,
    "not too shabby": 1.5,
    "not sure": -1,
    "not really": -1.5,
    "not quite": -1.5,
    "no problem": 1,
    "no problems": 1.5,
    "no worries": 1,
    "dont worry": 0,
    "never mind": 0,
    "no good": -2,
    "no use": -2,
    "no way": -1,
    "no help": -2,
    "no complaints": 2,
    "cant complain": 2,
    "couldnt be better": 3,
    "couldnt be worse": -3,
    "never been better": 3,
    "could be better": -1.5,
    "could be worse": 1,
    "could have been better": -1.5,
    "should be better": -1.5,
    "must be better": -1.5,
    "cant wait": 2,
    "makes no sense": -2,
    "make no sense": -2,
    "made up": -2,
    "makes up": -2,
    "makes things up": -2,
    "making things up": -2,
    "nothing but": 0,
    "thanks for nothing": -3,
    "thank you for nothing": -3,
    "thats right": 2,
    "is right": 2,
    "is correct": 2,
    "thats correct": 2,
    "right answer": 2,
    "correct answer": 2,
    "waste of time": -3,
    "not helpful at all": -3,
    "what i needed": 2,
    "what i wanted": 2,
    "what we needed": 2,
    "saved my": 2,
    "save my": 2,
    "like a charm": 3,
    "not what": -1.5,
    "i expected more": -1.5,
    "expected better": -1.5,
    "off topic": -1.5,
    "if it were not": 0,
    "to the point": 2,
    "too long": -1.5,
    "too short": -1.5,
    "too much": -1.5,
    "too many": -1.5,
    "too slow": -2,
    "out of date": -1.5,
    "let me down": -2,
    "lets me down": -2,
    "fed up": -2,
    "не только": 0,
    "не просто": 0,
    "не могу не": 0,
    "не очень": -1.5,
    "не особо": -1.5,
    "не айс": -2,
    "не то": -2,
    "не та": -1.5,
    "не туда": -1.5,
    "не ахти": -2,
    "не фонтан": -2,
    "не надо": 0,
    "не за что": 0,
    "не стоит благодарности": 0,
    "добро пожаловать": 0,
    "не знаю": 0,
    "ничего страшного": 0,
    "ничего плохого": 1,
    "ничего себе": 0,
    "вполне ничего": 1.5,
    "как это работает": 0,
    "как работает": 0,
    "было бы хорошо": 0,
    "было бы лучше": -1,
    "хорошо бы": 0,
    "лучше бы": -1.5,
    "мог бы быть лучше": -1.5,
    "могло бы быть лучше": -1.5,
    "могло быть лучше": -1.5,
    "могло быть и лучше": -1.5,
    "могло быть хуже": 1,
    "лучше не бывает": 3,
    "хуже не бывает": -3,
    "хуже некуда": -3,
    "лучше некуда": 3,
    "толку нет": -2,
    "нет толку": -2,
    "нет смысла": -2,
    "смысла нет": -2,
    "толку мало": -2,
    "так себе": -1.5,
    "не по теме": -1.5,
    "не по делу": -1.5,
    "по делу": 1.5,
    "не советую": -2,
    "что нужно": 1.5,
    "что надо": 1.5,
    "ни о чем": -2,
    "мимо кассы": -2,
    "спасибо за ничего": -3,
    "на высоте": 2,
    "на отлично": 3,
    "в точку": 2,
    "то что надо": 2,
    "то что нужно": 2,
    "пять баллов": 3,
    "доброе утро": 0,
    "добрый день": 0,
    "добрый вечер": 0,
    "доброй ночи": 0,
    "доброго дня": 0,
    "все верно": 2,
    "все правильно": 2,
    "до свидания": 0,
}
