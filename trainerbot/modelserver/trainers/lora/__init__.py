"""Methods supervised and dpo: a LoRA adapter by TRL and PEFT. Only for a process of its own."""
