"""One turn of talk: history, recall of corrections, prompting; text in, events out."""

from trainerbot.conversation.recall import Memory, Place, Recall, Recalled
from trainerbot.conversation.turn import Finished

__all__ = ["Finished", "Memory", "Place", "Recall", "Recalled"]
