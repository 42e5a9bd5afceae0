# Calls a Python function for a worker: FILE FUNCTION OPTIONS. The other files of this
# folder stand before this one, in the same namespace.
#
# It reads one line for each item and writes one line as the answer. In both
# directions a backslash is `\s` and a line feed is `\n`, so that a line can carry
# any bytes. A request begins with `!` if its answer must not wait for others,
# otherwise with a space. An answer begins with `v` (a JSON value), `s` (text), `f`
# (a failure), `i` (an invalid item) or `m` (out of memory). A line that begins with
# `t` is no answer: it is the type of the next item, sent for the first item and,
# without a type of its own, for the first number or text after the other kind. The first
# line, before any request, is `r` (ready) or `e` and an error message.
#
# The lines use file descriptors of their own. The function's standard input is
# empty, and its standard output goes to standard error. For Python 3.8 or later.

import signal
import time


def private_pipes():
    """Moves the pipes away from the standard descriptors."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)

    def leave():
        # A forked child that returns from the function reads end of file.
        for pipe in (requests, answers):
            os.dup2(null, pipe, inheritable=False)

    os.register_at_fork(after_in_child=leave)
    return requests, answers


def print_traceback(error):
    """Prints a traceback whose lines, but the first and the last, begin with a space.

    So who counts the lines that the function prints knows its end.
    """
    try:
        # Skips the frames of these files.
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == "<procession>":
            trace = trace.tb_next
        text = "".join(library("traceback").format_exception(type(error), error, trace)).strip().splitlines()
        head = "Traceback (most recent call last):"
        inner = [line if line.startswith(" ") else "  " + line for line in text[:-1] if line != head]
        sys.stderr.write("\n".join([head] + inner + [text[-1].strip()]) + "\n")
    except BaseException:
        pass


class Server:
    def __init__(self, requests, answers):
        self.requests, self.answers = requests, answers
        self.gathered = []

    def send(self, data):
        while data:
            data = data[os.write(self.answers, data) :]

    def say_types(self, convert, source):
        """Sets `convert`, with what tells the types of the first items."""

        def say(kind):
            self.gathered.append(answer_line(b"t", kind))

        def first(data):
            value = convert(data)
            self.convert = convert
            say(type_of(value, source))
            if convert is number_or_text and isinstance(value, str):
                self.convert = until_number
            elif convert is number_or_text:
                AT_NEXT_TEXT.append(lambda: say("str"))
            return value

        def until_number(data):
            value = convert(data)
            if not isinstance(value, str):
                say(type_of(value, source))
                self.convert = convert
            return value

        self.convert = first

    def failure(self, error):
        if isinstance(error, ItemRefused):
            return answer_line(error.kind, str(error))
        print_traceback(error)
        kind = b"m" if isinstance(error, MemoryError) else b"f"
        return answer_line(kind, self.target.describe(error))

    def serve(self, function):
        clock, read, gathered = time.monotonic, os.read, self.gathered
        begun, size, since = [], 0, clock()
        while True:
            # No answer may stay in the buffer while this waits for a request.
            if gathered:
                self.send(b"".join(gathered))
                gathered.clear()
                size = 0
            data = read(self.requests, 1 << 16)
            if not data:
                return
            begun.append(data)
            if b"\n" not in data:
                continue
            lines = b"".join(begun).split(b"\n")
            begun = [lines.pop()]
            since = clock()
            for request in lines:
                try:
                    data = request[1:]
                    if b"\\" in data:
                        data = data.replace(b"\\n", b"\n").replace(b"\\s", b"\\")
                    text = answer(function(self.convert(data)))
                except BaseException as error:
                    text = self.failure(error)
                gathered.append(text)
                size += len(text)
                now = clock()
                if now - since > 0.002 or size > 32768 or request[0] == 33:
                    self.send(b"".join(gathered))
                    gathered.clear()
                    size, since = 0, now


def main(word, wanted, options):
    # JSON of texts, lists and objects is an expression of Python, too.
    options = eval(options)
    server = Server(*private_pipes())
    # The worker handles Ctrl-C. A handler that does nothing is used because
    # started programs would inherit SIG_IGN.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        server.target = Target(word, wanted)
        function, convert, source = calls(loaded(server.target), wanted, options)
    except Unfit as error:
        server.send(answer_line(b"e", str(error)))
        return
    server.say_types(convert, source)
    server.send(b"r\n")
    try:
        server.serve(function)
    except BrokenPipeError:
        # The worker has ended and needs no more answers.
        pass


main(*sys.argv[1:])
