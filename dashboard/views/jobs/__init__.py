"""Fine-tune jobs: listed, started, watched, and what they made."""
