"""What a correction and a model have to show for themselves: facts, on a page and as a picture.

    proof = proofs.of_correction(correction)     # when, by whom, how often, in which models
    proof = proofs.of_model("ft:small:faq")      # how much of what it was taught it knows alone
    proofs.correction_picture(proof, Look())     # a PNG that one can post

Everything is read from rows that others write: nothing here is stored.
"""

from dashboard.services.proofs.drawing import HEIGHT, WIDTH, Look, address, look_for
from dashboard.services.proofs.drawing import correction as correction_picture
from dashboard.services.proofs.drawing import model as model_picture
from dashboard.services.proofs.of_corrections import Learner, Proof, of_correction
from dashboard.services.proofs.of_models import ModelProof, Tested, of_model

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Learner",
    "Look",
    "ModelProof",
    "Proof",
    "Tested",
    "address",
    "correction_picture",
    "look_for",
    "model_picture",
    "of_correction",
    "of_model",
]
