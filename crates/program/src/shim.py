# Runs a Python function for a worker: `python3 -u -c THIS FILE FUNCTION`.
#
# It reads one line for each item and writes one line as the answer. In both
# directions a backslash is `\s` and a line feed is `\n`, so that a line can carry
# any bytes. A request begins with `!` if its answer must not wait for others,
# otherwise with a space. An answer begins with `v` (a number or a boolean), `s`
# (text), `f` (a failure) or `m` (out of memory). The first line, before any
# request, is `r` (ready) or `e` and an error message.
#
# The lines use file descriptors of their own. The function's standard input is
# empty, and its standard output goes to standard error. For Python 3.8 or later.


def procession_shim():
    import os
    import signal
    import sys
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

    requests, answers = private_pipes()
    # The worker handles Ctrl-C. A handler that does nothing is used because
    # started programs would inherit SIG_IGN.
    signal.signal(signal.SIGINT, lambda *_: None)

    def send(data):
        while data:
            data = data[os.write(answers, data):]

    def encode(text):
        if b"\\" in text or b"\n" in text:
            text = text.replace(b"\\", b"\\s").replace(b"\n", b"\\n")
        return text

    def line(kind, text):
        return kind + encode(text.encode("utf-8", "backslashreplace")) + b"\n"

    def describe(error, path, shown):
        """`TYPE: MESSAGE (FILE:LINE)`, the innermost line that is in the file."""
        kind = type(error)
        name = kind.__qualname__
        if kind.__module__ not in ("builtins", "__main__", module_name):
            name = kind.__module__ + "." + name
        try:
            message = str(error)
        except BaseException:
            message = "(its message can't be had)"
        place, frame = "", error.__traceback__
        while frame is not None:
            if frame.tb_frame.f_code.co_filename == path:
                place = " (%s:%d)" % (shown, frame.tb_lineno)
            frame = frame.tb_next
        return name + (": " + message[:4096] if message else "") + place

    def print_traceback(error):
        try:
            import traceback

            # Skips the frames of this file.
            frames = error.__traceback__
            while frames is not None and frames.tb_frame.f_code.co_filename == "<string>":
                frames = frames.tb_next
            traceback.print_exception(type(error), error, frames)
        except BaseException:
            pass

    shown, wanted = sys.argv[1:3]
    path = os.path.abspath(shown)
    shown = os.path.basename(shown)
    module_name = os.path.splitext(shown)[0]
    if module_name in sys.modules or module_name in sys.builtin_module_names:
        # The name must not hide a module that other code imports.
        module_name = "procession_task"

    class Unfit(Exception):
        """There is no such function in the file."""

    def load():
        """Runs the file as an import would; returns the function."""
        folder = os.path.dirname(path)
        if sys.path and sys.path[0] == "":
            sys.path[0] = folder
        else:
            sys.path.insert(0, folder)
        sys.argv[:] = [path]
        with open(path, "rb") as file:
            source = file.read()
        module = type(sys)(module_name)
        module.__file__ = path
        sys.modules[module_name] = module
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
        found = module
        for name in wanted.split("."):
            if not hasattr(found, name):
                known = [
                    key
                    for key, value in vars(module).items()
                    if callable(value) and getattr(value, "__module__", None) == module_name
                ]
                raise Unfit("it has no '%s'; it has: %s" % (wanted, ", ".join(known) or "no function"))
            found = getattr(found, name)
        if not callable(found):
            raise Unfit("'%s' is no function, it is %s" % (wanted, type(found).__qualname__))
        return found

    try:
        function = load()
    except Unfit as error:
        send(line(b"e", str(error)))
        return
    except BaseException as error:
        print_traceback(error)
        send(line(b"e", describe(error, path, shown)))
        return
    send(b"r\n")

    def item(text):
        """A number if it is written plainly as one, else a text."""
        if b"\\" in text:
            text = text.replace(b"\\n", b"\n").replace(b"\\s", b"\\")
        try:
            if text.isdigit():
                return int(text)
            if text and not text.translate(None, b"0123456789+-.eE"):
                if text[1:].isdigit() and text[:1] in b"+-":
                    return int(text)
                number = float(text)
                if number - number == 0:
                    return number
        except ValueError:
            pass
        return text.decode("utf-8", "surrogateescape")

    def answer(result):
        kind = type(result)
        if kind is str:
            return b"s" + encode(result.encode("utf-8", "surrogateescape")) + b"\n"
        if kind is bool:
            return b"vtrue\n" if result else b"vfalse\n"
        if isinstance(result, int):
            return b"v" + int.__repr__(result).encode() + b"\n"
        if isinstance(result, float):
            number = float(result)
            kind = b"v" if number - number == 0 else b"s"
            return kind + repr(number).encode() + b"\n"
        if isinstance(result, (bytes, bytearray)):
            return b"s" + encode(bytes(result)) + b"\n"
        return b"s" + encode(str(result).encode("utf-8", "surrogateescape")) + b"\n"

    def failure(error):
        print_traceback(error)
        kind = b"m" if isinstance(error, MemoryError) else b"f"
        return line(kind, describe(error, path, shown))

    def serve():
        clock, read = time.monotonic, os.read
        begun, gathered, size, since = [], [], 0, clock()
        while True:
            # No answer may stay in the buffer while this waits for a request.
            if gathered:
                send(b"".join(gathered))
                gathered, size = [], 0
            data = read(requests, 1 << 16)
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
                    text = answer(function(item(request[1:])))
                except BaseException as error:
                    text = failure(error)
                gathered.append(text)
                size += len(text)
                now = clock()
                if now - since > 0.002 or size > 32768 or request[0] == 33:
                    send(b"".join(gathered))
                    gathered, size, since = [], 0, now

    try:
        serve()
    except BrokenPipeError:
        # The worker has ended and needs no more answers.
        pass


globals().pop("procession_shim")()
