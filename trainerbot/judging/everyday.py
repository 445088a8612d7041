"""A handful of short everyday questions, to see whether a model still answers different things."""

from typing import Final

EVERYDAY: Final = (
    "Which sea animal has eight arms?",
    "Name three things that one needs to bake bread.",
    "How does rain come about? One sentence, please.",
    "What colour do you get from blue and yellow paint?",
    "Suggest a title for a short story about a lighthouse.",
    "Which planet is nearest to the sun?",
    "Столица какой страны Лиссабон?",
    "Чем кормят кроликов?",
    "Сколько минут в двух часах?",
    "Как вежливо отказаться от приглашения? Одним предложением.",
    "Назови два месяца весны.",
    "Из чего делают бумагу?",
)
"""Each of another matter, so that no answer suits two of them. Who changes one makes a new version."""
