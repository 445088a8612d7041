"""Whether an answer is right, told by its words or by a model; and how sure a score is."""
