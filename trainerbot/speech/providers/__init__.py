"""The makers of words and of sound, one module each; `registry` names them by dotted path."""
