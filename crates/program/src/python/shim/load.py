# Finds the function: imports its file or module, and says why that fails.

# Modules that parse the arguments of a command line.
PARSERS = ("argparse", "optparse", "getopt", "click", "typer", "docopt", "fire", "absl")

# How much of what is written while the file is imported may be told, in characters.
WRITTEN = 2000


class Target:
    """The file or the module of the function, and how messages name them."""

    def __init__(self, word, wanted):
        self.word, self.wanted, self.under_guard = word, wanted, None
        self.path = next((os.path.abspath(path) for path in (word, word + ".py") if os.path.isfile(path)), None)
        self.shown = os.path.basename(self.path or word)
        self.module_name = os.path.splitext(self.shown)[0] if self.path else word
        if self.path and (self.module_name in sys.modules or self.module_name in sys.builtin_module_names):
            # The name must not hide a module that other code imports.
            self.module_name = "procession_task"

    def load(self):
        """The function."""
        if self.path:
            module = self.run_file()
        else:
            sys.argv[:] = [self.word]
            sys.path.insert(0, os.getcwd())
            __import__(self.word)
            module = sys.modules[self.word]
            self.path = getattr(module, "__file__", None)
            self.shown = os.path.basename(self.path or self.word)
        return self.find(module)

    def run_file(self):
        """Runs the file as an import would."""
        sys.path.insert(0, os.path.dirname(self.path))
        sys.argv[:] = [self.path]
        with open(self.path, "rb") as file:
            source = file.read()
        module = type(sys)(self.module_name)
        module.__file__ = self.path
        sys.modules[self.module_name] = module
        exec(compile(source, self.path, "exec", dont_inherit=True), module.__dict__)
        return module

    def find(self, module):
        found = module
        for name in self.wanted.split("."):
            holder = found
            if not hasattr(holder, name):
                raise Unfit(self.missing(module, holder, name))
            found = getattr(holder, name)
            if isinstance(holder, type) and takes_self(holder, name):
                found = getattr(self.made(holder), name)
        if not callable(found):
            raise Unfit("%s:%s is no function, it is %s" % (self.word, self.wanted, type(found).__qualname__))
        return found

    def made(self, kind):
        """An object of the class, for a method of objects."""
        try:
            return kind()
        except TypeError as error:
            if error.__traceback__.tb_next is not None:
                raise
            advice = "make an object in the file, and write %s:OBJECT.METHOD" % self.word
            raise Unfit("%s can't be made without arguments (%s): %s" % (kind.__qualname__, error, advice)) from None

    def missing(self, module, holder, name):
        if holder is module:
            where, known = self.word, [key for key, value in vars(module).items() if callable(value)]
            own = [key for key in known if getattr(vars(module)[key], "__module__", None) == module.__name__]
            known = own or ([] if self.module_name == module.__name__ and self.path else known)
        else:
            where = "%s in %s" % (self.wanted.rpartition("." + name)[0], self.word)
            known = [key for key in dir(holder) if callable(getattr(holder, key, None))]
        known = [key for key in known if not key.startswith("_")]
        return "%s has no function '%s'; it has: %s" % (where, name, listed(known, name) or "no function")

    def why_not(self, error):
        """Why the import has failed, as a sentence."""
        if isinstance(error, Unfit):
            return str(error)
        if isinstance(error, ModuleNotFoundError) and not self.path and error.name in self.parents():
            return "there is no file %s.py, and no module '%s'" % (self.word, error.name)
        return "%s:%s: %s" % (self.word, self.wanted, self.describe(error))

    def parents(self):
        parts = self.word.split(".")
        return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]

    def describe(self, error):
        """`TYPE: MESSAGE (FILE:LINE)`, the innermost line that is in the file."""
        kind = type(error)
        name = kind.__qualname__
        if kind.__module__ not in ("builtins", "__main__", self.module_name):
            name = kind.__module__ + "." + name
        try:
            message = str(error)
        except BaseException:
            message = "(its message can't be had)"
        line = next(reversed([line for file, line, _ in frames(error) if file == self.path]), None)
        place = " (%s:%d)" % (self.shown, line) if line else ""
        return name + (": " + message[:4096] if message else "") + place + self.guarded(error)

    def guarded(self, error):
        """A hint at a name that is set where an import does not go."""
        if not isinstance(error, NameError) or isinstance(error, UnboundLocalError):
            return ""
        quoted = str(error).split("'")
        if self.under_guard is None:
            self.under_guard = self.guarded_names()
        if len(quoted) < 2 or quoted[1] not in self.under_guard:
            return ""
        return '; it is set under `if __name__ == "__main__":`, which is not run here: set it above that line'

    def guarded_names(self):
        """The names that are set under `if __name__ == "__main__":`."""
        ast = library("ast")
        try:
            with open(self.path, "rb") as file:
                tree = ast.parse(file.read())
        except (OSError, SyntaxError, TypeError, ValueError):
            return set()
        guards = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.dump(node.test)]
        inner = [node for guard in guards for part in guard.body for node in ast.walk(part)]
        names = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        names.update(node.name for node in inner if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
        return names.union((node.asname or node.name) for node in inner if isinstance(node, ast.alias))

    def parses_arguments(self, error):
        """Whether the import has failed at the arguments of a command line."""
        modules = [module.partition(".")[0] for _, _, module in frames(error)]
        if any(module in PARSERS for module in modules):
            return True
        lines = [line for file, line, _ in frames(error) if file == self.path]
        with open(self.path, encoding="utf-8", errors="replace") as file:
            source = file.read().splitlines()
        return any("argv" in source[line - 1] for line in lines if line <= len(source))


def frames(error):
    """The file, line and module of each frame, from the outermost on."""
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        yield frame.f_code.co_filename, trace.tb_lineno, str(frame.f_globals.get("__name__"))
        trace = trace.tb_next


def takes_self(holder, name):
    """Whether this is a method of objects, not of the class."""
    method = next((vars(kind)[name] for kind in holder.__mro__ if name in vars(kind)), None)
    return type(method) is FUNCTION and method.__code__.co_varnames[:1] == ("self",)


def listed(names, wanted):
    """Names for the user: the nearest first, if there are many."""
    if len(names) > 20:
        near = library("difflib").get_close_matches(wanted, names, 5)
        names = near + [name for name in names if name not in near]
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")


class Writing:
    """Remembers the end of what is written to `sys.stdout` and `sys.stderr`."""

    def __init__(self):
        self.text, self.writers = "", []

    def __enter__(self):
        for stream in (sys.stdout, sys.stderr):
            stream.write = self.writer(stream.write)
            self.writers.append((stream, stream.write))
        return self

    def writer(self, write):
        def remember(text):
            self.text = (self.text + text)[-WRITTEN:]
            return write(text)

        return remember

    def __exit__(self, *_):
        for stream, writer in self.writers:
            # The file may have set another one.
            if stream.write is writer:
                del stream.write


def loaded(target):
    """The function. Raises Unfit with a sentence for the user."""
    with Writing() as writing:
        try:
            return target.load()
        except BaseException as raised:
            error = raised
    if not isinstance(error, Unfit):
        print_traceback(error)
    why = target.why_not(error)
    if isinstance(error, SystemExit) and writing.text.strip():
        why += "; it wrote: " + " / ".join(line.strip() for line in writing.text.splitlines() if line.strip())
    if isinstance(error, (SystemExit, IndexError)) and target.path and target.parses_arguments(error):
        why += (
            "; the file parses its arguments when it is imported: do that under "
            '`if __name__ == "__main__":`, and give the function constants by --arg NAME=VALUE'
        )
    raise Unfit(why)
