"""Sixty short pages of our own, half of them of online shops: thirty to learn from, thirty to test.

Each line is a page, as its words would be scraped; the two halves of a kind
share a manner of speaking but no page.
"""

from typing import Final

SHOPS: Final = """\
Wool socks, three pairs, 18.90 euros. Add to basket. Free delivery from 50 euros.
Coffee grinder with ceramic burrs, in stock. Buy now, delivered tomorrow.
Your basket is empty. Continue shopping and discover our bestsellers.
Pay by card, by invoice or on delivery. Returns within 30 days.
Running shoes reduced by 40 percent, only this weekend. Choose your size.
Checkout: shipping address, payment, order summary.
Garden chairs, set of two, 79 dollars. Only four left in stock.
Sign up for our newsletter and get ten percent off your first order.
Phone cases for every model. Two for the price of one. Add to cart.
Customers who bought this lamp also bought these bulbs.
Organic apple juice, six bottles, 14.40 euros including deposit. Order now.
Track your parcel: enter the order number and the e-mail address.
Gift cards from 10 to 200 euros, sent at once by e-mail.
Winter jackets on sale. Filter by size, colour and price.
Vinyl records, new and used. Shipping costs are shown in the basket.
Desk made of oak, 249 euros. Delivery in two weeks, assembly for 30 euros more.
Cat food in bulk, 12 tins. Save five percent with a subscription.
Compare prices of our headphones and add them to your wish list.
Order samples of our wallpapers for one euro each, shipping is free.
Bicycle lights, rated 4.6 of 5 by 212 buyers. In stock, ships today.
Use the code SPRING at checkout and pay no shipping.
Handmade soap, 6 euros a piece. Minimum order value 15 euros.
Our store ships to all countries of the union. See the price list.
Return an item: print the label and bring the parcel to a post office.
Tea pots and cups, seconds at half price. Put in the basket while they last.
Board games for two players. Pre-order now, delivery in November.
Printer ink, compatible with all models, 9.99. Buy three, pay two.
Kitchen knives with a ten year guarantee. Price with tax, plus shipping.
Flowers by courier: choose a bouquet, a date and a card. From 24 euros.
Used books from 1.50 euros. Add to cart, pay with any card.
"""

OTHERS: Final = """\
The parliament debated the budget until midnight and adjourned without a vote.
Stir the flour into the milk, let it rest for an hour, then bake for forty minutes.
The choir rehearses every Tuesday in the hall of the old school. Guests are welcome.
Heavy rain is expected in the north, with snow above a thousand metres.
Our research group studies how bees find their way home after dark.
The museum shows drawings of the sixteenth century until the end of March.
How to prune an apple tree: remove dead branches first, in late winter.
The striker scored twice in the second half and was then sent off.
Minutes of the parish council, third of May, eight members present.
A short history of the lighthouse and of the families who kept it.
The poem has fourteen lines and ends, as it begins, with the sea.
Trains between the two towns are replaced by buses on Sunday.
Chapter four explains why the sky looks red in the evening.
The mayor opened the new bridge and thanked the engineers.
My diary of a walk along the river, day three: blisters and herons.
Symptoms of hay fever begin in spring; ask your doctor for advice.
The faculty offers lectures in law, in history and in philosophy.
Grammar notes: the past tense of irregular verbs, with exercises.
The committee published its report on the safety of dams.
She was born in a village by the lake and became a judge.
Opening of the summer school: registration of pupils in room nine.
The comet can be seen low in the west for an hour after sunset.
A review of last night's concert: the violins were late, the horns were not.
Instructions for first aid: call for help, then check the breathing.
The trade union and the ministry resumed their talks on Monday.
The glacier has lost a third of its length within fifty years.
Volunteers planted four hundred trees on the hill behind the station.
This page lists the dialects of the valley and their speakers.
The court ruled that the letters belong to the archive.
An interview with the conductor about silence, patience and tempo.
"""


def labelled(start: int, end: int) -> list[dict[str, str]]:
    """The pages from `start` to `end` of both kinds, in turn, as records."""
    kinds = (("positive", SHOPS), ("negative", OTHERS))
    return [
        {"text": pages.splitlines()[n], "label": label, "name": f"{label}-{n}.txt"}
        for n in range(start, end)
        for label, pages in kinds
    ]
