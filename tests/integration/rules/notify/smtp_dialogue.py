"""An SMTP server that says any words at any step, for what a well-behaved one never does."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedRWPair


@dataclass(slots=True, kw_only=True)
class SmtpDialogue:
    """What a test says of the server, and sees of it.

    Attributes:
        greeting: its first line.
        replies: to a verb (EHLO, MAIL, RCPT, DATA), where it is not 250; to `.` after the content.
        judged: the answer to the content waits for it.
        drips: the greeting comes byte by byte and never ends.
        contents: that were taken.
    """

    port: int = 0
    greeting: str = "220 ready"
    replies: dict[str, str] = field(default_factory=dict[str, str])
    judged: threading.Event = field(default_factory=threading.Event)
    drips: bool = False
    contents: list[bytes] = field(default_factory=list[bytes])
    closed: threading.Event = field(default_factory=threading.Event)

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rwb") as stream:
            while self.drips and not self.closed.wait(0.1):
                connection.sendall(b"2")
            _say(stream, self.greeting)
            while line := stream.readline():
                verb = line[:4].strip().upper().decode()
                _say(stream, self.replies.get(verb, "354 go on" if verb == "DATA" else "250 fine"))
                if verb == "DATA" and "DATA" not in self.replies:
                    self._judge(stream)

    def _judge(self, stream: BufferedRWPair) -> None:
        content = b""
        while (line := stream.readline()) not in (b".\r\n", b""):
            content += line
        self.contents.append(content)
        self.judged.wait(30)
        _say(stream, self.replies.get(".", "250 queued"))


@contextmanager
def smtp_dialogue() -> Generator[SmtpDialogue]:
    """Serve on loopback until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        dialogue = SmtpDialogue(port=server.getsockname()[1])
        dialogue.judged.set()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=dialogue.serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield dialogue
        finally:
            dialogue.closed.set()
            dialogue.judged.set()
            # Whoever waits in accept() holds the port open otherwise.
            server.shutdown(socket.SHUT_RDWR)


def _say(stream: BufferedRWPair, words: str) -> None:
    stream.write(words.encode() + b"\r\n")
    stream.flush()
