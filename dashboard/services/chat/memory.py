"""What was said before: in a conversation, in a thread, or up a chain of replies.

Raw statements, since one of them stands between each message on Discord and
its answer, and Django writes such a query anew each time.
"""

from dashboard.services.statements import Statement
from trainerbot.messages import ChatMessage, Role

MOST_EXCHANGES = 20
"""Questions with their answers; the model's own budget cuts further."""

NO_WORDS = "[an attachment without words]"
UNHEARD = "[interrupted before a word of it was heard]"

# Failed answers are left out with their questions, and so is what somebody
# wanted forgotten. Of an answer that was interrupted in a call only what was
# heard was said.
_EXCHANGES = """
    SELECT question.content,
        CASE WHEN utterance.was_interrupted THEN utterance.spoken ELSE answer.content END
    FROM dashboard_message answer
    JOIN dashboard_message question ON question.id = answer.reply_to_id
    LEFT JOIN dashboard_utterance utterance ON utterance.message_id = question.id
    JOIN dashboard_conversation talk ON talk.id = answer.conversation_id
    WHERE {where} AND question.id >= talk.forgotten_before
        AND answer.role = 'assistant' AND answer.error = '' AND answer.id < %s
    ORDER BY answer.id DESC LIMIT %s
"""
_OF_CONVERSATION = Statement(_EXCHANGES.format(where="answer.conversation_id = %s"))
_OF_CHANNEL = Statement(_EXCHANGES.format(where="talk.discord_channel_id = %s"))
_CHAIN = Statement("""
    WITH RECURSIVE chain (id, reply_to_id, role, content, error, depth) AS (
        SELECT said.id, said.reply_to_id, said.role, said.content, said.error, 0
        FROM dashboard_message said
        JOIN dashboard_conversation talk ON talk.id = said.conversation_id
        WHERE said.id = %s AND said.id >= talk.forgotten_before
        UNION ALL
        SELECT said.id, said.reply_to_id, said.role, said.content, said.error, depth + 1
        FROM dashboard_message said JOIN chain ON said.id = chain.reply_to_id
        JOIN dashboard_conversation talk ON talk.id = said.conversation_id
        WHERE depth < %s AND said.id >= talk.forgotten_before
    )
    SELECT role, content, error FROM chain ORDER BY depth
""")


def of_conversation(conversation_id: int, *, before: int) -> list[ChatMessage]:
    """What was said in a conversation before the message with the id `before`, oldest first."""
    return _exchanges(_OF_CONVERSATION, conversation_id, before)


def of_channel(channel_id: int, *, before: int) -> list[ChatMessage]:
    """What everybody said to the bot in a channel (our row's id), which is a thread."""
    return _exchanges(_OF_CHANNEL, channel_id, before)


def of_chain(message_id: int) -> list[ChatMessage]:
    """What a chain of replies says that ends with this message, oldest first.

    Across people, since all of it stands before everybody's eyes, also what
    was not spoken to its end. An answer that failed is left out, and so is what nobody answered.
    """
    said: list[ChatMessage] = []
    rows = _CHAIN.rows(message_id, 2 * MOST_EXCHANGES - 1)
    answered = False
    for role, content, error in rows:
        if role == Role.ASSISTANT:
            answered = not error and bool(content.strip())
            if answered:
                said.append(ChatMessage(Role.ASSISTANT, content))
        elif answered:
            said.append(_asked(content))
            answered = False
    return said[::-1]


def _exchanges(statement: Statement, of: int, before: int) -> list[ChatMessage]:
    said: list[ChatMessage] = []
    for question, answer in reversed(statement.rows(of, before, MOST_EXCHANGES)):
        said += [_asked(question), ChatMessage(Role.ASSISTANT, answer or UNHEARD)]
    return said


def _asked(question: str) -> ChatMessage:
    # Many endpoints refuse a message without words.
    return ChatMessage(Role.USER, question if question.strip() else NO_WORDS)
