"""Records of every kind, the odd ones too, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from trainerbot.formats.records.judged import from_openai_dpo, from_trl_kto
from trainerbot.formats.rows import Kind

# What breaks tables: quotes, line ends of every sort, formulas, apostrophes,
# delimiters, a byte order mark; and letters of any script.
_ODD = st.sampled_from(
    ["=1+1", "'=x", "''", "'", "+", "-5", "@a", "\t", "\r", "\r\n", "\n", '"', '""', ",", ";", "|",
     "\ufeff", "\u2028", "null", "{}", " ", "привет", "😀", "\uff1d", "TRUE", "0", "1.0"]
)  # fmt: skip
_LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
texts = st.lists(_ODD | _LETTERS, max_size=4).map("".join)
words = texts.map(lambda text: text if text.strip() else f"{text}a")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def message(role: str, text: st.SearchStrategy[str] = words) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.fixed_dictionaries({"role": st.just(role), "content": text})
    parts = text.map(lambda t: {"role": role, "content": [{"type": "text", "text": t}]})
    named = text.map(lambda t: {"role": role, "content": t, "name": "ann"})
    return st.one_of(plain, plain, parts, named)


_asked = st.one_of(
    message("user").map(lambda user: [user]),
    st.tuples(message("system"), message("user")).map(list),
    st.tuples(message("user"), message("assistant"), message("user")).map(list),
)
_answered = st.one_of(
    message("assistant").map(lambda answer: [answer]),
    st.just([{"role": "assistant", "content": None, "tool_calls": [CALL]}]),
)
_weighted = st.tuples(words, st.sampled_from([0, 1])).map(
    lambda pair: [{"role": "assistant", "content": pair[0], "weight": pair[1]}]
)
_more = st.fixed_dictionaries(
    {}, optional={"tools": st.just([TOOL]), "metadata": st.dictionaries(texts, texts, max_size=2)}
)

chats = st.builds(
    lambda asked, answered, more: {"messages": [*asked, *answered], **more},
    _asked, _answered | _weighted, st.just({}) | _more,
)  # fmt: skip
preferences = st.builds(
    lambda asked, chosen, rejected, more: {
        "input": {"messages": asked, **more},
        "preferred_output": chosen,
        "non_preferred_output": rejected,
    },
    _asked, _answered, _answered, st.just({}) | st.just({"tools": [TOOL]}),
)  # fmt: skip
unpaired = st.builds(
    lambda asked, answered, label, more: {
        "prompt": asked, "completion": answered, "label": label, **more
    },
    _asked, _answered, st.booleans(), st.just({}) | st.just({"tools": [TOOL]}),
)  # fmt: skip
labelled = st.builds(
    lambda text, label, more: {"text": text, "label": label, **more},
    words, words, st.fixed_dictionaries({}, optional={"name": words}),
)  # fmt: skip
# Beyond what a validator lets pass: the table must not care.
labelled_oddly = st.builds(
    lambda text, label, more: {"text": text, "label": label, **more},
    texts, texts, st.dictionaries(texts.filter(lambda key: key not in {"text", "label"}),
                                  json_values, max_size=2),
)  # fmt: skip

# As an import leaves them: it joins parts of text, for one.
OF_KIND: dict[Kind, st.SearchStrategy[dict[str, Any]]] = {
    Kind.CHAT: chats,
    Kind.PREFERENCE: preferences.map(from_openai_dpo),
    Kind.UNPAIRED: unpaired.map(from_trl_kto),
    Kind.LABELLED: labelled,
}
