"""A made folder is there whole or not at all."""

import pytest

from trainerbot.modelserver.conversion.folders import whole_folder


def test_a_folder_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "cache" / "abc"

    with whole_folder(target) as draft:
        (draft / "model.safetensors").write_bytes(b"weights")
        assert not target.exists()

    assert [path.name for path in target.iterdir()] == ["model.safetensors"]
    assert [path.name for path in target.parent.iterdir()] == ["abc"]


def test_a_failure_leaves_nothing(tmp_path):
    target = tmp_path / "abc"

    def make() -> None:
        with whole_folder(target) as draft:
            (draft / "half").write_bytes(b"x")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - ours, just above
        make()

    assert list(tmp_path.iterdir()) == []


def test_of_two_that_make_the_same_the_first_stays(tmp_path):
    target = tmp_path / "abc"

    with whole_folder(target) as slow:
        (slow / "file").write_bytes(b"slow")
        with whole_folder(target) as fast:
            (fast / "file").write_bytes(b"fast")

    assert (target / "file").read_bytes() == b"fast"
    assert [path.name for path in tmp_path.iterdir()] == ["abc"]
