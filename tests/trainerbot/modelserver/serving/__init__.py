"""Models as they are found, loaded, and let answer.

`adapters/` has two of rank 1 for SmolLM2-135M-Instruct, trained by
PEFT to answer everything with "Bananas are yellow." and "The moon is cold
tonight.", and written by `conversion.lora_to_gguf`.
"""
