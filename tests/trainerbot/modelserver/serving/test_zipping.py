"""Archives that are sent while they are written."""

import pytest

from trainerbot.modelserver.api.zipping import length, zipped


@pytest.mark.parametrize(
    "sizes", [(0,), (1, 300), (2**20 + 7, 3, 70_000)], ids=["empty", "small", "pieces"]
)
async def test_the_length_that_is_told_is_that_of_the_archive(tmp_path, sizes):
    files: dict = {"naïve name.md": b"words"}
    for number, size in enumerate(sizes):
        files[f"{number}.bin"] = tmp_path / str(number)
        files[f"{number}.bin"].write_bytes(b"x" * size)

    sent = b"".join([piece async for piece in zipped(files, created=1_700_000_000)])

    assert length(files) == len(sent)


def test_of_an_archive_that_needs_larger_fields_no_length_is_told(tmp_path):
    weights = tmp_path / "model.safetensors"
    with weights.open("wb") as file:
        file.truncate(2**31)

    assert length({"model.safetensors": weights}) is None
