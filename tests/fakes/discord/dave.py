"""The voice gateway's side of DAVE 1, Discord's end-to-end encryption of voice.

The gateway is no member of the MLS group. It is the group's external sender:
it proposes who is added, and the members commit. Members here are real
`davey.DaveSession`s. MLS is RFC 9420; the cipher suite is 2 (P-256, SHA-256).
"""

import struct

import davey

from tests.fakes.discord.p256 import SigningKey

PROTOCOL_VERSION = 1
APPEND = b"\x00"  # first byte of op 27: these proposals are added, not revoked


def vector(data: bytes) -> bytes:
    """Return `data` behind its length, a variable-size integer as in RFC 9420, section 2.1.2."""
    length = len(data)
    if length < 1 << 6:
        return bytes([length]) + data
    if length < 1 << 14:
        return struct.pack(">H", length | 1 << 14) + data
    return struct.pack(">I", length | 1 << 31) + data


class ExternalSender:
    """Signs proposals with a key that every member was told of beforehand."""

    def __init__(self) -> None:
        self._key = SigningKey()
        basic_credential = struct.pack(">H", 1)
        self.package = vector(self._key.public) + basic_credential + vector(b"fake-voice-gateway")

    def propose_adding(self, key_package: bytes, *, group_id: int, epoch: int) -> bytes:
        """Return one PublicMessage that proposes to add the owner of this key package."""
        add = struct.pack(">H", 1)
        return self._signed(add + key_package, group_id=group_id, epoch=epoch)

    def _signed(self, proposal: bytes, *, group_id: int, epoch: int) -> bytes:
        external_sender, is_proposal, no_authenticated_data = b"\x02", b"\x02", vector(b"")
        framed = (
            vector(struct.pack(">Q", group_id))
            + struct.pack(">Q", epoch)
            + external_sender
            + struct.pack(">I", 0)  # index of the sender
            + no_authenticated_data
            + is_proposal
            + proposal
        )
        header = struct.pack(">HH", 1, 1)  # MLS 1.0, PublicMessage
        to_sign = vector(b"MLS 1.0 FramedContentTBS") + vector(header + framed)
        return header + framed + vector(self._key.sign(to_sign))


class DaveGroup:
    """The members that live inside the fake. The first one commits what is proposed."""

    def __init__(self, group_id: int) -> None:
        self.group_id = group_id
        self.sender = ExternalSender()
        self.epoch = 0
        self.members: dict[str, davey.DaveSession] = {}

    def add_first(self, user_id: str, bots_key_package: bytes) -> bytes:
        """Let this person own the group and add the bot. Returns the bot's welcome (op 30)."""
        owner = self._session(user_id)
        owner.get_serialized_key_package()
        commit = owner.process_proposals(
            davey.ProposalsOperationType.append, vector(self._proposal(bots_key_package))
        )
        assert commit is not None
        owner.process_commit(commit.commit)
        assert commit.welcome is not None
        self.epoch += 1
        self.members[user_id] = owner
        return commit.welcome

    def propose(self, user_id: str) -> tuple[davey.DaveSession, bytes]:
        """Return the newcomer and the proposals (op 27) that name them."""
        newcomer = self._session(user_id)
        proposal = self._proposal(newcomer.get_serialized_key_package())
        return newcomer, vector(proposal)

    def commit(self, user_id: str, newcomer: davey.DaveSession, proposals: bytes) -> bytes:
        """Let the owner commit `proposals`. Returns the commit (op 29) for everybody."""
        owner, *others = self.members.values()
        commit = owner.process_proposals(davey.ProposalsOperationType.append, proposals)
        assert commit is not None
        owner.process_commit(commit.commit)
        for other in others:
            other.process_proposals(davey.ProposalsOperationType.append, proposals)
            other.process_commit(commit.commit)
        assert commit.welcome is not None
        newcomer.process_welcome(commit.welcome)
        self.epoch += 1
        self.members[user_id] = newcomer
        return commit.commit

    def _session(self, user_id: str) -> davey.DaveSession:
        session = davey.DaveSession(PROTOCOL_VERSION, int(user_id), self.group_id)
        session.set_external_sender(self.sender.package)
        return session

    def _proposal(self, key_package: bytes) -> bytes:
        return self.sender.propose_adding(key_package, group_id=self.group_id, epoch=self.epoch)
