"""Words that mean about the same, in English and in Russian, and words that mean little.

Written by hand, from what people ask on servers, in shops, schools, clubs, of
software and in games. A line is one notion; a word may stand in several.
"""

from typing import Final

from trainerbot.retrieval.stems import stem

_LINES: Final = """
return refund giveback вернуть возврат возвращать
delivery deliver ship shipping shipment parcel package courier post postman доставка доставить посылка курьер привезти прислать шлете
buy purchase order купить покупка заказ заказать приобрести
price cost fee charge expensive much цена стоить стоимость стоит дорого плата размер
pay payment paid оплата оплатить платить плачу
cheap discount coupon voucher promo code sale скидка дешевле промокод купон сертификат
money cash coin gold funds деньги монета золото наличные
bill invoice receipt чек счет квитанция накладная
shop store магазин лавка
stock available sold наличие продажа раскупить
broken damaged crushed defect breaks поврежденный сломать сломалось помять разбить
warranty guarantee covered гарантия гарантийный починить
size fit width размер налезть подойти
gift present birthday подарок подарочный
password passcode login secret credentials signin пароль войти вход логин
account profile аккаунт учетка профиль
delete remove erase wipe удалить стереть убрать сотрите
cancel undo revert отменить отмена передумать
leave quit unsubscribe exit выйти покинуть отписаться
join enter become enrol register signup sign вступить записать запись стать зайти регистрация
member membership belong участник член членский
install setup установить установка поставить
update upgrade newest latest release version обновить обновление версия релиз
crash freeze hang closes вылетать вылет падать зависать
error bug fault issue broken ошибка баг сбой сломаться
slow lag stutter latency ping медленный лаг тормозить лагать пинг
settings configure preferences настройка настроить
change alter modify switch edit изменить сменить поменять сменять меняется
name nickname nick called имя ник называться зовут звать
language locale язык
file document data файл документ данные
save keep backup store сохранить резервный копия
download export выгрузить скачать экспорт
upload import загрузить импорт
share поделиться делиться
search find look locate where найти искать поиск где находиться
phone mobile smartphone телефон мобильник мобильный
computer laptop pc notebook компьютер ноутбук
internet online wifi network offline интернет сеть вайфай онлайн
picture image photo funny meme картинка фото мем
message chat post write wrote сообщение написать чат писать пишу
notification ping alert mute уведомление пинговать
mute silence muted silenced мут замутить голос
ban banned kick kicked block бан забанить выгнать заблокировать
moderator mod staff admin moderate модератор администрация админ
rule rules punishment правило нарушение наказание
allowed allow permitted permit may forbidden can разрешать можно нельзя пускать разрешен допускаться
help support assistance service поддержка помощь помочь
contact reach talk связаться связь поговорить
ticket request тикет заявка обращение
invite bring friend buddy пригласить позвать друг приятель
friend buddy mate teammate друг приятель напарник
role rank роль ранг
giveaway prize raffle win розыгрыш приз выиграть победить
vote poll голосовать голосование опрос проголосовать
event meeting gathering meet собрание встреча собираться мероприятие
open hours opening opens working открываться открыт работать график часы
close closing закрываться закрыт
begin start starts начинать начало начаться старт
end finish ends deadline until конец закончиться заканчиваться
when time date day hour когда время дата день час
schedule timetable lessons расписание график урок
lesson class lecture course урок занятие лекция
teacher professor tutor instructor учитель преподаватель
pupil student schoolchild ученик студент школьник
school academy lyceum школа лицей
exam test finals assessment экзамен тест испытание контрольная
grade mark score points оценка балл отметка
homework assignment essay task задание домашний сочинение
holiday vacation break каникулы отпуск
lunch meal eat canteen food dinner обед столовая еда поесть обедать
library books библиотека книга
sick ill fever illness болеть заболеть температура
parent mother father mum dad родитель родительский мама папа
child kid son daughter ребенок сын дочь дочка дети
absence absent skip miss пропуск прогулять отсутствие
club association society team клуб кружок организация
training practice train session тренировка тренироваться занятие
coach trainer тренер наставник
beginner newbie novice новичок начинающий
match game tournament championship competition турнир матч соревнование чемпионат
player gamer игрок
equipment gear снаряжение оборудование
clothes wear dress outfit одежда надеть форма носить
car park parking машина парковка припарковаться
bus transport train tram автобус транспорт доехать
address location place located адрес место находиться
pet dog animal cat собака питомец животное щенок
rain weather дождь погода
book reserve reservation забронировать бронь зарезервировать бронировать
room комната кабинет помещение
free gratis бесплатный бесплатно
kill defeat slay beat убить победить
boss monster dragon босс монстр дракон
weapon sword gun bow оружие меч
trade exchange swap обмен обмениваться торговать
level experience xp уровень опыт
skill ability умение навык способность
guild clan гильдия клан
quick quickly fast быстрый быстро
key token ключ токен
limit maximum most лимит максимум предел
encrypt secure security vulnerability hole шифровать безопасность уязвимость
dark night theme темный тема ночь
german english russian немецкий английский русский
who person whom кто человек люди
found founder started founded основать основатель
boss director principal head директор начальник главный
year annual yearly год ежегодный
week weekly неделя еженедельный
vegan vegetarian веганский вегетарианский
"""

_FRAME: Final = """
a an the this that these those it its there here i me my mine myself you your yours we us our one
he she they them their and or but of to in on at for from with by as about into out up off over
is are was were be been am do does did done have has had having will would shall should could can
may might must need want wanna like please tell know say show explain let get got getting give gives
go going what whats which who whom whose when where why how much many long often way ways possible
possibly steps thing things something somebody someone anything anyone person people any some all own
allowed permitted permission able if then so than too also just only really now hey hi hello
so still yet more most make makes take takes use used using work works put come comes mean means
kind sort case reason happen happens exactly currently
я мне меня мой моя мое мои моей моего мою моих себе себя свой свою свои своего своей своему ты тебе вы вас вам ваш ваша ваше ваши
вашей вашу у мы нам нас наш он она оно они их его ее это этот эта эти тут здесь там туда сюда
и или а но да ли же бы то в во на за по до от из с со к ко о об про для при без через под над
что чтобы чего чему кто кого кому как какой какая какое какие каким какими какую каком какого где куда
когда почему зачем отчего откуда сколько во есть имеется бывает быть был была было были будет буду
можно нельзя разрешено разрешен разрешена разрешены надо нужно нужен нужна нужны требуется хочу хотим
хотелось могу можете может делать сделать способ способом образом возможно возможность пожалуйста скажи
подскажите если так еще уже только очень вообще кто-то что-то дать дает работает ли
"""


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.replace("ё", "е").split())


FRAME_WORDS: Final = frozenset(_FRAME.split())
"""Words of which questions are made, whatever they are about."""


def _groups() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_LINES.strip().splitlines()):
        for one in _stems(line):
            found.setdefault(one, set()).add(number)
    return {one: frozenset(numbers) for one, numbers in found.items()}


CONCEPTS: Final = _groups()
"""Of a stem the notions that it may stand for."""
