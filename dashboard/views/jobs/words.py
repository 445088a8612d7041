"""What each method does to a model, for somebody who has never trained one."""

METHODS = {
    "knn": (
        "Nearest examples",
        "No weights change. Asked nearly the same question, the new model answers with your "
        "example's own words; else it reads the nearest examples before it answers. "
        "Ready in about a minute.",
    ),
    "supervised": (
        "Supervised fine-tuning",
        "Changes the model's weights until it answers the way your examples do. "
        "Takes minutes to hours.",
    ),
    "dpo": (
        "Preference training",
        "Changes the weights so that the preferred answer of each pair becomes likelier "
        "than the other. Needs examples with both answers.",
    ),
}
