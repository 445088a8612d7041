"""Voice: being in a call, hearing who speaks there, taking turns, and answering aloud."""
