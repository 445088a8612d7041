"""Training, in a process of its own: `python -m trainerbot.modelserver.trainers`."""
