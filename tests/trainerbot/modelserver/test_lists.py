"""What every list has in common: wrong questions are refused, by the parameter's name."""

import pytest

from tests.trainerbot.modelserver.inprocess import in_process


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with in_process(tmp_path_factory.mktemp("lists")) as running:
        yield running


@pytest.mark.parametrize("path", ["/v1/files", "/v1/fine_tuning/jobs", "/v1/chat/completions"])
def test_a_list_cannot_go_on_after_nothing(server, path):
    reply = server.send("GET", path, query=b"after=none")

    assert (reply.status, reply.error["param"]) == (400, "after")


@pytest.mark.parametrize("path", ["/v1/fine_tuning/jobs", "/v1/chat/completions"])
@pytest.mark.parametrize(("n_pairs", "status"), [(16, 200), (17, 400), (2000, 400)])
def test_a_list_is_filtered_by_as_many_pairs_as_a_row_can_have(server, path, n_pairs, status):
    query = "&".join(f"metadata[k{n}]=v" for n in range(n_pairs))

    reply = server.send("GET", path, query=query.encode())

    assert reply.status == status
    assert status == 200 or reply.error["param"] == "metadata"
