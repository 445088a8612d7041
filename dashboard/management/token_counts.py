"""Token counts of a data file, as commands print them."""

from typing import Any

from trainerbot.formats.tokens.histogram import TokenReport

BAR_WIDTH = 40


def as_row(tokens: TokenReport) -> dict[str, Any]:
    return {
        "encoding": tokens.encoding,
        "context_tokens": tokens.context_tokens,
        "examples": tokens.n_counted,
        "truncated": tokens.n_truncated,
        "total": tokens.total,
        "kept": tokens.kept,
        "shortest": tokens.shortest,
        "median": tokens.median,
        "p95": tokens.p95,
        "longest": tokens.longest,
        "epochs": tokens.n_epochs,
        "billed": tokens.billed_tokens(),
        "histogram": [bucket._asdict() for bucket in tokens.buckets],
    }


def as_text(tokens: TokenReport, *, is_free: bool = False) -> str:
    """A few lines: the sum, a chart with a bar a bucket, and what a training is billed.

    is_free: nobody bills it, as on our own model server.
    """
    lines = [
        f"Tokens ({tokens.encoding}): {tokens.total:,} in all; {tokens.shortest:,} to "
        f"{tokens.longest:,} an example, median {tokens.median:,}, 95 % at most {tokens.p95:,}."
    ]
    most = max((bucket.n_examples for bucket in tokens.buckets), default=0)
    for bucket in tokens.buckets:
        # Whoever is there at all is seen.
        bar = "#" * -(-bucket.n_examples * BAR_WIDTH // most)
        span = f"{bucket.low:,} to {bucket.high:,}"
        lines.append(f"{span:>18} | {bar:<{BAR_WIDTH}} {bucket.n_examples:,}")
    if tokens.n_truncated:
        lines.append(
            f"{tokens.n_truncated:,} examples have more than {tokens.context_tokens:,} tokens and "
            "are cut off at the end."
        )
    if not is_free:
        lines.append(
            f"OpenAI's rule trains {tokens.n_epochs} times over them: {tokens.billed_tokens():,} "
            "tokens are billed."
        )
    return "\n".join(lines)
