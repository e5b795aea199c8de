"""A real HTTP server on this machine, which behaves as well or as badly as a test wants."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer:
    """How one request is answered; a plain one is a correct server's.

    Parameters
    ----------
    status : int
        Answer with this and nothing else, if it is not 200.
    headers : dict
        More headers, or others.
    cut : int
        Break off the connection after so many bytes of the body.
    claim : int
        Announce this length in place of the true one.
    body : bytes
        Send this in place of the file.
    ranges : bool
        Whether parts of the file can be asked for.
    shift : int
        Send a part that begins so many bytes too late.
    pause : float
        Wait so many seconds in the middle.
    etag : str
        The mark of the file's version; "" for none.
    chunked : bool
        Do not tell the length.
    """

    def __init__(
        self, status=200, headers=None, cut=None, claim=None, body=None, ranges=True, shift=0,
        pause=0.0, etag='"v1"', chunked=False,
    ):  # fmt: skip
        vars(self).update({k: v for k, v in locals().items() if k != "self"})


class Server:
    """Files by path, a list of answers for the next requests of each, and what was requested."""

    def __init__(self):
        self.files = {}
        self.answers = {}
        self.requests = []
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.httpd.daemon_threads = True
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.httpd.server_port}"

    def put(self, path, body, *answers):
        """Serve a file; returns its address."""
        self.files[path] = body
        self.answers[path] = list(answers)
        return self.address + path

    def ranges(self):
        """What part each request asked for."""
        return [headers.get("Range") for _, headers in self.requests]

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def _handler(server):  # noqa: N805 (a closure of the server)
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.partition("?")[0]
                server.requests.append((self.path, dict(self.headers)))
                planned = server.answers.get(path, [])
                answer = planned.pop(0) if planned else Answer()
                with contextlib.suppress(ConnectionError):
                    server.reply(self, path, answer)

            def log_message(self, *_):
                pass

        return Handler

    def reply(self, handler, path, answer):
        if path not in self.files and answer.status == 200:
            answer = Answer(404)
        if answer.status != 200:
            handler.send_response(answer.status)
            for name, value in (answer.headers or {}).items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = self.files[path] if answer.body is None else answer.body
        start = 0
        asked = handler.headers.get("Range")
        condition = handler.headers.get("If-Range")
        if asked and answer.ranges and condition in {None, answer.etag}:
            start = int(asked.removeprefix("bytes=").rstrip("-")) + answer.shift
            if start >= len(body):
                handler.send_response(416)
                handler.send_header("Content-Range", f"bytes */{len(body)}")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            handler.send_response(200)
        part = body[start:]
        if answer.etag:
            handler.send_header("ETag", answer.etag)
        if answer.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(answer.claim or len(part)))
        for name, value in (answer.headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        sent = part if answer.cut is None else part[: answer.cut]
        if answer.chunked:
            sent = b"%x\r\n%s\r\n" % (len(sent), sent)
            sent += b"0\r\n\r\n" if answer.cut is None else b""
        handler.wfile.write(sent[: len(sent) // 2])
        handler.wfile.flush()
        time.sleep(answer.pause)
        handler.wfile.write(sent[len(sent) // 2 :])
        if answer.cut is not None or (answer.claim or 0) > len(part):
            handler.close_connection = True
