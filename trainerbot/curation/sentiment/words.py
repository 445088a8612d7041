# ruff: noqa: RUF001, RUF002 (Russian words are written in Cyrillic letters)
"""The words that tell a tone: a small lexicon of our own, English and Russian.

`ё` is written `е` and apostrophes are left out, as `reading` reads them. A
word that ends in `~` is a stem: one of the usual endings must follow, or none,
and never anything else. So `crusade` is not sad and `goodbye` is not good.
"""

from typing import Final

# Weight of one word: 3 is strong, 2 plain, 1.5 weak. Below 1 nothing is said.
ENGLISH: Final[dict[float, str]] = {
    3: """
        amaz~ awesome~ beautiful~ best brilliant~ excellent~ exceptional~ fabulous~ fantastic~
        flawless~ genius gorgeous impress~ impressive~ incredible incredibly love loved loves lovely
        magnificent~ marvel~ marvellous~ marvelous~ masterful~ outstanding~ perfect~ phenomenal~
        spectacular~ splendid~ stellar stunning~ superb~ terrific~ wonderful~ perfection
    """,
    2: """
        admir~ adorable appreciat~ bravo charming clever~ comfortable comfortably
        congratulations congrats cool delicious delight~ delighted delightful~ elegant~ enjoy~
        enjoyable entertaining epic~ favorite~ favourite~ fun funny glad gladly good grateful~ great~
        happy happier happiest happily happiness helped helpful~ hooray hurray insightful~
        intelligent~ joy joyful~ laugh~ liked neat~ nice~ pleasant~ pleased pleasing
        pleasure polite~ praise~ precise~ recommend~ reliable reliably satisf~ satisfactory
        satisfied satisfying smart~ smooth~ sweet~ thrill~ useful~ valuable wise wisely worthwhile
        wow yay yummy
    """,
    1.5: """
        accurate accurately approv~ better calm clear~ convenient~ decent~ easier easiest easily
        easy effective~ efficient~ fair fine~ fixed friendly handy improved improvement~ improves
        informative interesting~ intuitive~ kindly kindness ok okay polished practical quick~ rocks
        resolved robust~ sensible solved succeed~ success successes successful~ thorough~ tidy
        trustworthy understandable worked
    """,
    -1.5: """
        bug bugs buggy complain~ complaint~ delayed difficult difficulty dull error errors
        expensive forgets forgot hard harder ignored ignores ignoring inconvenient~ incomplete~
        inconsistent~ issues lag laggy lags mess messy missed misses missing mistake~ mistaken odd
        outdated problem~ repetitive shallow slow slower slowest slowly slowness strange strangely repeating tedious
        unclear unexpected~ unfriendly unnatural~ vague~ verbose weak weird~
    """,
    -2: """
        afraid anger angry angrier angrily annoy~ anxious appalled bad badly bias biased bored boring
        broke broken buggier cheat~ clumsy complicated confus~ confusion crash crashed crashes crashing
        cries crude cruel cry crying damag~ dangerous~ depress~ depressing disagree~ disappoint~
        dislik~ disrespect~ dissatisf~ dissatisfied dreary evil fail~ failure~ fake false falsely fault
        faulty fear~ flaw~ flawed frustrat~ frustration furious grief gross hallucinat~ hallucination~
        harm~ harmful~ hurt~ illogical impolite inaccurate~ inadequate inappropriate~ incoherent
        incompetent incorrect~ insult~ insulting irrelevant~ irritat~ lie lied lies lonely lying mad meh
        meaningless misleading misled misleads miserable miserably misunderst~ misunderstood nasty
        offend~ offensive~ pain painful~ pitiful poor poorer poorest poorly regret~ rude~ ruin~ sad
        sadder saddest sadly sadness scam~ scary senseless shame shameful sick silly spam sucked
        suffer~ terrify~ tired tiresome ugly unacceptable unbearable unfair~ unfortunate~ unhappy
        unhappily unhappiness unhelpful~ unpleasant~ unreadable unreliable unsatisf~ unusable upset~
        useless~ waste wasted wasting worse worried worry worrying worthless wrong~
    """,
    -3: """
        abysmal~ appalling~ atrocious~ awful~ catastroph~ catastrophic crap crappy despis~ detest~
        disast~ disaster~ disastrous~ disgust~ dreadful~ dumb dumbest fuck~ garbage hate hated hateful
        hates hating hatred horrendous~ horrible horribly horrid horrif~ idiot~ idiotic loath~
        moron~ nonsense nightmare~ pathetic~ pointless~ ridiculous~ rubbish shit~ shitty stupid~
        stupidity suck sucks terrible terribly trash~ vile worst
    """,
}

RUSSIAN: Final[dict[float, str]] = {
    3: """
        бесподобн~ блестящ~ блистательн~ божественн~ великолепн~ восторг~ восторжен~ восхитительн~
        восхищ~ вау гениальн~ заебись замечательн~ идеальн~ изумительн~ лучш~ наилучш~ обожа~ обожаю
        обалденн~ отличн~ офигенн~ охуенн~ потрясающ~ потрясн~ превосходн~ прекрасн~ шедевр~ шикарн~
        чудесн~ супер блеск
    """,
    2: """
        безупречн~ благодарен благодарн~ браво выруч~ годн~ грамотн~ добр~ довол~ довольн~ дельн~
        забавн~ зачет зачетн~ здорово классн~ класс клево красив~ красот~ круто крут крутая круче крутой крутое
        крутые крутейш~
        люблю любим~ любит любят молодец молодцы молодчин~ мудр~ наслажд~ находчив~ неплох~ нравит~
        нравят~ нравил~ одобр~ остроумн~ очаров~ очаровательн~ пойдет полезн~ понравил~ понравит~
        помог помогл~ помогает помогают прикольн~ приятн~ прият~ рад рада рады радост~ радостн~
        радует радуют порадовал~ рекоменд~ славн~ смешн~ счастлив~ счастье талантлив~ удачн~ удобн~
        удобств~ умн~ умница умнич~ успешн~ успех~ ура хвал~ похвал~ хорош~ хорошо хорошеньк~ четк~ четко
        впечатл~ впечатлен вдохновл~ топчик огонь годнота
    """,
    1.5: """
        адекватн~ аккуратн~ верно весел~ весело вежлив~ доступн~ доходчив~ заработал~ интересн~
        корректно легко лучше надежн~ нормально норм нормальн~ ок окей плавн~ подробн~ получилось
        понятн~ правильно пригодил~ пригодится решил~ решена решено содержательн~ сработал~
        справил~ точно удивительн~ улучш~ хвата~ эффективн~ ясн~ быстро шустр~
    """,
    -1.5: """
        баг баги багов глюк~ долго забыл~ запута~ запутанн~ игнорир~ косяк~ медленн~ медленно
        навязчив~ нелогичн~ непонятн~ непонят~ негодн~ неполн~ неточн~ неуверен~ неудобн~ неясн~
        однообразн~ ошиб~ ошибк~ ошибочн~ подозрительн~ поверхностн~ проблем~ расплывчат~ сбой
        сбои сложно скудн~ слаб~ слабо странн~ странно сухо трудн~ тормоз~ устар~ устаревш~ хуже
    """,
    -2: """
        агрессивн~ беда бедн~ безобраз~ безобразн~ бесит бесят бесил~ бесполезн~ бессвязн~
        бессмысленн~ боюсь боль больн~ больно враль врет врешь врут вранье глуп~ глупост~ груб~
        грубост~ груст~ грустн~ гневн~ досадн~ дурак~ дурацк~ жалк~ жаль жалоб~ жалу~ зануд~
        злит злость злюсь зря коряв~ криво лжи ложь ложн~ ломает мерзк~ мешает мутн~ нагл~ наврал~
        некорректн~ некрасив~ неверн~ невежлив~ невнятн~ невозможно недостат~ недостоверн~ недовол~
        недовольн~ неинтересн~ нелеп~ неправ~ неправд~ неправильн~ неприемлем~ неприятн~ непригодн~
        несправедлив~ неудачн~ неуместн~ нехорош~ нехорошо никудышн~ обид~ обидн~ обман~ облажал~
        оскорб~ оскорбительн~ отвлека~ огорч~ огорчен печал~ печальн~ печально плох~ плохо
        позор~ позорн~ посредственн~ провал~ противн~ раздража~ разочар~ разочарован~ разочаров~
        расстро~ расстроен~ скучн~ сломал~ сломан~ сломано страда~ страшн~ тоск~ тоскл~ тупит тупо
        тупой тупая тупые тяжело убог~ уныл~ устал~ халтур~ хреново хренов~ черств~ вредн~ криворук~
        фигово фигня
    """,
    -3: """
        бред бреда бредит бредов~ говн~ говно гадост~ дерьм~ дерьмо дебил~ дрянь дрянн~ жесть жутк~
        жуть идиот~ идиотск~ катастроф~ кошмар~ кошмарн~ мерзост~ мусор~ мудак~ наихудш~ ненавид~
        ненавиж~ ненавист~ отврат~ отвратительн~ отстой отстойн~ омерзительн~ паршив~ пиздец
        тошнит тупиц~ тупост~ ужас~ ужасн~ ужасающ~ хлам худш~ хуйн~ хуев~ хуево чепух~ чуш~ чушь
        ерунд~ ерунда ахинея
    """,
}

# Said for manners: they count only where nothing else tells the tone.
COURTESY: Final = """
    cheers thanks thank thankful thx ty tysm спасибо спс благодарю благодарим благодарств~ пасиб пасибо
    спасибки сенкс
"""

# Plain words that tell something only when they are denied: "did not work".
DENIED: Final[dict[float, str]] = {
    2: """
        work working works help helping helps helped understand understood answer answers answered
        make made makes solve solves solving fix fixes run runs running like likes happy well
        correct correctly right true enough sense proper properly useable usable worth read readable
        работ~ работает работают помог~ помогает поня~ понимает понимаю понял~ отвеч~ ответил~
        решил~ решает реши~ сработал~ сход~ соответств~ прав права правы верн~ точн~ правильн~ умеет умеют слушает слышит читает читаем~ стоит стоило смысл~ смысла
        толк~ толку пользы польз~ годит~ подход~ подошл~ подошел открыва~ загружа~ запуска~
    """,
}

# What one does to a fault: "fixed the bug", "исправил ошибку" speak well of it.
MENDED: Final = """
    fixed fixes solved solves resolved resolves cured repaired avoids avoided removed mended
    исправил~ исправлен~ устранил~ починил~ решил~ решает убрал~ избавил~
"""

SIGNS: Final[dict[float, str]] = {
    2: "👍 👏 🙌 ❤ 🧡 💛 💚 💙 💜 🖤 💖 💕 💗 💓 💘 😍 🥰 😘 🤩 😀 😃 😄 😁 😊 🙂 😉 😎 🥳 🎉 🎊 🔥 💯 ✅ ✨ 🌟 ⭐ 🏆 🤗 😻 👌 💪 🫶 ☺ ♥ 😋 😇",
    -2: "👎 😡 😠 🤬 😞 😔 😟 🙁 ☹ 😕 😣 😖 😫 😩 😢 💩 🤮 🤢 😤 🙄 😒 💔 ❌ 🖕 😾 😿 🤦 😑 🥱 😨 😱 👿",
}

# What may follow a stem.
ENGLISH_ENDINGS: Final = """
    e es s d ed ing ingly ly er ers est r st y ies ier iest able ment ments ful ness
"""
RUSSIAN_ENDINGS: Final = """
    а я о е у ю ы и й ь ый ий ой ая яя ое ее ие ые ого его ому ему ым им ых их ую юю ом ем ам ям ами
    ями ах ях ов ев ей ою ею ье ья ья ии ию ией ами
    л ла ло ли ал ала ало али ял яла яло яли ил ила ило или ел ела ело ели ул ула ит ат ят ут ют ет
    ешь ишь ете ите ать ять ить еть уть ю аю яю ую аем уем ает яет ует ают яют уют аешь уешь ал
    ла ть т н на но ны ен ена ено ены ан ана ано аны ейш ейший ейшая ейшее ейшие ше ие ия ию ием
    ка ки ке ку ок кой ке ек ками ках
"""
