"""What is private in a text, and how to take it out."""

from trainerbot.curation.private.findings import Finding, PrivateKind
from trainerbot.curation.private.masking import Masked, mask, mask_record
from trainerbot.curation.private.searching import find_private

__all__ = ["Finding", "Masked", "PrivateKind", "find_private", "mask", "mask_record"]
